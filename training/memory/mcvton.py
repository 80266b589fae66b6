"""What a run of MC-VTON needs on a card, reckoned: `python -m training.memory.mcvton`.

Nobody here has such a card; these are sums over what autograd keeps, to be checked on the first
one. Attention is taken to keep no scores (flash or memory-efficient kernels).
"""

from __future__ import annotations

import sys

from training.train_mcvton import PRESETS, MCVTONConfig

FLUX_PARAMETERS = 11_901_408_320
WIDTH, BLOCKS, TEXT = 3072, 57, 512
TWO_CONDITIONS, DISTILLED = 39_727_872, 47_085_376
BYTES = {"fp32": 4.0, "bf16": 2.0, "nf4": 4.5 / 8}  # nf4: 4 bits, and a float32 for every 64
TRAINED = 4 + 4 + 8 + 4  # bytes of a parameter: itself, gradient, Adam's averages, ours
# Widths of tokens that one block keeps while its gradient is made: 30 in bf16 for the block, and as
# much again for LoRA's inputs, which are float32 on 15 widths.
IN_BLOCK = 60


def reckon_gigabytes(config: MCVTONConfig) -> dict[str, float]:
    """Return the parts of a card's memory in GB (1e9 bytes), for FLUX.1-dev in a preset."""
    picture = config.size_hw[0] // 16 * (config.size_hw[1] // 16)
    sequence = picture + TEXT
    token = 2 * WIDTH  # bytes in bf16
    if config.stage == "student":
        adapters = TRAINED * DISTILLED + 4 * TWO_CONDITIONS
        passes = sequence * (2 if config.adversarial else 1)  # the student's, the discriminator's
    else:
        adapters = TRAINED * TWO_CONDITIONS
        passes = sequence + 2 * picture
    return {
        "transformer": FLUX_PARAMETERS * BYTES[config.base] / 1e9,
        "autoencoder": 84e6 * 4 / 1e9,
        "adapters": adapters / 1e9,
        # Between blocks, in each pass that has a gradient.
        "between blocks": config.micro * BLOCKS * passes * token / 1e9,
        # Keys and values of both conditions.
        "memory": config.micro * BLOCKS * 2 * 2 * picture * token / 1e9,
        "in a block": config.micro * IN_BLOCK * sequence * token / 1e9,
    }


if __name__ == "__main__":
    for name, (_, config) in PRESETS.items():
        if name.endswith("gb"):
            parts = reckon_gigabytes(config)
            words = ", ".join(f"{part} {size:.1f}" for part, size in parts.items())
            sys.stdout.write(f"{name}: {sum(parts.values()):.1f} GB ({words})\n")
