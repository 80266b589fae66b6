"""Train MC-VTON: the two condition LoRAs of FLUX.1-dev, then its 8-step student.

python -m training.train_mcvton tiny                                       # seconds, made-up data
python -m training.train_mcvton tryon_24gb --base FLUX --data DATA/viton --cache CACHE
python -m training.train_mcvton student_24gb --base FLUX --data DATA/viton --cache CACHE \
    --adapters W
Stop a command and run it again to go on. FLUX is a folder like black-forest-labs/FLUX.1-dev, W the
`weights` folder of a checkpoint. A whole toy try-on, in minutes on a CPU:
python -m training.train_mcvton toy_base
python -m training.train_mcvton toy_tryon --base runs/mcvton-toy_base/checkpoints/001500/weights
python -m training.train_mcvton toy_student --base (the same) --adapters (toy_tryon's weights)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel

from models import devices, seeding
from models.errors import TrainingError
from models.mcvton.adapters import DISTILLED, GARMENT, PERSON, BranchLoRA, save_activations
from models.mcvton.discriminator import TokenHeads
from models.mcvton.prompt import FixedPrompt
from models.mcvton.sampling import flux_sigmas
from models.mcvton.transformer import MinimalControl
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.latents import LatentTryOn, encode_all
from training.data.tryon import TryOnData
from training.data.wardrobe import MadeUpWardrobe
from training.flux_base import load_prompt, load_scheduler, load_transformer, load_vae
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


LARGE: dict[str, Any] = {"size_hw": (1024, 768), "recompute": True}
SMALL: dict[str, Any] = {"size_hw": (512, 384), "recompute": True, "nf4": True}
STUDENT: dict[str, Any] = {"stage": "student", "adversarial": 0.1}
PRESETS: dict[str, tuple[str, MCVTONConfig]] = {
    "tiny": _preset("Five steps of stage 1, an untrained toy.", "tiny", 5, 2, 1e-3),
    "tiny_student": _preset(
        "Five steps of stage 2, an untrained toy.",
        "tiny_student",
        5,
        2,
        1e-3,
        stage="student",
        adversarial=0.1,
        listens_to=(1, 3),
    ),
    "toy_base": _preset(
        "A toy FLUX that paints made-up people.", "toy_base", 1500, 16, 2e-3, stage="toy_base"
    ),
    "toy_tryon": _preset("Stage 1 on the toy.", "toy_tryon", 1500, 16, 4e-3),
    "toy_student": _preset(
        "Stage 2 on the toy.", "toy_student", 500, 16, 1e-3, stage="student", listens_to=(1, 3)
    ),
    "tryon_24gb": _preset("Stage 1 at 512x384, 4-bit.", "tryon-512", 20000, 4, 1e-4, **SMALL),
    "tryon_80gb": _preset("Stage 1 at 1024x768.", "tryon-1024", 20000, 4, 1e-4, **LARGE),
    "student_24gb": _preset(
        "Stage 2 at 512x384, 4-bit.", "student-512", 10000, 4, 5e-5, **SMALL, **STUDENT
    ),
    "student_80gb": _preset(
        "Stage 2 at 1024x768.", "student-1024", 10000, 4, 5e-5, **LARGE, **STUDENT
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
    prompt = load_prompt(config.base, config.cache, seed)
    vae = load_vae(config.base)
    vae.to(device)  # pyright: ignore
    pictures = (
        MadeUpWardrobe(config.size_hw)
        if config.data is None
        else TryOnData(config.data, config.cache, config.size_hw)
    )
    transformer = load_transformer(config.base, device, seed, nf4=config.nf4)
    if not config.nf4:
        transformer.to(device)  # pyright: ignore
    control = _control(config, transformer, prompt, _tokens(config, vae))
    # Made-up people are encoded for this run alone; photographs once for all runs.
    cache = config.folder if config.data is None else config.cache
    height, width = config.size_hw
    data = LatentTryOn(encode_all(pictures, vae, cache / f"latents-{height}x{width}"))
    if config.stage == "toy_base":
        return Trainer(config, ToyBaseMethod(control, vae), data, device)
    if config.recompute:
        save_activations(transformer)
    if config.stage == "tryon":
        return Trainer(config, TryOnMethod(control, vae, config.drop), data, device)
    heads = None
    if config.adversarial:
        heads = TokenHeads(transformer.inner_dim, config.listens_to)
        seeding.initialise(heads, seeding.generator_for(seed, "heads"))
    method = StudentMethod(control, vae, heads, config.reconstruct, config.adversarial)
    return Trainer(config, method, data, device)


def _tokens(config: MCVTONConfig, vae: AutoencoderKL) -> int:
    """Return how many tokens a picture has."""
    side = 2 ** len(vae.config["block_out_channels"])  # the autoencoder's pixels, two by two
    return config.size_hw[0] // side * (config.size_hw[1] // side)


def _control(
    config: MCVTONConfig, transformer: FluxTransformer2DModel, prompt: FixedPrompt, tokens: int
) -> MinimalControl:
    """Return the transformer with new adapters, or those of stage 1."""
    sigmas = flux_sigmas(load_scheduler(config.base), STEPS, tokens)
    loras = {"person": PERSON, "garment": GARMENT, "student": {**DISTILLED, "sigmas": sigmas}}
    if config.stage != "student":
        del loras["student"]
    made: dict[str, BranchLoRA] = {}
    for name, settings in loras.items():
        if config.adapters is not None and name != "student":
            made[name] = BranchLoRA.from_pretrained(config.adapters / name)
        else:
            generator = seeding.generator_for(config.loop.seed, name)
            made[name] = BranchLoRA.fitting(transformer, **settings).start(generator)
    return MinimalControl(transformer, made["person"], made["garment"], prompt, made.get("student"))


if __name__ == "__main__":
    build(from_command_line(PRESETS, __doc__ or "")).run()
