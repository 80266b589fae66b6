"""Try-on samples as the latents FLUX is trained on, encoded once and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from models import seeding
from models.diffusion.vae import VAE, encode
from models.errors import TrainingError
from pipelines.files import replacing
from training.loop import Data

NAMES = ("person", "masked_person", "garment")


class Pictures(Protocol):
    """Numbered try-on samples, such as `TryOnData`."""

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return `person`, `garment` and `condition`, whose first channels are the agnostic."""
        ...


def pick_pictures(samples: dict[str, Tensor]) -> dict[str, Tensor]:
    """Pick what MC-VTON sees: (B, 3, H, W) in [-1, 1] for each of `NAMES`."""
    masked = samples["condition"][:, :3]  # grey, 0, where the agnostic hides
    return {"person": samples["person"], "masked_person": masked, "garment": samples["garment"]}


def encode_all(data: Pictures, vae: VAE, folder: Path, batch: int = 8) -> Path:
    """Write the latents of every sample, once; later calls return at once.

    Args:
        data: the samples.
        vae: FLUX's, on its device.
        folder: where they go, as `<name>.npy` in float16; FLUX at 1024x768 takes 1.2 MB a sample.
        batch: pictures encoded together.

    Raises:
        TrainingError: the folder holds latents of another number of samples.
    """
    if folder.is_dir():
        found = len(np.load(folder / "person.npy", mmap_mode="r"))
        if found != len(data):
            raise TrainingError(
                f"{folder} holds latents of {found} samples, the data has {len(data)}; "
                "give another --cache",
                found=found,
                needed=len(data),
            )
        return folder
    with replacing(folder) as temporary:
        _write_latents(data, vae, temporary, batch)
    return folder


def _write_latents(data: Pictures, vae: VAE, out: Path, batch: int) -> None:
    out.mkdir(parents=True)
    arrays: dict[str, np.ndarray] = {}
    generator = seeding.generator_for(0, "latents")
    for start in range(0, len(data), batch):
        rows = torch.arange(start, min(start + batch, len(data)))
        for name, pictures in pick_pictures(data.batch(rows, generator)).items():
            latents = encode(vae, pictures).cpu().numpy().astype(np.float16)
            if name not in arrays:
                arrays[name] = np.lib.format.open_memmap(
                    out / f"{name}.npy",
                    mode="w+",
                    dtype=np.float16,
                    shape=(len(data), *latents.shape[1:]),
                )
            arrays[name][start : start + len(rows)] = latents
    for array in arrays.values():
        array.flush()  # pyright: ignore[reportAttributeAccessIssue] - a memmap


class LatentTryOn(Data):
    """The latents `encode_all` wrote, mapped from files, and all that a step draws at random.

    The draws come with the batch, so that processes which share one see the same.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in NAMES}

    def __len__(self) -> int:
        return len(self.arrays["person"])

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the latents of `NAMES`, (B, C, H / 8, W / 8) float32 each, and draws.

        Returns:
            Beside the latents: `noise`, `noise_again`, `noise_real` like them, from N(0, 1);
            `time`, (B,) in (0, 1), sigmoid(N(0, 1)); `level`, (B,), and `keep`, (B, 2), uniform.
        """
        rows, count = indices.numpy(), len(indices)
        batch = {
            name: torch.from_numpy(array[rows].astype(np.float32))
            for name, array in self.arrays.items()
        }
        shape = batch["person"].shape
        for name in ("noise", "noise_again", "noise_real"):
            batch[name] = torch.randn(shape, generator=generator)
        batch["time"] = torch.randn(count, generator=generator).sigmoid()
        batch["level"] = torch.rand(count, generator=generator)
        batch["keep"] = torch.rand((count, 2), generator=generator)
        return batch
