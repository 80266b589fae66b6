"""Train MC-VTON: the two condition LoRAs of FLUX.1-dev, then its 8-step student.

python -m training.train_mcvton tiny                                       # seconds, made-up data
python -m training.train_mcvton tryon_24gb --base FLUX --data DATA/viton --cache CACHE
python -m training.train_mcvton student_24gb --base FLUX --data DATA/viton --cache CACHE \
    --adapters W
FLUX is black-forest-labs/FLUX.1-dev or a folder like it, W the `weights` folder of a checkpoint.
Stop a command and run it again to go on. All of it with a toy, in minutes on a CPU:
python -m training.train_mcvton toy_base                                   # leaves a FLUX folder, F
python -m training.train_mcvton toy_tryon --base F
python -m training.train_mcvton toy_student --base F --adapters W
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor

from models import devices, seeding
from models.errors import TrainingError
from models.mcvton.adapters import DISTILLED, GARMENT, PERSON, BranchLoRA, save_activations
from models.mcvton.discriminator import TokenHeads
from models.mcvton.prompt import FixedPrompt
from models.mcvton.sampling import flux_sigmas
from models.mcvton.transformer import MinimalControl
from models.ops.vae import encode
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.latents import LatentTryOn, encode_all, pictures_of
from training.data.tryon import TryOnData
from training.data.wardrobe import MadeUpWardrobe
from training.flux_base import load_prompt, load_scheduler, load_transformer, load_vae
from training.gallery import Gallery
from training.loop import Trainer
from training.methods.mcvton import StudentMethod, ToyBaseMethod, TryOnMethod

STEPS = 8  # of the student


@dataclass(frozen=True)
class MCVTONConfig(RunConfig):
    """Training of the adapters (tryon), of the 8-step student, or of a toy in FLUX's place."""

    stage: Literal["toy_base", "tryon", "student"] = "tryon"
    # Folder with `transformer`, `vae` and text encoders, or a hub id; an untrained toy if left out.
    base: str | None = None
    # Folder of VITON's tars; made-up data if left out. Latents are kept in `cache`.
    data: Path | None = None
    cache: Path = Path("cache")
    size_hw: tuple[int, int] = (32, 24)
    # A `weights` folder of stage `tryon`, for the student.
    adapters: Path | None = None
    drop: float = 0.1
    # The student's losses; 0 trains without a discriminator.
    reconstruct: float = 1.0
    adversarial: float = 0.0
    # Transformer blocks the discriminator listens to.
    listens_to: tuple[int, ...] = (4, 12, 24, 40)
    # What a large transformer needs to fit: 4-bit weights, and blocks recomputed backwards.
    nf4: bool = False
    recompute: bool = False


def _preset(line: str, name: str, steps: int, batch: int, lr: float, **more: Any) -> Any:
    loop = LoopConfig(steps=steps, batch=batch, save_every=min(steps, 500), threads=1)
    optim = OptimConfig(lr=lr, weight_decay=0.01, clip=1.0)
    return line, MCVTONConfig(name=f"mcvton-{name}", loop=loop, optim=optim, **more)


# By `training.memory`: 24 GB cards take 4-bit weights and a quarter of the pixels.
CARD_24: dict[str, Any] = {"size_hw": (512, 384), "recompute": True, "nf4": True}
CARD_80: dict[str, Any] = {"size_hw": (1024, 768), "recompute": True}
STUDENT: dict[str, Any] = {"stage": "student", "adversarial": 0.1}
TOY_STUDENT: dict[str, Any] = {"stage": "student", "listens_to": (1, 3)}
PRESETS: dict[str, tuple[str, MCVTONConfig]] = {
    "tiny": _preset("Five steps of stage 1, an untrained toy.", "tiny", 5, 2, 1e-3),
    "tiny_student": _preset(
        "Five steps of stage 2.", "tiny_student", 5, 2, 1e-3, **TOY_STUDENT, adversarial=0.1
    ),
    "toy_base": _preset("A toy FLUX.", "toy_base", 500, 16, 3e-3, stage="toy_base"),
    "toy_tryon": _preset("Stage 1 on the toy.", "toy_tryon", 900, 8, 4e-3),
    "toy_student": _preset("Stage 2 on the toy.", "toy_student", 400, 8, 1e-3, **TOY_STUDENT),
    "tryon_24gb": _preset("Stage 1, 512x384, 4-bit.", "tryon-512", 20000, 4, 1e-4, **CARD_24),
    "tryon_80gb": _preset("Stage 1, 1024x768.", "tryon-1024", 20000, 4, 1e-4, **CARD_80),
    "student_24gb": _preset(
        "Stage 2, 512x384, 4-bit.", "student-512", 10000, 4, 5e-5, **CARD_24, **STUDENT
    ),
    "student_80gb": _preset(
        "Stage 2, 1024x768.", "student-1024", 10000, 4, 5e-5, **CARD_80, **STUDENT
    ),
}


