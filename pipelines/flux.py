"""Loading pipelines built on FLUX: where the weights are, how they fit, what is wrong.

The base is MIRRA_FLUX, a local folder or a hub id; FLUX.1-Kontext-dev on the hub if unset. A folder
that already holds a whole pipeline of ours (`injector` in its model_index.json, as `mirra models
tiny` writes) is loaded as it is.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from models.errors import CheckpointError, WeightsError

if TYPE_CHECKING:
    import torch
    from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from models.reflora.injector import RefLoRAInjector
    from pipelines.makeup.pipeline_flux_makeup import FluxMakeupPipeline

KONTEXT = "black-forest-labs/FLUX.1-Kontext-dev"
REFLORA = "qihoo360/FLUX-Makeup"
REFLORA_FILE = "checkpoint.pt"
LIBRARIES = ("transformers", "accelerate", "sentencepiece", "peft")

Offload = Literal["none", "model", "group", "sequential"]
Quantise = Literal["none", "nf4", "int8"]


@dataclass(frozen=True)
class Loading:
    """How a FLUX is kept in memory.

    Attributes:
        device: "auto", "cpu", "cuda:1", ...
        offload: "none" keeps everything on the device; "model" one network at a time; "group" one
            block at a time, fetched ahead; "sequential" one layer at a time, the slowest.
        quantise: the transformer in 4 bits (nf4, bitsandbytes) or 8 (int8, torchao).
        gguf: a GGUF file to read the transformer from, already quantised.
    """

    device: str = "auto"
    offload: Offload = "none"
    quantise: Quantise = "none"
    gguf: Path | None = None


def locate_flux() -> str:
    """Folder or hub id of the base: MIRRA_FLUX, or the hub's."""
    return os.environ.get("MIRRA_FLUX") or KONTEXT


def list_missing(base: str | None = None) -> list[str]:
    """What must be had before FLUX-Makeup can run here, in words; nothing is loaded or fetched.

    Args:
        base: folder or hub id; `locate_flux()` when None.
    """
    base = base or locate_flux()
    lacks = [f"the library {name}" for name in LIBRARIES if not importlib.util.find_spec(name)]
    if Path(base).is_dir():
        index = _index(Path(base))
        if index is None:
            lacks.append("a pipeline in the folder MIRRA_FLUX names (it has no model_index.json)")
        elif "injector" not in index and not is_in_cache(REFLORA, REFLORA_FILE):
            lacks.append(f"{REFLORA_FILE} of {REFLORA} (1.5 GB)")
        return lacks
    if not is_in_cache(base, "model_index.json"):
        lacks.append(f"{base} (34 GB; accept its licence on huggingface.co, or set MIRRA_FLUX)")
    if not is_in_cache(REFLORA, REFLORA_FILE):
        lacks.append(f"{REFLORA_FILE} of {REFLORA} (1.5 GB)")
    return lacks


def load_flux_makeup(
    base: str | None = None,
    adapter: str | None = REFLORA,
    how: Loading | None = None,
    student: Path | None = None,
) -> FluxMakeupPipeline:
    """Load FLUX-Makeup, or plain Kontext.

    Args:
        base: folder or hub id; `locate_flux()` when None.
        adapter: the injector: a folder `save_pretrained` wrote, the released `checkpoint.pt`, or a
            hub id; None for plain Kontext. A base that holds an injector needs none.
        how: how it is kept in memory.
        student: weights of a few-step student, see `load_student`.

    Raises:
        WeightsError: weights, licence, library or memory are lacking; `reason` says which.
        CheckpointError: the injector's or the student's file is damaged or does not fit.
    """
    how = how or Loading()
    base = base or locate_flux()
    lacking = [name for name in LIBRARIES if not importlib.util.find_spec(name)]
    if lacking:
        raise WeightsError(f"{lacking[0]} is not installed", reason="package", needed=lacking[0])
    import torch

    from models import devices
    from pipelines.makeup.pipeline_flux_makeup import FluxMakeupPipeline

    device = devices.pick(how.device)
    dtype = devices.dtype_of(device)
    with translate_loading_errors(base):
        parts: dict[str, FluxTransformer2DModel] = {}
        if how.gguf or how.quantise != "none":
            parts["transformer"] = load_quantized_transformer(base, how, dtype)
        whole = Path(base).is_dir() and "injector" in (_index(Path(base)) or {})
        pipe = FluxMakeupPipeline.from_pretrained(base, dtype=dtype, **parts)
        if adapter is not None and not whole:
            injector = _injector(adapter, pipe.transformer)
            torch.nn.Module.to(injector, dtype)
            pipe.register_modules(injector=injector)
            injector.install(pipe.transformer)
        if student is not None:
            load_student(pipe, student)
        place_pipeline(pipe, how.offload, device)
    assert isinstance(pipe.transformer, torch.nn.Module)
    return pipe


