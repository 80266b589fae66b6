"""What the memory of the conditions saves: floating-point operations of a step, at full size.

    python tests/benchmarks/bench_mcvton.py

Nothing is computed: FLUX.1-dev is on the meta device, and PyTorch counts. Writes
`results/mcvton.json` beside this file.
"""

import json
import platform
from pathlib import Path

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch.utils.flop_counter import FlopCounterMode

from models.mcvton.adapters import DISTILLED, GARMENT, PERSON, BranchLoRA
from models.mcvton.prompt import FixedPrompt
from models.mcvton.transformer import MinimalControl

SIZES = {"512x384": (512, 384), "1024x768": (1024, 768)}


def counted(call):
    with FlopCounterMode(display=False) as counter:
        result = call()
    return counter.get_total_flops(), result


def main() -> None:
    found = {"torch": torch.__version__, "machine": platform.machine(), "sizes": {}}
    with torch.device("meta"):
        flux = FluxTransformer2DModel(guidance_embeds=True)
        person, garment, student = (BranchLoRA(**x) for x in (PERSON, GARMENT, DISTILLED))
        control = MinimalControl(flux, person, garment, FixedPrompt(), student)
        found["parameters"] = {
            name: sum(p.numel() for p in lora.parameters())
            for name, lora in (("MP", person), ("G", garment), ("D", student))
        }
        for name, (height, width) in SIZES.items():
            latents, sigma = torch.zeros(1, 16, height // 8, width // 8), torch.zeros(1)
            conditions, memory = counted(lambda x=latents: control.remember(x, x))
            step, _ = counted(lambda x=latents, m=memory, s=sigma: control.velocity(x, s, m))
            plain, _ = counted(lambda x=latents, s=sigma: control.velocity(x, s, None))
            found["sizes"][name] = {
                "conditions_tflop": conditions / 1e12,
                "cached_step_tflop": step / 1e12,
                "uncached_step_tflop": (step + conditions) / 1e12,
                "flux_step_tflop": plain / 1e12,
            } | {
                f"{n}_steps_uncached_over_cached": n * (step + conditions) / (n * step + conditions)
                for n in (28, 8)
            }
    path = Path(__file__).parent / "results" / "mcvton.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
