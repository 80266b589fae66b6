"""Where MC-VTON's weights are, what lacks, and how they are put together.

The authors published no weights: adapters come from `python -m training.train_mcvton`.

    MIRRA_MCVTON      its `weights` folder, or a folder that `save_pretrained` wrote
    MIRRA_FLUX_DEV    a local folder or a hub id; FLUX.1-dev on the hub if unset
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from models.errors import WeightsError
from pipelines.flux import (
    Loading,
    is_in_cache,
    load_quantized_transformer,
    place_pipeline,
    translate_loading_errors,
)

if TYPE_CHECKING:
    import torch

    from pipelines.tryon.pipeline_mcvton import MCVTONPipeline

FLUX_DEV = "black-forest-labs/FLUX.1-dev"
ADAPTERS = ("person", "garment", "prompt")


class _Settings(TypedDict):
    dtype: torch.dtype


def locate_adapters() -> Path | None:
    """Folder that MIRRA_MCVTON names, if it is set."""
    named = os.environ.get("MIRRA_MCVTON")
    return Path(named) if named else None


def list_missing(adapters: Path | None = None, base: str | None = None) -> list[str]:
    """What must be had before MC-VTON can run here, in words; nothing is loaded or fetched."""
    adapters = adapters or locate_adapters()
    base = base or os.environ.get("MIRRA_FLUX_DEV") or FLUX_DEV
    lacks = [] if importlib.util.find_spec("accelerate") else ["the library accelerate"]
    if adapters is None:
        lacks.append("trained adapters (python -m training.train_mcvton; set MIRRA_MCVTON)")
    elif is_whole(adapters):
        return lacks
    else:
        absent = [name for name in ADAPTERS if not (adapters / name / "config.json").is_file()]
        lacks += [f"{name} in {adapters}" for name in absent]
    if not Path(base).is_dir() and not is_in_cache(base, "transformer/config.json"):
        lacks.append(f"{base} (24 GB without its text encoders; accept its licence on the hub)")
    return lacks


def is_whole(folder: Path) -> bool:
    """Whether a folder holds a pipeline and not only its adapters."""
    return (folder / "model_index.json").is_file()


def load_mcvton(
    adapters: Path | None = None,
    base: str | None = None,
    how: Loading | None = None,
    size_hw: tuple[int, int] = (1024, 768),
) -> MCVTONPipeline:
    """Load MC-VTON.

    Args:
        adapters: a training's `weights` folder or a whole pipeline's; MIRRA_MCVTON when None.
        base: folder or hub id of FLUX.1-dev; MIRRA_FLUX_DEV or the hub's when None. A whole
            pipeline needs none.
        how: how the transformer is kept in memory.
        size_hw: what the adapters were trained at; a whole pipeline knows.

    Raises:
        WeightsError: weights, licence, library or memory are lacking; `reason` says which.
    """
    import torch

    from models import devices
    from pipelines.tryon.pipeline_mcvton import MCVTONPipeline

    how = how or Loading()
    adapters = adapters or locate_adapters()
    base = base or os.environ.get("MIRRA_FLUX_DEV") or FLUX_DEV
    if adapters is None:
        raise WeightsError("MC-VTON's adapters are trained, not downloaded", needed="MIRRA_MCVTON")
    device = devices.pick(how.device)
    settings: _Settings = {"dtype": devices.dtype_of(device)}
    with translate_loading_errors(str(adapters if is_whole(adapters) else base)):
        if is_whole(adapters):
            pipe = MCVTONPipeline.from_pretrained(adapters, **settings)
        else:
            pipe = _assembled(adapters, base, how, size_hw, settings)
        place_pipeline(pipe, how.offload, device)
    assert isinstance(pipe.transformer, torch.nn.Module)
    return pipe


def _assembled(
    adapters: Path, base: str, how: Loading, size_hw: tuple[int, int], settings: _Settings
) -> MCVTONPipeline:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
        FlowMatchEulerDiscreteScheduler,
    )

    from models.mcvton.adapters import BranchLoRA
    from models.mcvton.prompt import FixedPrompt
    from pipelines.tryon.pipeline_mcvton import MCVTONPipeline

    absent = [name for name in ADAPTERS if not (adapters / name / "config.json").is_file()]
    if absent:
        raise WeightsError(f"{adapters} lacks {', '.join(absent)}", found=str(adapters))
    if how.gguf or how.quantise != "none":
        transformer = load_quantized_transformer(base, how, settings["dtype"])
    else:
        transformer = FluxTransformer2DModel.from_pretrained(
            base, subfolder="transformer", **settings
        )
    student = adapters / "student"
    scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(base, subfolder="scheduler")
    assert isinstance(scheduler, FlowMatchEulerDiscreteScheduler)
    return MCVTONPipeline(
        scheduler,
        AutoencoderKL.from_pretrained(base, subfolder="vae", **settings),
        transformer,
        FixedPrompt.from_pretrained(adapters / "prompt"),
        BranchLoRA.from_pretrained(adapters / "person"),
        BranchLoRA.from_pretrained(adapters / "garment"),
        BranchLoRA.from_pretrained(student) if student.is_dir() else None,
        *size_hw,
    )