def build(config: MCVTONConfig) -> Trainer:
    """Return the trainer of one stage.

    Raises:
        TrainingError: a student is to be trained on a real base without stage 1's adapters.
    """
    if config.stage == "student" and config.base is not None and config.adapters is None:
        raise TrainingError("stage 2 needs --adapters: the weights folder that stage 1 left")
    device, seed = devices.pick(), config.loop.seed
    # T5 first, so that it is gone before the transformer comes.
    prompt = load_prompt(config.base, config.cache, seed)
    prompt.to(device)  # pyright: ignore
    vae = load_vae(config.base)
    vae.to(device)  # pyright: ignore
    transformer = load_transformer(config.base, device, seed, nf4=config.nf4)
    if config.recompute:
        save_activations(transformer)
    scheduler, tokens = load_scheduler(config.base), _tokens(config, vae)
    few_sigmas = flux_sigmas(scheduler, STEPS, tokens)
    control = _control(config, transformer, prompt, few_sigmas)
    data = LatentTryOn(_encoded(config, vae))
    if config.stage == "toy_base":
        return Trainer(config, ToyBaseMethod(control, vae), data, device)
    shown = _shown(config, vae)
    if config.stage == "tryon":
        gallery = Gallery(vae, shown, flux_sigmas(scheduler, 20, tokens))
        return Trainer(config, TryOnMethod(control, gallery, config.drop), data, device)
    heads = None
    if config.adversarial:
        heads = TokenHeads(transformer.inner_dim, config.listens_to)
        seeding.initialise(heads, seeding.generator_for(seed, "heads"))
    gallery = Gallery(vae, shown, few_sigmas)
    method = StudentMethod(control, gallery, heads, config.reconstruct, config.adversarial)
    return Trainer(config, method, data, device)


def _tokens(config: MCVTONConfig, vae: AutoencoderKL) -> int:
    """Return how many tokens a picture has."""
    side = 2 ** len(vae.config["block_out_channels"])  # the autoencoder's pixels, two by two
    return config.size_hw[0] // side * (config.size_hw[1] // side)


def _control(
    config: MCVTONConfig,
    transformer: FluxTransformer2DModel,
    prompt: FixedPrompt,
    sigmas: tuple[float, ...],
) -> MinimalControl:
    """Return the transformer with new adapters, or those of stage 1."""
    loras: dict[str, dict[str, Any]] = {"person": PERSON, "garment": GARMENT}
    if config.stage == "student":
        loras["student"] = {**DISTILLED, "sigmas": sigmas}
    made: dict[str, BranchLoRA] = {}
    for name, settings in loras.items():
        if config.adapters is not None and name != "student":
            made[name] = BranchLoRA.from_pretrained(config.adapters / name)
        else:
            generator = seeding.generator_for(config.loop.seed, name)
            made[name] = BranchLoRA.fitting(transformer, **settings).start(generator)
    return MinimalControl(transformer, made["person"], made["garment"], prompt, made.get("student"))


def _encoded(config: MCVTONConfig, vae: AutoencoderKL) -> Path:
    """Return the folder of latents: the run's own, or of photographs one for all runs."""
    height, width = config.size_hw
    if config.data is None:
        pictures, cache = MadeUpWardrobe(config.size_hw), config.folder
    else:
        pictures, cache = TryOnData(config.data, config.cache, config.size_hw), config.cache
    return encode_all(pictures, vae, cache / f"latents-{height}x{width}")


def _shown(config: MCVTONConfig, vae: AutoencoderKL, count: int = 6) -> dict[str, Tensor]:
    """Return latents of a few samples that are not trained on."""
    if config.data is None:
        pictures = MadeUpWardrobe(config.size_hw)
        numbers = torch.arange(len(pictures), len(pictures) + count)
    else:
        pictures = TryOnData(config.data, config.cache, config.size_hw, "validation")
        numbers = torch.arange(count)
    samples = pictures.batch(numbers, seeding.generator_for(0, "shown"))
    return {name: encode(vae, one) for name, one in pictures_of(samples).items()}


if __name__ == "__main__":
    build(from_command_line(PRESETS, __doc__ or "")).run()
