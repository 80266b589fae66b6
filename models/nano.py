"""A FLUX of our own: diffusers' classes at a size two CPU cores can train, 64 x 64 pixels.

Eleven million parameters instead of twelve thousand million; the same road from picture to picture,
so that what is learned about training and distilling the large one can be tried here. A token
covers 8 x 8 pixels (FLUX: 16 x 16). Text encoders are toys: the one prompt is always the same.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import IdentityDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn
from torch.nn import functional as F

from models import seeding, tiny
from models.reflora.injector import RefLoRAInjector
from models.reflora.layers import attention_layers

SIZE = 64
EXPAND = 0.06
"""How far the square around a face reaches beyond it, as a share of the face."""
PATCH = 4
LATENT_CHANNELS = 16
HEADS = 4
HEAD_WIDTH = 64
AXES = (8, 28, 28)
"""How a head's width is shared by kind, row and column."""
RANK = 64
"""Of the injector's keys and values; FLUX-Makeup's 1024 are a third of its width, too."""
PROMPT_TOKENS = 8
PLACES = 2
"""Frequencies of each of row and column that a head is told to go by at first."""
SHARP = 2.0


class PatchAutoencoder(ModelMixin, ConfigMixin):
    """The linear autoencoder of 4 x 4 patches: principal components, 48 numbers to 16.

    It has the calls of diffusers' `AutoencoderKL`. Components are divided by the root of their
    deviation: coarse ones, which are a hundred times larger, stay the larger, but fine ones are
    heard as well.

    Args:
        latent_channels: components kept.
        block_out_channels: their number less one tells diffusers how often pictures are halved.
        scaling_factor: of latents, as in FLUX.
        shift_factor: likewise.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = LATENT_CHANNELS,
        block_out_channels: tuple[int, ...] = (0, 0, 0),
        scaling_factor: float = 1.0,
        shift_factor: float = 0.0,
    ) -> None:
        super().__init__()
        width = 3 * PATCH**2
        self.mean = nn.Parameter(torch.zeros(width), requires_grad=False)
        self.encoding = nn.Parameter(torch.zeros(width, latent_channels), requires_grad=False)
        self.decoding = nn.Parameter(torch.zeros(latent_channels, width), requires_grad=False)

    @torch.no_grad()
    def fit(self, pictures: Tensor) -> PatchAutoencoder:
        """Take the principal components of pictures, (B, 3, H, W) in [-1, 1]."""
        patches = F.pixel_unshuffle(pictures.double(), PATCH).movedim(1, -1).flatten(0, 2)
        variance, directions = torch.linalg.eigh(torch.cov(patches.T))
        kept = slice(-self.config["latent_channels"], None)
        size = variance[kept].clamp_min(1e-8).pow(0.25)
        self.mean.copy_(patches.mean(0))
        self.encoding.copy_(directions[:, kept] / size)
        self.decoding.copy_((directions[:, kept] * size).T)
        deviation = float((variance[kept] / size.square()).mean().sqrt())
        self.register_to_config(scaling_factor=1 / deviation)
        return self

    def encode(
        self, pictures: Tensor, return_dict: bool = True
    ) -> AutoencoderKLOutput | tuple[IdentityDistribution]:
        """Return the latents, (B, C, H / 4, W / 4), as a distribution of no width."""
        patches = F.pixel_unshuffle(pictures, PATCH).movedim(1, -1)
        latents = ((patches - self.mean) @ self.encoding).movedim(-1, 1)
        found = IdentityDistribution(latents)
        if not return_dict:
            return (found,)
        return AutoencoderKLOutput(latent_dist=found)  # pyright: ignore

    def decode(self, latents: Tensor, return_dict: bool = False) -> tuple[Tensor]:
        """Return the pictures, (B, 3, H, W), in a tuple as diffusers does."""
        patches = latents.movedim(1, -1) @ self.decoding + self.mean
        return (F.pixel_shuffle(patches.movedim(-1, 1), PATCH),)


def flux_transformer(generator: torch.Generator) -> FluxTransformer2DModel:
    """FLUX's transformer of width 256: 4 double-stream blocks and 1 single-stream block.

    Double-stream blocks have most of their weights where there are few tokens, so they are the
    cheaper ones here. Gates of the residual branches begin at zero, as in DiT, so that training
    begins calmly, and one head of each block begins by attending in place; see `attend_in_place`.
    """
    network = FluxTransformer2DModel(
        in_channels=4 * LATENT_CHANNELS,
        num_layers=4,
        num_single_layers=1,
        attention_head_dim=HEAD_WIDTH,
        num_attention_heads=HEADS,
        joint_attention_dim=tiny.WIDTH,
        pooled_projection_dim=tiny.WIDTH,
        guidance_embeds=False,
        axes_dims_rope=AXES,
    )
    seeding.initialise(network, generator)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if (".norm" in name and ".linear." in name) or name.startswith("proj_out."):
                parameter.zero_()
    attend_in_place(network)
    return network


def injector(transformer: FluxTransformer2DModel, generator: torch.Generator) -> RefLoRAInjector:
    """The injector, one head of which begins by attending to its own place in the reference.

    The "separate" form; keys of that head are constants, which are read from a channel of the
    reference's tokens that the norm's bias keeps above zero.
    """
    made = RefLoRAInjector.for_transformer(transformer, RANK, "separate").initialise(generator)
    side = SIZE // (2 * PATCH)
    with torch.no_grad():
        made.image_projection.norm.bias[0] = 4.0
        layers: Any = made.layers
        for layer in layers:
            layer.ref_to_k_lora_down.weight[0].zero_()
            layer.ref_to_k_lora_down.weight[0, 0] = 1.0
            # the reference's ids are (2, i, j - side), see RefLoRAInjector
            layer.ref_to_k_lora_up.weight[:HEAD_WIDTH, 0] = _place(-2.0, 0.0, float(side))
    return made


@torch.no_grad()
def attend_in_place(network: FluxTransformer2DModel) -> None:
    """Let the first head of every block begin by attending to the source at its own place.

    Its queries and keys are constants: turned by their positions (RoPE) they agree where positions
    do. The source's key is turned back by one kind: a target (kind 0) sees its source (kind 1).
    Copying is most of this task, and where to copy from need not be learned.
    """
    attentions: Any = attention_layers(network)
    for attention in attentions:
        attention.norm_q.weight.fill_(SHARP)
        for layer, constant in ((attention.to_q, _place()), (attention.to_k, _place(-1.0))):
            layer.weight[:HEAD_WIDTH].zero_()
            layer.bias[:HEAD_WIDTH] = constant


def _place(*turns: float) -> Tensor:
    """Constants of one head, (HEAD_WIDTH,), turned as if kind, row, column were `turns` larger.

    Of row and column the fastest `PLACES` frequencies are not zero, of the kind the fastest.
    """
    made, start = torch.zeros(HEAD_WIDTH), 0
    for axis, turn in itertools.zip_longest(AXES, turns, fillvalue=0.0):
        for pair in range(1 if start == 0 else PLACES):
            angle = turn * 10000.0 ** (-2 * pair / axis)
            made[start + 2 * pair] = math.cos(angle)
            made[start + 2 * pair + 1] = math.sin(angle)
        start += int(axis)
    return made
