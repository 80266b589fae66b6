"""The big pipelines' networks at toy size: real classes, random weights, nothing downloaded.

Tests, the demo folder that `mirra models tiny` writes and the `tiny` training presets use them.
Only the autoencoder's weights are not random: it is built by hand to keep what it is shown, so that
pictures made by a toy can be looked at.

    pipe = FluxMakeupPipeline(**tiny.flux(seed=0), injector=...)

A token of the toy covers 4 x 4 pixels (FLUX: 16 x 16).
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import nn

from models import seeding

if TYPE_CHECKING:
    from transformers import CLIPTextModel, CLIPTokenizer, T5EncoderModel, T5Tokenizer

    from models.reflora.injector import RefLoRAInjector

Network = TypeVar("Network", bound=nn.Module)

WIDTH = 32
LATENT_CHANNELS = 4
TOKEN_PIXELS = 4
PROMPT_TOKENS = 48
"""Tokens a toy prompt is padded to; a FLUX prompt to 512."""

_LEVEL = 30.0  # a constant channel pair this large makes group normalisation a fixed scale


def flux(seed: int = 0, layers: int = 1, single_layers: int = 1) -> dict[str, Any]:
    """Every component of a FLUX pipeline, by the names diffusers gives them.

    Args:
        seed: of the weights.
        layers: double-stream blocks of the transformer; FLUX has 19.
        single_layers: single-stream blocks; FLUX has 38.
    """
    clip, clip_tokenizer = clip_text_encoder(seed)
    t5, t5_tokenizer = t5_text_encoder(seed)
    return {
        "scheduler": scheduler(),
        "vae": autoencoder(),
        "text_encoder": clip,
        "tokenizer": clip_tokenizer,
        "text_encoder_2": t5,
        "tokenizer_2": t5_tokenizer,
        "transformer": flux_transformer(seed, layers, single_layers),
    }


def flux_makeup(seed: int = 0) -> dict[str, Any]:
    """Every component of FLUX-Makeup, by the names its pipeline gives them; 64 pixels."""
    parts = flux(seed)
    injector = reflora_injector(parts["transformer"], seed)
    return parts | {"injector": injector, "default_size": 16 * TOKEN_PIXELS}


def scheduler() -> FlowMatchEulerDiscreteScheduler:
    """FLUX's scheduler, with its shift by the number of tokens."""
    return FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15, shift=3.0
    )


def flux_transformer(
    seed: int = 0, layers: int = 1, single_layers: int = 1
) -> FluxTransformer2DModel:
    """FLUX's transformer of width 32, two heads of 16; in evaluation mode."""
    network = FluxTransformer2DModel(
        in_channels=4 * LATENT_CHANNELS,
        num_layers=layers,
        num_single_layers=single_layers,
        attention_head_dim=WIDTH // 2,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        guidance_embeds=True,
        axes_dims_rope=(4, 6, 6),
    )
    return _drawn(network, seed, "transformer")


def reflora_injector(
    transformer: FluxTransformer2DModel, seed: int = 0, **options: Any
) -> RefLoRAInjector:
    """FLUX-Makeup's injector for a toy transformer, rank 4, as if it had been trained."""
    from models.reflora.injector import RefLoRAInjector

    return _drawn(RefLoRAInjector.for_transformer(transformer, 4, **options), seed, "injector")


def mcvton(seed: int = 0) -> dict[str, Any]:
    """Every component of MC-VTON, by the names its pipeline gives them, as if trained; 32 x 24."""
    from models.mcvton.adapters import DISTILLED, GARMENT, PERSON, BranchLoRA
    from models.mcvton.prompt import FixedPrompt

    transformer = flux_transformer(seed)
    generator = seeding.generator_for(seed, "tiny", "prompt")
    embeds = torch.randn((1, 4, WIDTH), generator=generator)
    pooled = torch.randn((1, WIDTH), generator=generator)
    sigmas = tuple(1 - step / 8 for step in range(8))
    branches = {"person": PERSON, "garment": GARMENT, "student": {**DISTILLED, "sigmas": sigmas}}
    adapters = {
        f"{name}_adapter": _drawn(BranchLoRA.for_transformer(transformer, **settings), seed, name)
        for name, settings in branches.items()
    }
    return {
        "scheduler": scheduler(),
        "vae": autoencoder(),
        "transformer": transformer,
        "prompt": FixedPrompt.of(embeds, pooled),
        "height": 32,
        "width": 24,
    } | adapters


