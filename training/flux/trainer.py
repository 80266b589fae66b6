"""What training on a FLUX needs beyond the loop: several processes, small steps, pictures.

    accelerate launch -m training.train_reflora card80 --cache CACHE --model FOLDER

Every process makes the whole batch (it is small: latents), works on its own share of it in pieces
of `micro` samples, and gradients are averaged over processes. So a run on four cards takes the same
steps as a run on one. A frozen transformer can be sharded over the cards (FSDP): `shard`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor

from models import seeding
from models.errors import TrainingError
from training.config import RunConfig, write_or_check
from training.flux.base import move_to
from training.loop import Data, Method, Trainer, sum_losses

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class FluxConfig(RunConfig):
    """A run on a FLUX transformer."""

    # Local folder or hub id of the base; a toy if left out.
    model: str | None = None
    # Folder that `python -m training.prepare.flux_latents` wrote; synthetic pairs if left out.
    cache: Path | None = None
    # Samples a process works on at once; the rest of its share of the batch follows.
    micro: int = 1
    # "nf4" keeps the frozen transformer in 4 bits (bitsandbytes).
    base: Literal["fp32", "bf16", "nf4"] = "bf16"
    precision: Literal["fp32", "bf16"] = "bf16"
    # "adamw8bit" keeps the optimiser's averages in 8 bits (bitsandbytes).
    optimiser: Literal["adamw", "adamw8bit"] = "adamw"
    # Spread the frozen transformer over all processes (FSDP).
    shard: bool = False
    # Pictures painted with each checkpoint; 0 for none.
    validation: int = 2


class FluxTrainer(Trainer):
    """The loop, over as many processes as `accelerate launch` started.

    Args:
        config: the run.
        method: the networks and the losses. What it draws is drawn for each piece of a batch
            anew, whichever process has the piece.
        data: the samples.
        accelerator: of this process; made when None.
        draw: paints the first `config.validation` samples, (B, 3, H, W) in [-1, 1], or None.
    """

    config: FluxConfig

    def __init__(
        self,
        config: FluxConfig,
        method: Method,
        data: Data,
        accelerator: Accelerator | None = None,
        draw: Callable[[dict[str, Tensor]], Tensor] | None = None,
    ) -> None:
        self.accelerator = accelerator or Accelerator()
        processes = self.accelerator.num_processes
        if config.loop.batch % (processes * config.micro):
            raise TrainingError(
                f"a batch of {config.loop.batch} cannot be shared by {processes} processes in "
                f"pieces of {config.micro}; give a multiple of {processes * config.micro}",
                found=config.loop.batch,
                needed=processes * config.micro,
            )
        super().__init__(config, method, data, self.accelerator.device)
        self.writes = self.accelerator.is_main_process
        self.draw = draw

    def _build_optimiser(self, names: tuple[str, ...]) -> torch.optim.Optimizer:
        if self.config.optimiser == "adamw":
            return super()._build_optimiser(names)
        try:
            from bitsandbytes.optim import AdamW8bit  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise TrainingError(
                "adamw8bit needs the library bitsandbytes; install it or take --optimiser adamw",
                needed="bitsandbytes",
            ) from error
        optim, groups = self.config.optim, self._parameter_groups(names)
        return AdamW8bit(groups, lr=optim.lr, betas=optim.betas, weight_decay=optim.weight_decay)

    def _claim_folder(self) -> None:
        if self.writes:
            write_or_check(self.config)
        self.accelerator.wait_for_everyone()

    def _compute_gradients(self, phase: str, batch: dict[str, Tensor]) -> dict[str, float]:
        optimiser = self.optimisers[phase]
        optimiser.zero_grad(set_to_none=True)
        seed, pieces = self.config.loop.seed, list(self._split_batch(batch))
        sums: dict[str, Tensor] = {}
        for first, piece in pieces:
            generator = seeding.generator_for(seed, phase, self.step, first)
            self.method.shared = seeding.generator_for(seed, phase, self.step, "shared")
            losses = self.method.step(piece, generator, phase)
            total = sum_losses(losses)
            (total / len(pieces)).backward()
            for name, term in (losses | {phase: total}).items():
                sums[name] = sums.get(name, 0) + term.detach() / len(pieces)
        for group in optimiser.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad = self.accelerator.reduce(parameter.grad, "mean")
        return {name: self._mean_over_processes(value) for name, value in sums.items()}

    def _mean_over_processes(self, value: Tensor) -> float:
        mean = self.accelerator.reduce(value, "mean")
        assert isinstance(mean, Tensor)
        return float(mean)

    def _split_batch(self, batch: dict[str, Tensor]) -> Iterator[tuple[int, dict[str, Tensor]]]:
        """This process's part of the batch: pieces of `micro` samples and where each begins."""
        each = self.config.loop.batch // self.accelerator.num_processes
        first = each * self.accelerator.process_index
        for start in range(first, first + each, self.config.micro):
            stop = start + self.config.micro
            yield start, {key: value[start:stop] for key, value in batch.items()}

    def place_transformer(self, transformer: FluxTransformer2DModel) -> None:
        """Bring the frozen transformer to where it is needed.

        Raises:
            TrainingError: it is to be spread over one process, or in four bits.
        """
        if self.config.shard:
            if self.accelerator.num_processes == 1 or self.config.base == "nf4":
                raise TrainingError(
                    "--shard spreads a frozen transformer, in fp32 or bf16, over several processes"
                )
            shard_frozen(transformer)
        if self.config.base != "nf4":  # four-bit weights are where they were loaded
            move_to(transformer, self.device)

    def save(self) -> None:
        """Write a checkpoint and, painted with the averaged weights, some pictures."""
        if self.writes:
            super().save()
        if self.draw is not None and self.config.validation:
            self._validate()
        self.accelerator.wait_for_everyone()

    def _validate(self) -> None:
        """Paint on all processes (a sharded transformer needs them), write on one."""
        from contextlib import ExitStack

        from PIL import Image

        indices = torch.arange(self.config.validation) % len(self.data)
        generator = seeding.generator_for(self.config.loop.seed, "validation")
        batch = self.data.batch(indices, generator)
        batch = {key: value.to(self.device) for key, value in batch.items()}
        assert self.draw is not None
        with ExitStack() as stack:
            for name, average in self.averages.items():
                stack.enter_context(average.swapped_into(self.method.networks[name]))
            pictures = self.draw(batch)
        if self.writes:
            rows = ((pictures.float().clamp(-1, 1) + 1) * 127.5).permute(0, 2, 3, 1).byte()
            folder = self.config.folder / "validation"
            folder.mkdir(exist_ok=True)
            sheet = rows.flatten(0, 1).cpu().numpy()
            Image.fromarray(sheet).save(folder / f"{self.step:06d}.png")


