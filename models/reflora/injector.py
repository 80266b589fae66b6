"""RefLoRAInjector: what FLUX-Makeup adds to FLUX.1-Kontext, 717,225,984 + 9,646,080 parameters."""

from __future__ import annotations

import math

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.transformers.transformer_flux import FluxPosEmbed, FluxTransformer2DModel
from torch import Tensor, nn

from models.diffusion.flux_tokens import REFERENCE, position_ids
from models.errors import CheckpointError
from models.reflora.layers import (
    Form,
    ImageProjection,
    Reference,
    ReferenceProjection,
    install_reference_attention,
)


class RefLoRAInjector(ModelMixin, ConfigMixin):
    """Turns a reference picture into keys and values for each of FLUX's attention layers.

        injector.install(transformer)
        reference = injector(latents, rows, columns)   # once per reference, kept over all steps
        transformer(..., joint_attention_kwargs={"reference": reference})

    Args:
        num_layers: attention layers of the transformer: 19 double- and 38 single-stream blocks.
        dim: width of the transformer.
        head_dim: width of one head.
        channels: of a packed latent.
        rank: of the low-rank keys and values; 1024 in the released weights.
        axes_dims_rope: how a head's width is shared by kind, row and column.
        form: "joint", the released one, or "separate", an exact identity at the start.
        logit_bias: start of a learned bias on the reference's logits (joint form), for instance -8;
            None, as released, has none.
    """

    _supports_gradient_checkpointing = False

    @register_to_config
    def __init__(
        self,
        num_layers: int = 57,
        dim: int = 3072,
        head_dim: int = 128,
        channels: int = 64,
        rank: int = 1024,
        axes_dims_rope: tuple[int, ...] = (16, 56, 56),
        form: Form = "joint",
        logit_bias: float | None = None,
    ) -> None:
        super().__init__()
        self.form: Form = form
        self.image_projection = ImageProjection(channels, dim)
        self.layers = nn.ModuleList(
            [ReferenceProjection(dim, rank, head_dim) for _ in range(num_layers)]
        )
        self.positions = FluxPosEmbed(theta=10000, axes_dim=list(axes_dims_rope))
        self.ref_logit_bias = (
            None if logit_bias is None else nn.Parameter(torch.full((num_layers,), logit_bias))
        )

    @classmethod
    def for_transformer(
        cls,
        transformer: FluxTransformer2DModel,
        rank: int = 1024,
        form: Form = "joint",
        logit_bias: float | None = None,
    ) -> RefLoRAInjector:
        """An injector whose sizes are the transformer's; weights are not drawn yet, see `draw`."""
        return cls(
            **sizes_of(transformer),
            rank=rank,
            axes_dims_rope=tuple(transformer.config["axes_dims_rope"]),
            form=form,
            logit_bias=logit_bias,
        )

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> RefLoRAInjector:
        """Draw the first weights: `down` and the image projection uniform, `up` zero."""
        for name, parameter in self.named_parameters():
            if name.endswith("lora_up.weight"):
                nn.init.zeros_(parameter)
            elif parameter.ndim == 2:
                nn.init.kaiming_uniform_(parameter, a=math.sqrt(5), generator=generator)
            elif "proj." in name:  # its biases; the norm keeps ones and zeros
                nn.init.zeros_(parameter)
        return self

    def install(self, transformer: FluxTransformer2DModel) -> None:
        """Let a transformer attend to what `forward` returns.

        Raises:
            CheckpointError: the transformer has other sizes.
        """
        found = sizes_of(transformer)
        needed = {key: self.config[key] for key in found}
        if found != needed:
            raise CheckpointError(
                f"the injector is made for a transformer of {needed}, and this one has {found}",
                found=found,
                needed=needed,
            )
        install_reference_attention(transformer)

    def forward(
        self, latents: Tensor, rows: int, columns: int, weights: Tensor | None = None
    ) -> Reference:
        """Compute keys and values of a batch of references.

        Args:
            latents: (B, rows * columns, channels), packed latents of the references.
            rows: of tokens.
            columns: of tokens.
            weights: (B, rows * columns) in 0..1, how much each token counts; None for 1.
        """
        tokens = self.image_projection(latents)
        # ids (2, i, j - W/16): the reference lies to the left of the target
        ids = position_ids(rows, columns, REFERENCE, shift=-columns).to(latents.device)
        rotary = self.positions(ids)
        pairs = [layer(tokens, rotary) for layer in self.layers]
        keys, values = zip(*pairs, strict=True)
        return Reference(keys, values, self.form, self.ref_logit_bias, weights)


def sizes_of(transformer: FluxTransformer2DModel) -> dict[str, int]:
    """What an injector must have in common with its transformer."""
    config = transformer.config
    return {
        "num_layers": config["num_layers"] + config["num_single_layers"],
        "dim": config["num_attention_heads"] * config["attention_head_dim"],
        "head_dim": config["attention_head_dim"],
        "channels": config["in_channels"],
    }
