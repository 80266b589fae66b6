"""FLOPs of FLUX-Makeup at full size, counted on the meta device: with and without the cache.

python tests/benchmarks/bench_flux_flops.py
"""

import json
from pathlib import Path

import diffusers
import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch.utils.flop_counter import FlopCounterMode

from models.diffusion.flux_tokens import SOURCE, TARGET, position_ids
from models.diffusion.rectified_flow import Conditions, velocity
from models.reflora.injector import RefLoRAInjector

OUT = Path(__file__).parent / "results" / "flux_flops.json"
STEPS = 25


def count(size: int) -> dict[str, float]:
    """TFLOPs at one size in pixels; a multiply-add counts as two."""
    grid = size // 16
    with torch.device("meta"):
        transformer = FluxTransformer2DModel(guidance_embeds=True).bfloat16()
        injector = RefLoRAInjector().bfloat16()
        latents = torch.empty(1, grid * grid, 64, dtype=torch.bfloat16)
        prompt = torch.empty(1, 512, 4096, dtype=torch.bfloat16)
        pooled = torch.empty(1, 768, dtype=torch.bfloat16)
        ids = torch.cat([position_ids(grid, grid, TARGET), position_ids(grid, grid, SOURCE)])
        sigma = torch.empty(1, dtype=torch.bfloat16)
    injector.install(transformer)

    def flops(call):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            result = call()
        return counter.get_total_flops() / 1e12, result

    def step(attention):
        told = Conditions(prompt, pooled, latents, ids.to("meta"), 2.5, attention)
        return flops(lambda: velocity(transformer, latents, sigma, told))[0]

    projections, reference = flops(lambda: injector(latents, grid, grid))
    kontext, with_reference = step({}), step({"reference": reference})
    cached = projections + STEPS * with_reference
    uncached = STEPS * (projections + with_reference)
    cache = sum(t.numel() * 2 for t in (*reference.keys, *reference.values)) / 1e9
    return {
        "step_kontext_tflop": round(kontext, 3),
        "step_with_reference_cached_tflop": round(with_reference, 3),
        "reference_projections_tflop": round(projections, 3),
        "step_with_reference_uncached_tflop": round(with_reference + projections, 3),
        f"all_{STEPS}_steps_cached_tflop": round(cached, 1),
        f"all_{STEPS}_steps_uncached_tflop": round(uncached, 1),
        "uncached_over_cached": round(uncached / cached, 4),
        "cache_gb_bf16": round(cache, 3),
    }


if __name__ == "__main__":
    figures = {str(size): count(size) for size in (512, 1024)}
    figures["versions"] = {"torch": torch.__version__, "diffusers": diffusers.__version__}
    OUT.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))
