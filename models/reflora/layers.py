"""Attention that also reaches a reference, as in FLUX-Makeup's released code (arXiv 2508.05069).

    R      tokens of the reference, the same in all layers and at all steps
    k_ref  = RoPE(RMSNorm(up_k(down_k(R))))        per head, without a learned gain
    v_ref  = up_v(down_v(R))
    out    = softmax(q [k, k_ref]^T / sqrt(d)) [v, v_ref]

There is no query, no MLP and no residual stream of the reference, and R does not depend on time:
k_ref and v_ref are computed once per reference.

The zero-init trap: at the start up_v and up_k are zero, so every reference token has logit 0 and
value 0. It still takes its share of the softmax, so the released ("joint") form is *not* Kontext at
step 0. Two ways out: a learned bias on the reference's logits that starts low, or the "separate"
form, a second softmax over the reference alone that is added to the first, which starts as an exact
identity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux import FluxAttention, FluxTransformer2DModel
from torch import Tensor, nn

from models.diffusion.negative_attention import NegativeAttention

Form = Literal["joint", "separate"]


@dataclass(frozen=True)
class Reference:
    """Keys and values of a batch of references in every attention layer.

    Attributes:
        keys: a tensor (B, N, heads, head_dim) for each layer, normalised and rotated.
        values: likewise.
        form: "joint" or "separate", see above.
        logit_bias: (layers,) added to the reference's logits in the joint form, or None.
        weights: (B, N) in 0..1, how much each reference token counts, or None for 1: the share it
            takes in the joint softmax is multiplied by it; in the separate form its value is.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    form: Form = "joint"
    logit_bias: Tensor | None = None
    weights: Tensor | None = None


