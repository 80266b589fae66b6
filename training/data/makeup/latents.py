"""Pairs as latents: encoded once, read at every step, so that no autoencoder is kept in training.

cache/prompt.safetensors     prompt (T, D), pooled (P,), size_rc (2,) rows and columns of tokens
cache/00000.safetensors      source, target, reference: (V, N, C), V augmentations of a pair
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from models import seeding
from models.diffusion.flux_tokens import pack
from models.diffusion.rectified_flow import draw_sigmas, shift_of
from models.diffusion.vae import VAE, encode
from models.errors import TrainingError
from pipelines.files import replacing

Encode = Callable[[Tensor], Tensor]


class Pairs(Protocol):
    """Numbered pairs, such as `MakeupPairs`."""

    def __len__(self) -> int:
        """Number of pairs."""
        ...

    def sample(self, index: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Source, target and reference, (3, H, W) float32 in [-1, 1]."""
        ...


def make_encoder(vae: VAE) -> Encode:
    """From pictures (B, 3, H, W) in [-1, 1] to packed latents (B, N, C)."""
    return lambda pictures: pack(encode(vae, pictures))


def write_cache(
    folder: Path,
    pairs: Pairs,
    encode: Encode,
    prompt: Tensor,
    pooled: Tensor,
    size_rc: tuple[int, int],
    versions: int = 4,
    seed: int = 0,
) -> None:
    """Encode every pair `versions` times, each time augmented anew; what is there is kept.

    Args:
        folder: made if need be.
        pairs: `len(pairs)` and `pairs.sample(index, generator)` -> source, target, reference,
            (3, H, W) each in [-1, 1].
        encode: from `make_encoder`.
        prompt: (T, D) embeddings of the prompt's tokens.
        pooled: (P,) embedding of the whole prompt.
        size_rc: rows and columns of tokens.
        versions: augmentations of each pair.
        seed: of the augmentations.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index in tqdm(range(len(pairs)), desc="encoding pairs"):
        path = folder / f"{index:05d}.safetensors"
        if path.exists():
            continue
        drawn = [
            pairs.sample(index, seeding.generator_for(seed, "pair", index, version))
            for version in range(versions)
        ]
        kinds = zip(("source", "target", "reference"), zip(*drawn, strict=True), strict=True)
        tensors = {kind: encode(torch.stack(pictures)) for kind, pictures in kinds}
        tensors = {k: v.to("cpu", torch.bfloat16).contiguous() for k, v in tensors.items()}
        with replacing(path) as temporary:
            save_file(tensors, temporary)
    about = {"prompt": prompt, "pooled": pooled, "size_rc": torch.tensor(size_rc)}
    save_file({k: v.cpu().contiguous() for k, v in about.items()}, folder / "prompt.safetensors")


class FluxLatents:
    """Batches of cached pairs, with the noise and the times they are learned at.

    Args:
        folder: from `write_cache`.
        scheduler_config: of FLUX's scheduler, for the shift of the times.

    Raises:
        TrainingError: the folder holds no finished cache.
    """

    def __init__(self, folder: Path, scheduler_config: Any) -> None:
        self.paths = sorted(folder.glob("[0-9]*.safetensors"))
        if not self.paths or not (folder / "prompt.safetensors").exists():
            raise TrainingError(
                f"{folder} holds no finished cache; run python -m training.prepare.flux_latents"
            )
        about = load_file(folder / "prompt.safetensors")
        self.prompt, self.pooled = about["prompt"].float(), about["pooled"].float()
        self.rows, self.columns = about["size_rc"].tolist()
        self.mu = shift_of(self.rows * self.columns, scheduler_config)

    def __len__(self) -> int:
        return len(self.paths)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return source, target, reference and noise (B, N, C), sigma (B,), prompt and pooled.

        Everything random is drawn here, for the whole batch, so that however many processes share
        it, they learn the same.
        """
        samples: list[dict[str, Tensor]] = []
        for index in indices.tolist():
            pair = load_file(self.paths[index])
            version = int(torch.randint(len(pair["target"]), (1,), generator=generator))
            samples.append({key: value[version].float() for key, value in pair.items()})
        batch = {key: torch.stack([s[key] for s in samples]) for key in samples[0]}
        batch["noise"] = torch.randn(batch["target"].shape, generator=generator)
        batch["sigma"] = draw_sigmas(len(samples), self.mu, generator)
        batch["prompt"] = self.prompt.expand(len(samples), -1, -1)
        batch["pooled"] = self.pooled.expand(len(samples), -1)
        return batch