def load_student(pipe: FluxMakeupPipeline, weights: Path) -> None:
    """Let a pipeline paint in a student's few steps.

    Args:
        pipe: of the student's teacher; not offloaded yet.
        weights: folder that a low-rank run of `training.train_distill` left, with `student` and
            `sampler.json`.

    Raises:
        CheckpointError: there is no such student, or it is another transformer's.
    """
    from torch import nn

    from models.diffusion.few_step import FewStepSampler
    from models.diffusion.flux_student import StudentLoRA
    from models.diffusion.lora import attach

    sampler = FewStepSampler.from_file(weights / "sampler.json")
    try:
        student = StudentLoRA.from_pretrained(weights / "student")
    except OSError as error:
        raise CheckpointError(f"{weights} holds no low-rank student: {error}") from error
    transformer = cast("FluxTransformer2DModel", pipe.transformer)
    attach(transformer, student.layers)
    pipe.register_modules(student=nn.Module.to(student, transformer.device, transformer.dtype))
    pipe.register_to_config(few_step={"times": list(sampler.times), "noise": sampler.noise})


@contextmanager
def translate_loading_errors(base: str) -> Iterator[None]:
    """Turn what loading and running a FLUX can raise into a WeightsError with its reason.

    Args:
        base: what was asked for, for the message.
    """
    import torch
    from huggingface_hub.errors import (
        GatedRepoError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    try:
        yield
    except GatedRepoError as error:
        raise WeightsError(f"{base} is behind a licence", reason="gated", found=base) from error
    except RepositoryNotFoundError as error:
        raise WeightsError(f"there is no {base} on the hub", found=base) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, ConnectionError) as error:
        raise WeightsError(f"{base} cannot be fetched", reason="offline", found=base) from error
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise WeightsError(f"{base} does not fit into memory", reason="memory") from error
    except ImportError as error:
        raise WeightsError(f"a library is lacking: {error}", reason="package") from error
    except (OSError, ValueError) as error:
        reason = "offline" if "offline" in str(error).lower() else "missing"
        raise WeightsError(f"{base} cannot be read: {error}", reason=reason, found=base) from error


def load_quantized_transformer(
    base: str, how: Loading, dtype: torch.dtype
) -> FluxTransformer2DModel:
    """The transformer alone, quantised."""
    from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
    from diffusers.quantizers.quantization_config import (
        BitsAndBytesConfig,
        GGUFQuantizationConfig,
        TorchAoConfig,
    )

    if how.gguf:
        config = GGUFQuantizationConfig(compute_dtype=dtype)
        return FluxTransformer2DModel.from_single_file(
            str(how.gguf),
            quantization_config=config,
            dtype=dtype,
            config=base,
            subfolder="transformer",
        )
    if how.quantise == "nf4":
        config = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
        )
    else:
        torchao = importlib.import_module("torchao.quantization")  # an optional library
        config = TorchAoConfig(torchao.Int8WeightOnlyConfig())
    return FluxTransformer2DModel.from_pretrained(
        base, subfolder="transformer", quantization_config=config, dtype=dtype
    )


def _injector(adapter: str, transformer: FluxTransformer2DModel) -> RefLoRAInjector:
    from models.reflora.checkpoint import load_official
    from models.reflora.injector import RefLoRAInjector

    path = Path(adapter)
    if path.is_dir():
        return RefLoRAInjector.from_pretrained(path)
    if not path.is_file():
        from huggingface_hub import hf_hub_download

        path = Path(hf_hub_download(adapter, REFLORA_FILE))
    return load_official(path, transformer)


def place_pipeline(pipe: DiffusionPipeline, offload: Offload, device: torch.device) -> None:
    """Bring a pipeline to its device, or let it be fetched there piece by piece."""
    if offload == "model":
        pipe.enable_model_cpu_offload(device=device)
    elif offload == "sequential":
        pipe.enable_sequential_cpu_offload(device=device)
    elif offload == "group":
        pipe.enable_group_offload(onload_device=device, offload_type="leaf_level")
    else:
        pipe.to(device)


def _index(folder: Path) -> dict[str, object] | None:
    path = folder / "model_index.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def is_in_cache(repo: str, file: str) -> bool:
    """Whether a file of the hub is on this machine."""
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repo, file), str)