def rotated(heads: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary position embedding of (B, N, heads, head_dim); `rotary` is (N, head_dim) twice."""
    return apply_rotary_emb(heads, rotary, sequence_dim=1)  # pyright: ignore


class ImageProjection(nn.Module):
    """From packed latents of the reference to the tokens R: `ImageProjModel` of the released code.

    Args:
        channels: of a packed latent, 64 in FLUX.
        dim: width of the transformer.
    """

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Sequential(nn.Linear(channels, dim), nn.GELU(), nn.Linear(dim, dim))
        self.norm = nn.LayerNorm(dim)

    def forward(self, latents: Tensor) -> Tensor:
        """(B, N, channels) to (B, N, dim)."""
        return self.norm(self.proj(latents))


class ReferenceProjection(nn.Module):
    """Low-rank keys and values of one attention layer.

    Args:
        dim: width of the transformer.
        rank: of both projections.
        head_dim: width of one head.
    """

    def __init__(self, dim: int, rank: int, head_dim: int) -> None:
        super().__init__()
        self.head_dim = head_dim
        self.ref_to_k_lora_down = nn.Linear(dim, rank, bias=False)
        self.ref_to_k_lora_up = nn.Linear(rank, dim, bias=False)
        self.ref_to_v_lora_down = nn.Linear(dim, rank, bias=False)
        self.ref_to_v_lora_up = nn.Linear(rank, dim, bias=False)
        self.ref_norm_k = nn.RMSNorm(head_dim, eps=1e-5, elementwise_affine=False)

    def forward(self, tokens: Tensor, rotary: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return keys and values, (B, N, heads, head_dim) each.

        Args:
            tokens: R, (B, N, dim).
            rotary: cosine and sine of the tokens' positions, (N, head_dim) each.
        """
        heads = (-1, self.head_dim)
        keys = self.ref_to_k_lora_up(self.ref_to_k_lora_down(tokens)).unflatten(-1, heads)
        values = self.ref_to_v_lora_up(self.ref_to_v_lora_down(tokens)).unflatten(-1, heads)
        return rotated(self.ref_norm_k(keys), rotary), values


class ReferenceAttnProcessor:
    """FLUX's attention with a reference; without one it computes what FluxAttnProcessor does.

    The transformer hands `reference`, a Reference, and `negative`, a NegativeAttention, to it as
    `joint_attention_kwargs`; either may be left out. With both, the picture attends to the
    reference beside either prompt.

    Args:
        layer: number of the attention layer, double-stream blocks first.
    """

    def __init__(self, layer: int) -> None:
        self.layer = layer

    def __call__(
        self,
        attn: FluxAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
        reference: Reference | None = None,
        negative: NegativeAttention | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend; shapes and results are those of FluxAttnProcessor."""
        heads = (-1, attn.head_dim)
        query = attn.norm_q(attn.to_q(hidden_states).unflatten(-1, heads))
        key = attn.norm_k(attn.to_k(hidden_states).unflatten(-1, heads))
        value = attn.to_v(hidden_states).unflatten(-1, heads)
        if encoder_hidden_states is not None:  # a double-stream block: text comes first
            text = encoder_hidden_states
            text_query = attn.norm_added_q(attn.add_q_proj(text).unflatten(-1, heads))
            text_key = attn.norm_added_k(attn.add_k_proj(text).unflatten(-1, heads))
            query = torch.cat([text_query, query], dim=1)
            key = torch.cat([text_key, key], dim=1)
            value = torch.cat([attn.add_v_proj(text).unflatten(-1, heads), value], dim=1)
        if image_rotary_emb is not None:
            query = rotated(query, image_rotary_emb)
            key = rotated(key, image_rotary_emb)

        def attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            if reference is None:
                return dispatch_attention_fn(query, key, value, attn_mask=attention_mask)
            return attend(query, key, value, reference, self.layer)

        if negative is None:
            mixed = attention(query, key, value)
        else:
            mixed = negative.attend(attention, query, key, value)
        mixed = mixed.flatten(2, 3).to(query.dtype)
        if encoder_hidden_states is None:
            return mixed
        length = encoder_hidden_states.shape[1]
        text_out, image_out = mixed[:, :length], mixed[:, length:]
        return attn.to_out[1](attn.to_out[0](image_out)), attn.to_add_out(text_out)


def attend(query: Tensor, key: Tensor, value: Tensor, reference: Reference, layer: int) -> Tensor:
    """Attend to the sequence's own keys and to those of a reference.

    Args:
        query: (B, S, heads, head_dim); text, target and source all attend to the reference.
        key: (B, S, heads, head_dim).
        value: (B, S, heads, head_dim).
        reference: of the same batch, or of one that all of it shares.
        layer: number of the attention layer.

    Returns:
        (B, S, heads, head_dim).
    """
    batch = len(query)
    ref_key = reference.keys[layer].to(query.dtype).expand(batch, -1, -1, -1)
    ref_value = reference.values[layer].to(query.dtype).expand(batch, -1, -1, -1)
    weights = reference.weights
    if reference.form == "separate":
        if weights is not None:
            ref_value = ref_value * weights.to(query.dtype)[:, :, None, None]
        own = dispatch_attention_fn(query, key, value)
        return own + dispatch_attention_fn(query, ref_key, ref_value)
    bias = None
    if weights is not None or reference.logit_bias is not None:
        bias = query.new_zeros(batch, 1, 1, key.shape[1] + ref_key.shape[1])
        added = query.new_zeros(batch, ref_key.shape[1])
        if weights is not None:  # log w: the exponential of the softmax makes it a factor
            added = added + weights.to(query.dtype).log()
        if reference.logit_bias is not None:
            added = added + reference.logit_bias[layer].to(query.dtype)
        bias = torch.cat([bias[..., : key.shape[1]], added[:, None, None]], dim=-1)
    keys, values = torch.cat([key, ref_key], dim=1), torch.cat([value, ref_value], dim=1)
    return dispatch_attention_fn(query, keys, values, attn_mask=bias)


def attention_layers(transformer: FluxTransformer2DModel) -> list[FluxAttention]:
    """All attention layers, double-stream blocks first: 19 + 38 in FLUX."""
    blocks = [*transformer.transformer_blocks, *transformer.single_transformer_blocks]
    return [block.attn for block in blocks]  # pyright: ignore[reportReturnType]


def install_reference_attention(transformer: FluxTransformer2DModel) -> None:
    """Make every attention layer take `reference` and `negative` in `joint_attention_kwargs`."""
    for layer, attention in enumerate(attention_layers(transformer)):
        attention.set_processor(ReferenceAttnProcessor(layer))  # pyright: ignore
