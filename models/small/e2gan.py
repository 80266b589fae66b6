"""E2GAN: many looks by one small generator, each new one tens of kilobytes (arXiv 2401.06127).

A convolutional generator for mobile devices with three residual blocks; after the second a
transformer block, at half their resolution, attends to the concept: here a learned embedding of
the look, where the paper embeds the words of an edit. What it paints is a change of the face. A
look it has not seen is an embedding of its own and low-rank changes of the layers that matter.

    base = E2Gan.from_pretrained(BASE).eval()
    look = LookAdapter.from_pretrained(LOOK)
    made_up = single_look(base, look)(face)         # (B, 3, S, S) in [-1, 1], both
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional as F

from models import seeding
from models.blocks import doubled
from models.diffusion.weight_delta import WeightDelta
from models.errors import ShapeError
from models.seeding import starts_at_zero

LAYERS = ("stem", "down", "residual.0", "residual.1", "attention", "residual.2", "up", "head")
"""Groups of layers an adapter may change, from the picture in to the picture out."""

STRIDE = 8
SIDE = 64
"""Side of the crop it is trained on, in pixels."""


def convolution(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU; an even kernel where it halves, as in `separable`."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 2 + stride, stride, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity; without the last, nothing is added at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution(width, width)
        self.last = starts_at_zero(nn.Conv2d(width, width, 3, padding=1))

    def forward(self, features: Tensor) -> Tensor:
        """(B, width, H, W), both."""
        return features + self.last(self.first(features))


class ConceptAttention(nn.Module):
    """Self-attention among places, cross-attention to the concept's tokens, at half the size."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.down = convolution(width, width, stride=2)
        self.block = BasicTransformerBlock(
            width, heads, width // heads, cross_attention_dim=width, attention_bias=False
        )
        self.up = starts_at_zero(nn.Conv2d(width, width, 1))

    def forward(self, features: Tensor, concept: Tensor) -> Tensor:
        """(B, width, H, W) and the concept (B, T, width) -> (B, width, H, W)."""
        coarse = self.down(features)
        places = self.block(coarse.flatten(2).mT, encoder_hidden_states=concept)
        return features + doubled(self.up(places.mT.unflatten(2, coarse.shape[2:])))


class E2Gan(ModelMixin, ConfigMixin):
    """Generator of several looks.

    Args:
        looks: how many it knows.
        width: channels of its residual blocks, at a quarter of the picture's side.
        fine: channels at half of the side.
        tokens: of a look's embedding.
        heads: of attention.
    """

    @register_to_config
    def __init__(
        self, looks: int = 4, width: int = 96, fine: int = 32, tokens: int = 8, heads: int = 4
    ) -> None:
        super().__init__()
        self.concepts = nn.Embedding(looks, tokens * width)
        self.stem = convolution(3, fine, stride=2)
        self.down = convolution(fine, width, stride=2)
        self.residual = nn.ModuleList([Residual(width) for _ in range(3)])
        self.attention = ConceptAttention(width, heads)
        self.up = convolution(width, fine)
        self.head = starts_at_zero(nn.Conv2d(2 * fine + 12, 12, 3, padding=1))

    def concept(self, look: Tensor) -> Tensor:
        """Embeddings (B, T, width) of looks by number, (B,) int64."""
        return self.concepts(look).unflatten(1, (self.config["tokens"], self.config["width"]))

    def forward(self, face: Tensor, concept: Tensor) -> Tensor:
        """Return the face with the look on.

        Args:
            face: (B, 3, S, S) in [-1, 1], sRGB, S a multiple of `STRIDE`.
            concept: (B, T, width), the look.

        Returns:
            (B, 3, S, S) in [-1, 1].

        Raises:
            ShapeError: S is no such multiple.
        """
        if face.shape[-2] % STRIDE or face.shape[-1] % STRIDE:
            raise ShapeError(
                f"height and width must be multiples of {STRIDE}",
                found=tuple(face.shape),
                needed=STRIDE,
            )
        fine = self.stem(face)
        features = self.residual[1](self.residual[0](self.down(fine)))
        features = self.residual[2](self.attention(features, concept))
        places = torch.cat([doubled(self.up(features)), fine, F.pixel_unshuffle(face, 2)], dim=1)
        return (face + F.pixel_shuffle(self.head(places), 2)).clamp(-1, 1)


class LookAdapter(ModelMixin, ConfigMixin):
    """One more look of a base: its embedding, and low-rank changes W + B A of some layers.

    Args:
        ranks: group of `LAYERS` -> rank of each weight in it; groups left out stay as they are.
        base: the configuration of the generator it belongs to.
    """

    @register_to_config
    def __init__(self, ranks: dict[str, int], base: dict[str, int]) -> None:
        super().__init__()
        shapes = E2Gan(**base)
        self.change = WeightDelta(shapes, dict(ranks), seeding.generator_for(0, "look"))
        self.concept = nn.Parameter(torch.zeros(base["tokens"], base["width"]))

    @classmethod
    def for_base(cls, base: E2Gan, ranks: Mapping[str, int]) -> LookAdapter:
        """An adapter that changes nothing yet; its look is the mean of those the base knows."""
        sizes = {name: base.config[name] for name in ("looks", "width", "fine", "tokens", "heads")}
        adapter = cls(dict(ranks), sizes)
        known = base.concept(torch.arange(sizes["looks"]))
        adapter.concept.data.copy_(known.mean(0).detach())
        return adapter

    def weights(self, base: E2Gan) -> Mapping[str, Tensor]:
        """The base's changed weights by name; see `WeightDelta.weights`."""
        return self.change.weights(base)

    def forward(self, base: E2Gan, face: Tensor) -> Tensor:
        """Return the face with the look on; the base is not changed. See `E2Gan.forward`."""
        concept = self.concept.repeat(len(face), 1, 1)
        return torch.func.functional_call(base, dict(self.weights(base)), (face, concept))


class SingleLook(nn.Module):
    """A generator for one look only, nothing left to add: to run and to export."""

    concept: Tensor

    def __init__(self, generator: E2Gan, concept: Tensor) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("concept", concept)

    def forward(self, face: Tensor) -> Tensor:
        """Return the face with the look on; see `E2Gan.forward`."""
        return self.generator(face, self.concept.repeat(len(face), 1, 1))


@torch.no_grad()
def single_look(base: E2Gan, look: LookAdapter | int) -> SingleLook:
    """A copy of the base that wears one look: an adapter's, or one it knows by number."""
    generator = copy.deepcopy(base)
    if isinstance(look, LookAdapter):
        generator.load_state_dict(dict(look.weights(base)), strict=False)
        concept = look.concept.detach().clone()
    else:
        concept = base.concept(torch.tensor([look]))[0]
    return SingleLook(generator, concept).eval()
