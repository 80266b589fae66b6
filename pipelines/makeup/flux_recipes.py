"""What weights for FLUX.1-Kontext were trained to be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PromptRecipe:
    """What a set of weights was trained to be told.

    Attributes:
        prompt: the instruction.
        guidance_scale: strength embedded into the transformer.
        steps: Euler steps.
    """

    prompt: str
    guidance_scale: float
    steps: int


TRANSFER = PromptRecipe("makeup.", 2.5, 25)
"""FLUX-Makeup's weights."""
ART_TRANSFER = PromptRecipe("Apply makeup transfer", 3.5, 28)
"""ART's LoRA (arXiv 2606.31089), loaded with `load_lora_weights` into a pipeline without injector:
the reference then is more tokens of the sequence."""
REMOVAL = PromptRecipe("Remove makeup of this person", 3.5, 28)
"""Plain Kontext, or ART's second LoRA; takes no reference."""