def published_beautybank(seed: int = 0) -> dict[str, Any]:
    """Generator and encoder of the published BeautyBank at 64 pixels; 10 layers of 32 a code."""
    from models.beautybank.psp import PspEncoder
    from models.beautybank.published import PublishedBeautyBank

    draws = seeding.generator_for(seed, "tiny", "published-beautybank")
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(draws.get_state())  # both draw their weights as they are made
        generator = PublishedBeautyBank(size=64, style=WIDTH, widest=16)
        encoder = PspEncoder(layers=generator.n_latent, width=WIDTH // 8)
    for parameter in generator.res.parameters():  # as if trained: makeup shows
        torch.nn.init.normal_(parameter, 0, 0.3, generator=draws)
    return {"generator": generator.eval(), "encoder": encoder.eval()}


def autoencoder() -> AutoencoderKL:
    """A KL autoencoder that halves a picture and gives it back, slightly soft.

    Channels come in pairs (x, -x), because silu(u) - silu(-u) = u: the network is linear though its
    last layers are not.
    """
    vae: Any = AutoencoderKL.from_config(
        {
            "down_block_types": ["DownEncoderBlock2D"] * 2,
            "up_block_types": ["UpDecoderBlock2D"] * 2,
            "block_out_channels": [8, 8],
            "layers_per_block": 1,
            "latent_channels": LATENT_CHANNELS,
            "norm_num_groups": 1,
            "use_quant_conv": False,
            "use_post_quant_conv": False,
            "scaling_factor": 1.5,
            "shift_factor": 0.1,
        }
    )
    _drawn(vae, 0, "autoencoder")
    with torch.no_grad():
        for name, module in vae.named_modules():
            if isinstance(module, nn.GroupNorm):
                nn.init.zeros_(module.bias)
            if name.endswith(("conv2", "to_out.0")):  # the ends of residual branches
                nn.init.zeros_(module.get_parameter("weight"))
                nn.init.zeros_(module.get_parameter("bias"))
        box = torch.zeros(3, 3)
        box[:2, :2] = 0.25
        tent = torch.outer(torch.tensor([1.0, 2, 1]), torch.tensor([1.0, 2, 1])) / 16
        for coder in (vae.encoder, vae.decoder):
            _set_pairs(coder.conv_in)
            _set_difference(coder.conv_out)
        nn.init.constant_(vae.encoder.conv_out.bias[LATENT_CHANNELS:], -30.0)  # log variance
        _set_taps(vae.get_submodule("encoder.down_blocks.0.downsamplers.0.conv"), box, box)
        middle = torch.zeros(3, 3)
        middle[1, 1] = 1.0
        _set_taps(vae.get_submodule("decoder.up_blocks.0.upsamplers.0.conv"), tent, middle)
    return vae


def clip_text_encoder(seed: int = 0) -> tuple[CLIPTextModel, CLIPTokenizer]:
    """CLIP's text encoder and its tokenizer, which knows single letters."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    ends = ["<|startoftext|>", "<|endoftext|>"]
    characters = string.ascii_lowercase + string.digits + string.punctuation
    words = [*ends, *characters, *(f"{letter}</w>" for letter in characters)]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return _drawn(CLIPTextModel(config), seed, "clip"), tokenizer


def t5_text_encoder(seed: int = 0) -> tuple[T5EncoderModel, T5Tokenizer]:
    """T5's encoder and its tokenizer, which knows single letters."""
    from transformers import T5Config, T5EncoderModel, T5Tokenizer

    characters = string.ascii_letters + string.digits + string.punctuation
    words = ["<pad>", "</s>", "<unk>", "▁", *characters]
    tokenizer = T5Tokenizer(
        vocab=[(word, -1.0) for word in words], extra_ids=0, model_max_length=PROMPT_TOKENS
    )
    config = T5Config(
        vocab_size=len(words),
        d_model=WIDTH,
        d_kv=WIDTH // 2,
        d_ff=WIDTH,
        num_layers=1,
        num_heads=2,
        feed_forward_proj="gated-gelu",
    )
    return _drawn(T5EncoderModel(config), seed, "t5"), tokenizer


def _drawn(network: Network, seed: int, place: str) -> Network:
    """The network with weights drawn from `seed`, in evaluation mode; norms keep their ones."""
    generator = seeding.generator_for(seed, "tiny", place)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim > 1:
                fan_in = parameter[0].numel()
                parameter.normal_(0.0, fan_in**-0.5, generator=generator)
            elif name.endswith("bias"):
                parameter.normal_(0.0, 0.1, generator=generator)
    return network.eval()


def _set_pairs(conv: nn.Module) -> None:
    """Channels r, g, b, their negatives, and a constant pair."""
    weight, bias = conv.get_parameter("weight"), conv.get_parameter("bias")
    nn.init.zeros_(weight)
    nn.init.zeros_(bias)
    for channel in range(3):
        weight[channel, channel, 1, 1] = 1.0
        weight[channel + 3, channel, 1, 1] = -1.0
    bias[6], bias[7] = _LEVEL, -_LEVEL


def _set_difference(conv: nn.Module) -> None:
    """Back from pairs to r, g, b, at the scale normalisation took away."""
    weight, bias = conv.get_parameter("weight"), conv.get_parameter("bias")
    nn.init.zeros_(weight)
    nn.init.zeros_(bias)
    for channel in range(3):
        weight[channel, channel, 1, 1] = _LEVEL / 2
        weight[channel, channel + 3, 1, 1] = -_LEVEL / 2


def _set_taps(conv: nn.Module, colors: torch.Tensor, constants: torch.Tensor) -> None:
    """One 3 x 3 filter for the six colour channels, one for the constant pair."""
    weight, bias = conv.get_parameter("weight"), conv.get_parameter("bias")
    nn.init.zeros_(weight)
    nn.init.zeros_(bias)
    for channel in range(8):
        weight[channel, channel] = colors if channel < 6 else constants
