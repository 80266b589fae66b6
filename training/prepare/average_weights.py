"""Average the weights of a network before and after it went on learning.

    python -m training.prepare.average_weights BEFORE AFTER -o OUT --share 0.65

What was learned anew and what was known before add up where one was trained from the other, with
no cost at inference (WiSE-FT, arXiv 2109.01903, equation 1).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro
from safetensors.torch import load_file, save_file
from torch import Tensor
from tyro.conf import Positional, arg

WEIGHTS, CONFIG = "diffusion_pytorch_model.safetensors", "config.json"


def average(before: dict[str, Tensor], after: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """`share` of the later weights and the rest of the earlier ones; counters are the later ones'.

    Args:
        before: of the network that was gone on from.
        after: of the same network later.
        share: of `after`, 0..1.

    Raises:
        ValueError: they belong to different networks.
    """
    shapes = [{name: tensor.shape for name, tensor in part.items()} for part in (before, after)]
    if shapes[0] != shapes[1]:
        raise ValueError("the two folders hold different networks; give two of one shape")
    return {
        name: before[name].lerp(later, share) if later.is_floating_point() else later
        for name, later in after.items()
    }


def average_folders(
    before: Positional[Path],
    after: Positional[Path],
    output: Annotated[Path, arg(aliases=["-o"])],
    share: float = 0.5,
) -> None:
    """Read two folders and write a third.

    Args:
        before: of the network that was gone on from.
        after: of the same network later.
        output: folder written to.
        share: of the later weights, 0 to 1.
    """
    weights = average(load_file(before / WEIGHTS), load_file(after / WEIGHTS), share)
    output.mkdir(parents=True, exist_ok=True)
    save_file(weights, output / WEIGHTS, metadata={"format": "pt"})
    config = (after / CONFIG).read_text(encoding="utf-8")
    (output / CONFIG).write_text(config, encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and write."""
    tyro.cli(average_folders, args=arguments, description=__doc__)


if __name__ == "__main__":
    main()
