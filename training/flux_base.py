"""The frozen FLUX under a training run: a folder, a hub id, or a toy in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import nn

from models import devices, seeding
from models.mcvton.prompt import PROMPT, FixedPrompt

TOY_FLUX: dict[str, Any] = {
    "in_channels": 16,
    "num_layers": 2,
    "num_single_layers": 2,
    "attention_head_dim": 16,
    "num_attention_heads": 4,
    "joint_attention_dim": 16,
    "pooled_projection_dim": 16,
    "axes_dims_rope": (4, 6, 6),
    "guidance_embeds": True,
}
TOY_VAE: dict[str, Any] = {
    "block_out_channels": (8, 16, 16),
    "down_block_types": ("DownEncoderBlock2D",) * 3,
    "up_block_types": ("UpDecoderBlock2D",) * 3,
    "latent_channels": 4,
    "norm_num_groups": 4,
    "mid_block_add_attention": False,
    "scaling_factor": 1.0,
}


@torch.no_grad()
def start(network: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of a toy anew: N(0, 1 / inputs), biases 0; norms stay 1 and 0."""
    for name, parameter in network.named_parameters():
        if parameter.ndim > 1:
            inputs = parameter[0].numel()
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / inputs**0.5)
        elif name.endswith("bias"):
            parameter.zero_()


def load_transformer(
    base: str | None, device: torch.device, seed: int, *, nf4: bool = False
) -> FluxTransformer2DModel:
    """Return the transformer of a base, in the device's dtype or in 4 bits.

    Args:
        base: folder or hub id with a `transformer` folder; None makes an untrained toy.
        device: where it goes.
        seed: of the toy's weights.
        nf4: bitsandbytes' 4-bit weights, 6.7 GB instead of 23.8 GB.
    """
    if base is None:
        toy = FluxTransformer2DModel(**TOY_FLUX)
        start(toy, seeding.generator_for(seed, "transformer"))
        return toy
    dtype = devices.dtype_of(device)
    settings: dict[str, Any] = {"torch_dtype": dtype}
    if nf4:
        from diffusers.quantizers.quantization_config import BitsAndBytesConfig

        settings["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
        )
    return FluxTransformer2DModel.from_pretrained(base, subfolder="transformer", **settings)


def load_vae(base: str | None, seed: int) -> AutoencoderKL:
    """Return the autoencoder of a base, in float32: its 84 M parameters overflow in half."""
    if base is None:
        toy = AutoencoderKL(**TOY_VAE)
        start(toy, seeding.generator_for(seed, "vae"))
        return toy
    return AutoencoderKL.from_pretrained(base, subfolder="vae")


def load_scheduler(base: str | None) -> FlowMatchEulerDiscreteScheduler:
    """Return FLUX.1-dev's schedule, as the base has it if it has one."""
    if base is None or (Path(base).is_dir() and not (Path(base) / "scheduler").is_dir()):
        return FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True)
    return FlowMatchEulerDiscreteScheduler.from_pretrained(base, subfolder="scheduler")  # pyright: ignore


def load_prompt(base: str | None, cache: Path, seed: int) -> FixedPrompt:
    """Return the embeddings of "Model": the base's own, kept ones, or made by its text encoders.

    T5 is loaded once in the life of a cache, before the transformer is.
    """
    if base is None:
        generator = seeding.generator_for(seed, "prompt")
        embeds = torch.randn((1, 4, TOY_FLUX["joint_attention_dim"]), generator=generator)
        pooled = torch.randn((1, TOY_FLUX["pooled_projection_dim"]), generator=generator)
        return FixedPrompt.of(embeds, pooled)
    if (Path(base) / "prompt").is_dir():
        return FixedPrompt.from_pretrained(base, subfolder="prompt")
    kept = cache / "prompt"
    if not kept.is_dir():
        from diffusers.pipelines.flux.pipeline_flux import FluxPipeline

        encoders = FluxPipeline.from_pretrained(base, transformer=None, vae=None)
        with torch.no_grad():
            embeds, pooled, _ = encoders.encode_prompt(PROMPT, PROMPT)
        assert embeds is not None
        assert pooled is not None
        FixedPrompt.of(embeds, pooled).save_pretrained(kept)
    return FixedPrompt.from_pretrained(kept)
