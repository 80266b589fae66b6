"""FLUX-Makeup's released `checkpoint.pt`, read without running anything that is in it.

Its keys, at the sizes of FLUX:

    transformer.transformer_blocks.{0..18}.attn.processor.ref_to_{k,v}_lora_{down,up}.weight
    transformer.single_transformer_blocks.{0..37}.attn.processor.ref_to_{k,v}_lora_{down,up}.weight
    ref_image_proj_model.proj.{0,2}.{weight,bias}    ref_image_proj_model.norm.{weight,bias}
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor

from models.errors import CheckpointError
from models.reflora.injector import RefLoRAInjector

PROJECTIONS = tuple(
    f"ref_to_{kind}_lora_{part}.weight" for kind in ("k", "v") for part in ("down", "up")
)
PROJECTOR = tuple(
    f"{layer}.{kind}" for layer in ("proj.0", "proj.2", "norm") for kind in ("weight", "bias")
)


def official_names(double_layers: int, single_layers: int) -> dict[str, str]:
    """Name in the released file -> name in our injector, for every tensor.

    Args:
        double_layers: double-stream blocks; FLUX has 19.
        single_layers: single-stream blocks; FLUX has 38.
    """
    blocks = [f"transformer_blocks.{n}" for n in range(double_layers)]
    blocks += [f"single_transformer_blocks.{n}" for n in range(single_layers)]
    names = {
        f"transformer.{block}.attn.processor.{part}": f"layers.{layer}.{part}"
        for layer, block in enumerate(blocks)
        for part in PROJECTIONS
    }
    return names | {f"ref_image_proj_model.{p}": f"image_projection.{p}" for p in PROJECTOR}


def read_official(path: Path) -> dict[str, Tensor]:
    """Read a flat dictionary of tensors saved by `torch.save`.

    Raises:
        CheckpointError: the file is missing, damaged, holds anything but tensors, or would run
            code when opened.
    """
    try:
        # The one place that reads a pickle: the weights were published as one. weights_only lets
        # the unpickler build tensors and refuse every other class or function.
        found = torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no file {path}") from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds more than tensors and was not opened: it could run code", found="code"
        ) from error
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        raise CheckpointError(f"{path} is damaged or not a checkpoint: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise CheckpointError(f"{path} is not a flat dictionary of tensors")
    return found


def injector_from_official(
    tensors: Mapping[str, Tensor],
    head_dim: int = 128,
    axes_dims_rope: tuple[int, ...] = (16, 56, 56),
) -> RefLoRAInjector:
    """Build the injector whose weights a released checkpoint holds.

    Width, rank and channels are read off the tensors; every tensor of the injector must then be
    there and fit. What else is in the file is `backbone_from_official`'s.

    Args:
        tensors: from `read_official`.
        head_dim: width of one head; the file does not tell.
        axes_dims_rope: how a head's width is shared by kind, row and column; likewise.

    Raises:
        CheckpointError: a tensor is missing or misshapen; it is named.
    """
    double, single = (
        len({m[1] for key in tensors if (m := re.match(rf"transformer\.{kind}\.(\d+)\.", key))})
        for kind in ("transformer_blocks", "single_transformer_blocks")
    )
    names = official_names(max(1, double), single)
    for key in names:
        if key not in tensors:
            raise CheckpointError(f"the checkpoint lacks {key}", needed=key)
    first = "transformer.transformer_blocks.0.attn.processor.ref_to_k_lora_down.weight"
    projector = "ref_image_proj_model.proj.0.weight"
    for key in (first, projector):
        if tensors[key].ndim != 2:
            raise CheckpointError(f"{key} is not a matrix", found=tuple(tensors[key].shape))
    with torch.device("meta"):
        injector = RefLoRAInjector(
            num_layers=double + single,
            dim=tensors[first].shape[1],
            head_dim=head_dim,
            channels=tensors[projector].shape[1],
            rank=tensors[first].shape[0],
            axes_dims_rope=axes_dims_rope,
        )
    shapes = {name: tuple(parameter.shape) for name, parameter in injector.named_parameters()}
    for key, name in names.items():
        found = tuple(tensors[key].shape)
        if found != shapes[name]:
            raise CheckpointError(
                f"{key} has the shape {found}, and {shapes[name]} is needed",
                found=found,
                needed=shapes[name],
            )
    injector.load_state_dict({name: tensors[key] for key, name in names.items()}, assign=True)
    return injector


def backbone_from_official(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of the transformer itself, by its own names, should the file hold any.

    The released loader takes such tensors into the transformer, so we must not drop them.

    Raises:
        CheckpointError: a tensor belongs neither to the injector nor to the transformer.
    """
    ours = re.compile(r"ref_image_proj_model\.|transformer\..*\.processor\.ref_to_[kv]_lora_")
    rest = {key: value for key, value in tensors.items() if not ours.match(key)}
    strangers = [key for key in rest if not key.startswith("transformer.")]
    if strangers:
        raise CheckpointError(f"the checkpoint holds an unknown {strangers[0]}", found=strangers[0])
    return {key.removeprefix("transformer."): value for key, value in rest.items()}


def load_official(path: Path, transformer: FluxTransformer2DModel) -> RefLoRAInjector:
    """Read a released checkpoint for a transformer; tensors of its own it takes in, as released.

    Raises:
        CheckpointError: the file cannot be read, or does not fit the transformer.
    """
    tensors = read_official(path)
    config = transformer.config
    injector = injector_from_official(
        tensors, config["attention_head_dim"], tuple(config["axes_dims_rope"])
    )
    injector.install(transformer)
    rest = backbone_from_official(tensors)
    state = transformer.state_dict()
    for name, value in rest.items():
        if name not in state or state[name].shape != value.shape:
            raise CheckpointError(f"transformer.{name} does not fit the transformer", found=name)
    transformer.load_state_dict(rest, strict=False)
    return injector
