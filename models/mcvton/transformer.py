"""FLUX with a memory: the conditions pass through once, the noise attends to them at every step.

Tokens are [text; X_t; Z_mp; Z_g]: prompt, noise, masked person, garment. The conditions see only
themselves and are modulated as at t = 0, so what they give to the noise, their keys and values in
every layer, is the same at each step. Here that attention mask is not a mask: each condition has a
pass of its own, which fills a `Memory`, and the noise's pass reads it.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux import FluxAttention, FluxTransformer2DModel
from torch import Tensor

from models.diffusion.flux_tokens import TARGET, pack, position_ids, unpack
from models.diffusion.lora import attach
from models.errors import ShapeError
from models.mcvton.adapters import BranchLoRA
from models.mcvton.prompt import FixedPrompt


@dataclass
class Memory:
    """Keys and values of condition tokens, layer by layer.

    Attributes:
        layers: layer number -> (keys, values), each (B, tokens, heads, head width), keys rotated.
    """

    layers: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def taken_with(self, other: Memory) -> Memory:
        """Return the memory of both, this one's tokens first.

        Both are emptied on the way: at 1024 x 768 each weighs 2.2 GB in bf16.
        """
        both = Memory()
        for layer in list(self.layers):
            pairs = zip(self.layers.pop(layer), other.layers.pop(layer), strict=True)
            keys, values = (torch.cat(pair, 1) for pair in pairs)
            both.layers[layer] = keys, values
        return both


class MemoryAttnProcessor:
    """FLUX's attention, which can write its keys and values into a memory or read more from one.

    Args:
        layer: number of the attention layer, counted from 0 over both kinds of blocks.
    """

    _attention_backend = None  # set by diffusers' `set_attention_backend`
    _parallel_config = None

    def __init__(self, layer: int) -> None:
        self.layer = layer

    def __call__(
        self,
        attn: FluxAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None,
        attention_mask: Tensor | None,
        image_rotary_emb: tuple[Tensor, Tensor],
        written: Memory | None = None,
        read: Memory | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend; a memory that is read with batch size 1 serves the whole batch."""

        def heads(x: Tensor) -> Tensor:
            return x.unflatten(-1, (-1, attn.head_dim))

        query = attn.norm_q(heads(attn.to_q(hidden_states)))
        key = attn.norm_k(heads(attn.to_k(hidden_states)))
        value = heads(attn.to_v(hidden_states))
        text = 0
        if encoder_hidden_states is not None:  # double blocks: the prompt has its own projections
            text = encoder_hidden_states.shape[1]
            text_query = attn.norm_added_q(heads(attn.add_q_proj(encoder_hidden_states)))
            text_key = attn.norm_added_k(heads(attn.add_k_proj(encoder_hidden_states)))
            query = torch.cat([text_query, query], 1)
            key = torch.cat([text_key, key], 1)
            value = torch.cat([heads(attn.add_v_proj(encoder_hidden_states)), value], 1)
        query, key = rotated(query, image_rotary_emb), rotated(key, image_rotary_emb)
        if written is not None:
            written.layers[self.layer] = key, value
        if read is not None:
            more = [x.expand(len(key), -1, -1, -1) for x in read.layers[self.layer]]
            key, value = torch.cat([key, more[0]], 1), torch.cat([value, more[1]], 1)
        out = dispatch_attention_fn(
            query,
            key,
            value,
            attn_mask=attention_mask,
            backend=self._attention_backend,
            parallel_config=self._parallel_config,
        )
        out = out.flatten(2, 3).to(query.dtype)
        if encoder_hidden_states is None:
            return out
        image = attn.to_out[1](attn.to_out[0](out[:, text:].contiguous()))
        return image, attn.to_add_out(out[:, :text].contiguous())


