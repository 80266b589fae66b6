"""Train MC-VTON: the two condition LoRAs of FLUX.1-dev, then its 8-step student.

python -m training.train_mcvton tiny                                       # seconds, synthetic data
python -m training.train_mcvton tryon_24gb --model FLUX --data DATA/viton --cache CACHE
python -m training.train_mcvton student_24gb --model FLUX --data DATA/viton --cache CACHE \
    --adapters W
FLUX is black-forest-labs/FLUX.1-dev or a folder like it, W the `weights` folder of a checkpoint.
Stop a command and run it again to go on. All of it with a toy, in minutes on a CPU:
python -m training.train_mcvton toy_base                                   # leaves a FLUX folder, F
python -m training.train_mcvton toy_tryon --model F
python -m training.train_mcvton toy_student --model F --adapters W
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor

from models import devices, seeding, tiny
from models.diffusion.lora import recompute_activations
from models.diffusion.token_discriminator import TokenHeads
from models.diffusion.vae import VAE, encode
from models.errors import TrainingError
from models.mcvton.adapters import DISTILLED, GARMENT, PERSON, BranchLoRA, BranchSettings
from models.mcvton.prompt import FixedPrompt
from models.mcvton.sampling import GUIDANCE, flux_sigmas
from models.mcvton.transformer import MinimalControl
from training.config import LoopConfig, OptimConfig, from_command_line
from training.data.tryon.batches import TryOnData
from training.data.tryon.latents import LatentTryOn, encode_all, pick_pictures
from training.data.tryon.synthetic_people import SyntheticWardrobe
from training.flux.base import load_prompt, load_scheduler, load_vae, move_to
from training.flux.trainer import FluxConfig, FluxTrainer, load_transformer
from training.flux.validation_sheet import ValidationSheet
from training.loop import Method
from training.methods.mcvton import MCVTONStudent, MCVTONToyBase, MCVTONTryOn

STEPS = 8  # of the student


@dataclass(frozen=True)
class MCVTONConfig(FluxConfig):
    """Training of the adapters (tryon), of the 8-step student, or of a toy in FLUX's place.

    `model` is FLUX.1-dev; `cache` keeps latents, in the run's folder if left out.
    """

    stage: Literal["toy_base", "tryon", "student"] = "tryon"
    # Folder of VITON's tars; so many synthetic people if left out.
    data: Path | None = None
    people: int = 512
    size_hw: tuple[int, int] = (32, 24)
    # A `weights` folder of stage `tryon`, for the student.
    adapters: Path | None = None
    drop: float = 0.1
    # Embedded guidance of validation and of the student; toys know only 1.
    guidance: float = 1.0
    # The student's losses; adversarial 0 trains without a discriminator.
    reconstruct: float = 1.0
    adversarial: float = 0.0
    # Transformer blocks whose tokens the discriminator sees.
    listens_to: tuple[int, ...] = (4, 12, 24, 40)


# What fits is reckoned by `training.memory.mcvton`; blocks are recomputed in the backward pass.
TOY = MCVTONConfig(validation=6, base="fp32")
CARD_24 = MCVTONConfig(size_hw=(512, 384), base="nf4", micro=2, guidance=GUIDANCE, validation=2)
CARD_80 = replace(CARD_24, size_hw=(1024, 768), base="bf16")


def _make_preset(
    line: str, name: str, steps: int, batch: int, lr: float, config: MCVTONConfig
) -> tuple[str, MCVTONConfig]:
    loop = LoopConfig(steps=steps, batch=batch, save_every=min(steps, 500), threads=1)
    optim = OptimConfig(lr=lr, weight_decay=0.01, clip=1.0)
    micro = batch if config.base == "fp32" else config.micro
    return line, replace(config, name=f"mcvton-{name}", loop=loop, optim=optim, micro=micro)


def _as_student(config: MCVTONConfig) -> MCVTONConfig:
    """Stage 2 on a card."""
    return replace(config, stage="student", adversarial=0.1)


TOY_STUDENT = replace(TOY, stage="student", listens_to=(1, 3))
PRESETS: dict[str, tuple[str, MCVTONConfig]] = {
    "tiny": _make_preset(
        "Five steps of stage 1, an untrained toy.", "tiny", 5, 2, 1e-3, replace(TOY, people=24)
    ),
    "tiny_student": _make_preset(
        "Five steps of stage 2.",
        "tiny_student",
        5,
        2,
        1e-3,
        replace(TOY_STUDENT, adversarial=0.1, people=24),
    ),
    "toy_base": _make_preset(
        "A toy FLUX.", "toy_base", 500, 16, 3e-3, replace(TOY, stage="toy_base")
    ),
    "toy_tryon": _make_preset("Stage 1 on the toy.", "toy_tryon", 900, 8, 4e-3, TOY),
    "toy_student": _make_preset("Stage 2 on the toy.", "toy_student", 400, 8, 1e-3, TOY_STUDENT),
    "tryon_24gb": _make_preset("Stage 1, 512x384, 4-bit.", "tryon-512", 20_000, 8, 1e-4, CARD_24),
    "tryon_80gb": _make_preset("Stage 1, 1024x768.", "tryon-1024", 20_000, 8, 1e-4, CARD_80),
    "student_24gb": _make_preset(
        "Stage 2, 512x384, 4-bit.", "student-512", 10_000, 8, 5e-5, _as_student(CARD_24)
    ),
    "student_80gb": _make_preset(
        "Stage 2, 1024x768.", "student-1024", 10_000, 8, 5e-5, _as_student(CARD_80)
    ),
}


def build(config: MCVTONConfig) -> FluxTrainer:
    """Return the trainer of one stage.

    Raises:
        TrainingError: a student is to be trained on a real base without stage 1's adapters.
    """
    if config.stage == "student" and config.model is not None and config.adapters is None:
        raise TrainingError("stage 2 needs --adapters: the weights folder that stage 1 left")
    device, seed = devices.pick(), config.loop.seed
    # T5 first, so that it is gone before the transformer comes.
    prompt = load_prompt(config.model, config.cache or config.folder, seed)
    vae = load_vae(config.model)
    move_to(vae, device)
    data = LatentTryOn(_encode_latents(config, vae))
    transformer = (
        tiny.flux_transformer(seed, layers=2, single_layers=2)
        if config.model is None
        else load_transformer(config.model, config.base)
    )
    scheduler, tokens = load_scheduler(config.model), _count_tokens(config, vae)
    few_sigmas = flux_sigmas(scheduler, STEPS, tokens)
    control = _make_control(config, transformer, prompt, few_sigmas)
    if config.base != "fp32":
        recompute_activations(transformer)
    distilled = config.stage == "student"
    sigmas = few_sigmas if distilled else flux_sigmas(scheduler, 20, tokens)
    sheet = ValidationSheet(vae, _load_shown(config, vae), sigmas, config.guidance)

    def draw(batch: dict[str, Tensor]) -> Tensor:
        """The same people and garments at every checkpoint, whatever the batch."""
        return sheet.paint_sheet(control, distilled=distilled)

    method = _make_method(config, control, vae)
    trainer = FluxTrainer(config, method, data, draw=draw if config.validation else None)
    trainer.place_transformer(transformer)
    return trainer


def _make_method(config: MCVTONConfig, control: MinimalControl, vae: VAE) -> Method:
    if config.stage == "toy_base":
        return MCVTONToyBase(control, vae)
    if config.stage == "tryon":
        return MCVTONTryOn(control, config.drop)
    heads = None
    if config.adversarial:
        heads = TokenHeads(control.transformer.inner_dim, config.listens_to)
        seeding.initialise(heads, seeding.generator_for(config.loop.seed, "heads"))
    return MCVTONStudent(control, heads, config.guidance, config.reconstruct, config.adversarial)


def _count_tokens(config: MCVTONConfig, vae: VAE) -> int:
    """Return how many tokens a picture has."""
    side = 2 ** len(vae.config["block_out_channels"])  # the autoencoder's pixels, two by two
    return config.size_hw[0] // side * (config.size_hw[1] // side)


def _make_control(
    config: MCVTONConfig,
    transformer: FluxTransformer2DModel,
    prompt: FixedPrompt,
    sigmas: tuple[float, ...],
) -> MinimalControl:
    """Return the transformer with new adapters, or those of stage 1."""
    loras: dict[str, BranchSettings] = {"person": PERSON, "garment": GARMENT}
    if config.stage == "student":
        loras["student"] = {**DISTILLED, "sigmas": sigmas}
    made: dict[str, BranchLoRA] = {}
    for name, settings in loras.items():
        if config.adapters is not None and name != "student":
            made[name] = BranchLoRA.from_pretrained(config.adapters / name)
        else:
            generator = seeding.generator_for(config.loop.seed, name)
            made[name] = BranchLoRA.for_transformer(transformer, **settings).initialise(generator)
    return MinimalControl(transformer, made["person"], made["garment"], prompt, made.get("student"))


def _encode_latents(config: MCVTONConfig, vae: VAE) -> Path:
    """Return the folder of latents."""
    cache = config.cache or config.folder
    height, width = config.size_hw
    pictures = (
        SyntheticWardrobe(config.size_hw, config.people)
        if config.data is None
        else TryOnData(config.data, cache, config.size_hw)
    )
    return encode_all(pictures, vae, cache / f"latents-{height}x{width}")


def _load_shown(config: MCVTONConfig, vae: VAE) -> dict[str, Tensor]:
    """Return latents of a few samples that are not trained on."""
    count = max(1, config.validation)
    if config.data is None:
        pictures = SyntheticWardrobe(config.size_hw, config.people)
        numbers = torch.arange(len(pictures), len(pictures) + count)
    else:
        pictures = TryOnData(
            config.data, config.cache or config.folder, config.size_hw, "validation"
        )
        numbers = torch.arange(count)
    samples = pictures.batch(numbers, seeding.generator_for(0, "shown"))
    return {name: encode(vae, one) for name, one in pick_pictures(samples).items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