def load_transformer(model: str, base: str) -> FluxTransformer2DModel:
    """Read a frozen FLUX transformer from a folder or the hub.

    Args:
        model: folder or hub id with a `transformer` subfolder.
        base: "fp32", "bf16" or "nf4".

    Raises:
        TrainingError: it cannot be read, or nf4 is asked for without bitsandbytes.
    """
    options: dict[str, Any] = {"dtype": PRECISIONS.get(base, torch.bfloat16)}
    try:
        if base == "nf4":
            from diffusers.quantizers.quantization_config import BitsAndBytesConfig

            options["quantization_config"] = BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_compute_dtype=torch.bfloat16,
            )
        return FluxTransformer2DModel.from_pretrained(model, subfolder="transformer", **options)
    except (OSError, ImportError, ValueError) as error:
        raise TrainingError(f"the transformer of {model} cannot be read: {error}") from error


def shard_frozen(transformer: FluxTransformer2DModel) -> None:
    """Spread a frozen transformer over all processes, block by block (FSDP2).

    Only what is frozen is sharded, so checkpoints, averages and optimisers stay whole.
    """
    from torch.distributed.fsdp import fully_shard

    for block in [*transformer.transformer_blocks, *transformer.single_transformer_blocks]:
        fully_shard(block)
    fully_shard(transformer)