def rotated(x: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Turn (B, tokens, heads, head width) by cosines and sines of the tokens' places."""
    turned = apply_rotary_emb(x, rotary, sequence_dim=1)  # pyright: ignore[reportArgumentType]
    assert isinstance(turned, Tensor)
    return turned


class MinimalControl:
    """A FLUX transformer with the two conditions of MC-VTON; all latents are (B, C, H, W).

    Args:
        transformer: FLUX.1-dev; its attention processors are replaced, its weights stay.
        person: MP-LoRA, at work on the masked person's tokens.
        garment: G-LoRA, at work on the garment's tokens.
        prompt: the one prompt the model knows.
        noise: D-LoRA, at work on noise and prompt; None leaves them to the frozen weights.

    Raises:
        CheckpointError: an adapter is for another transformer.
    """

    def __init__(
        self,
        transformer: FluxTransformer2DModel,
        person: BranchLoRA,
        garment: BranchLoRA,
        prompt: FixedPrompt,
        noise: BranchLoRA | None = None,
    ) -> None:
        self.transformer, self.prompt = transformer, prompt
        self.person, self.garment, self.noise = person, garment, noise
        names = transformer.attn_processors
        transformer.set_attn_processor(
            {name: MemoryAttnProcessor(i) for i, name in enumerate(names)}  # pyright: ignore[reportArgumentType]
        )
        for lora in (person, garment, noise):
            if lora is not None:
                attach(transformer, lora.updates)

    def remember(self, masked_person: Tensor, garment: Tensor) -> Memory:
        """Pass both conditions through the transformer, each with its LoRA.

        The masked person shares the noise's places; the garment's lie one picture to the left.

        Raises:
            ShapeError: the two differ in size, or a side is odd.
        """
        if masked_person.shape != garment.shape or masked_person.shape[-1] % 2:
            raise ShapeError(
                "masked person and garment need latents of one even size",
                found=(tuple(masked_person.shape), tuple(garment.shape)),
            )
        with self.person.applied():
            person = self._write(masked_person, 0)
        with self.garment.applied():
            return person.taken_with(self._write(garment, -garment.shape[-1] // 2))

    def _write(self, condition: Tensor, shift: int) -> Memory:
        """Pass one condition through alone: no prompt, t = 0, guidance 1 as in training."""
        memory = Memory()
        at_zero = condition.new_zeros(len(condition))
        self._pass(condition, at_zero, 1.0, shift, text=0, written=memory)
        return memory

    def velocity(
        self,
        latents: Tensor,
        sigma: Tensor,
        memory: Memory | None,
        guidance: float = 1.0,
        *,
        distilled: bool = False,
    ) -> Tensor:
        """Return v = noise - picture as the transformer sees it, shaped like `latents`.

        Args:
            latents: X_t = (1 - sigma) picture + sigma noise.
            sigma: (B,) in [0, 1].
            memory: of the conditions; None generates without any.
            guidance: FLUX.1-dev's embedded guidance.
            distilled: with the D-LoRA, if there is one.
        """
        applied = self.noise.applied() if distilled and self.noise else nullcontext()
        with applied:
            tokens = self._pass(latents, sigma, guidance, 0, text=None, read=memory)
        return unpack(tokens, latents.shape[-2] // 2, latents.shape[-1] // 2)

    def _pass(
        self,
        latents: Tensor,
        sigma: Tensor,
        guidance: float,
        shift: int,
        text: int | None,
        **memory: Memory | None,
    ) -> Tensor:
        """Run the transformer on latents and the first `text` tokens of the prompt (None: all)."""
        latents = latents.to(self.transformer.dtype)
        like = {"device": latents.device, "dtype": latents.dtype}
        embeds = self.prompt.embeds[:, :text].expand(len(latents), -1, -1).to(**like)
        rows, columns = latents.shape[-2] // 2, latents.shape[-1] // 2
        ids = position_ids(rows, columns, TARGET, shift).to(**like)
        takes_guidance = self.transformer.config["guidance_embeds"]
        return self.transformer(
            hidden_states=pack(latents),
            encoder_hidden_states=embeds,
            pooled_projections=self.prompt.pooled.expand(len(latents), -1).to(**like),
            timestep=sigma,
            img_ids=ids,
            txt_ids=ids.new_zeros(embeds.shape[1], 3),
            guidance=sigma.new_full((len(latents),), guidance) if takes_guidance else None,
            joint_attention_kwargs=memory,
            return_dict=False,
        )[0]
