"""Where the published BeautyBank's weights are, what lacks, and how they are read.

    MIRRA_BEAUTYBANK    folder with generator.safetensors and encoder.safetensors; to invent makeup,
                        sampler-structure.safetensors and sampler-colour.safetensors, too

Mirra ships none. The authors' files are pickles, which we do not open; convert them once on a
machine you trust: `save_file(torch.load("generator.pt")["g_ema"], "generator.safetensors")`, and
`torch.load("encoder.pt")["state_dict"]` to encoder.safetensors in the same way.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import CheckpointError, WeightsError

if TYPE_CHECKING:
    from torch import nn

    from models.beautybank.psp import PspEncoder
    from models.beautybank.published import PublishedBeautyBank

GENERATOR, ENCODER = "generator.safetensors", "encoder.safetensors"
SAMPLERS = {part: f"sampler-{part}.safetensors" for part in ("structure", "colour")}
"""Only needed to invent makeup."""
FILES = {GENERATOR: "BeautyBank's generator", ENCODER: "its encoder"}


def locate_weights() -> Path | None:
    """Folder that MIRRA_BEAUTYBANK names, if it is set."""
    named = os.environ.get("MIRRA_BEAUTYBANK")
    return Path(named) if named else None


def list_missing(folder: Path | None = None) -> list[str]:
    """What must be had before the published BeautyBank can run here, in words."""
    folder = folder or locate_weights()
    if folder is None:
        what = " and ".join(f"{name}, {file}" for file, name in FILES.items())
        return [f"{what} (set MIRRA_BEAUTYBANK to their folder)"]
    return [f"{file} in {folder}" for file in FILES if not (folder / file).is_file()]


def load_networks(folder: Path | None = None) -> tuple[PublishedBeautyBank, PspEncoder]:
    """Read generator and encoder, of whatever size the files are.

    Args:
        folder: that holds them; the one MIRRA_BEAUTYBANK names when None.

    Raises:
        WeightsError: no folder is named, or a file lacks.
        CheckpointError: a file is damaged or holds another network.
    """
    from models.beautybank.psp import load_encoder
    from models.beautybank.published import load_generator

    folder = folder or locate_weights()
    if folder is None or list_missing(folder):
        lacks = "; ".join(list_missing(folder))
        raise WeightsError(f"the published BeautyBank lacks {lacks}", needed=lacks)
    generator, encoder = load_generator(folder / GENERATOR), load_encoder(folder / ENCODER)
    if len(encoder.styles) != generator.n_latent:
        raise CheckpointError(
            f"{folder}: encoder and generator have codes of different sizes",
            found=len(encoder.styles),
            needed=generator.n_latent,
        )
    return generator, encoder


def save_networks(folder: Path, generator: PublishedBeautyBank, encoder: PspEncoder) -> None:
    """Write both as `load_networks` reads them."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    for file, network in ((GENERATOR, generator), (ENCODER, encoder)):
        save_file({k: v.contiguous() for k, v in network.state_dict().items()}, folder / file)


def load_samplers(folder: Path, generator: PublishedBeautyBank) -> dict[str, nn.Module]:
    """Read the two networks that invent codes for a generator, by the part they invent.

    Raises:
        CheckpointError: a file is missing, damaged, or holds another network.
    """
    from models.beautybank.published import load_sampler

    return {part: load_sampler(folder / file, part, generator) for part, file in SAMPLERS.items()}
