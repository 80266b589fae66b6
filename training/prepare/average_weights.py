"""Average the weights of a network before and after it went on learning.

    python -m training.prepare.average_weights BEFORE AFTER -o OUT --share 0.65

What was learned anew and what was known before add up where one was trained from the other, with
no cost at inference (WiSE-FT, arXiv 2109.01903, equation 1).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

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


def main(arguments: list[str] | None = None) -> None:
    """Read two folders and write a third."""
    parser = argparse.ArgumentParser(description="Average weights before and after training.")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5, help="of the later weights, 0 to 1")
    options = parser.parse_args(arguments)
    weights = average(
        load_file(options.before / WEIGHTS), load_file(options.after / WEIGHTS), options.share
    )
    options.output.mkdir(parents=True, exist_ok=True)
    save_file(weights, options.output / WEIGHTS, metadata={"format": "pt"})
    config = (options.after / CONFIG).read_text(encoding="utf-8")
    (options.output / CONFIG).write_text(config, encoding="utf-8")


if __name__ == "__main__":
    main()
