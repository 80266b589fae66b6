"""What drives the toys drives FLUX."""

import pytest
import torch

from models import seeding, tiny
from models.diffusion.few_step import FewStepSampler
from models.diffusion.flux_denoiser import FluxDenoiser
from models.diffusion.token_discriminator import TokenHeads
from models.diffusion.weight_delta import DeltaDenoiser, WeightDelta
from training.config import LoopConfig, RunConfig
from training.loop import Trainer
from training.methods.distill.adversarial.ladd import LADD
from training.methods.distill.scores.dmd import DMD2
from training.methods.distill.scores.score_distillation import ScoreNetworks
from training.methods.distill.scores.sid import SiD
from training.methods.distill.scores.vsd import SwiftBrush
from training.methods.distill.trajectories.consistency import Consistency
from training.methods.distill.trajectories.rcgm import TwinFlow
from training.methods.distill.trajectories.scm import SCM

# PyTorch's forward derivatives script a function when first used.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")

FEW = FewStepSampler.even(2)


def flux(seed, blocks=()):
    transformer = tiny.flux_transformer(seed)
    ids = torch.zeros(8, 3)
    ids[:, 2] = torch.arange(8)
    prompt, pooled = torch.zeros(1, 2, tiny.WIDTH), torch.zeros(1, tiny.WIDTH)
    return FluxDenoiser(transformer, prompt, pooled, ids, blocks)


class Latents:
    """Packed latents of pictures, and of the contexts they are edited from."""

    def __len__(self):
        return 2

    def batch(self, indices, generator):
        x0, cond = torch.randn((2, 2, 4, 16), generator=generator)
        return {"x0": x0, "cond": cond}


def flux_dmd2():
    heads = TokenHeads(tiny.WIDTH, (0, 1), hidden=8)
    return DMD2(ScoreNetworks(flux(1), flux(0), flux(0, (0, 1)), FEW), heads)


def flux_swiftbrush():
    base = flux(0)
    return SwiftBrush(
        ScoreNetworks(
            flux(1), base, DeltaDenoiser(base, WeightDelta(base, 2, seeding.generator_for(0))), FEW
        )
    )


FLUX_METHODS = {
    "DMD2": flux_dmd2,
    "SwiftBrush": flux_swiftbrush,
    "SiD": lambda: SiD(ScoreNetworks(flux(1), flux(0), flux(2), FEW)),
    "CD": lambda: Consistency(flux(1), flux(1), flux(0)),
    "sCM": lambda: SCM(flux(1), flux(0)),
    "TwinFlow": lambda: TwinFlow(flux(1), flux(1), flux(0)),
    "LADD": lambda: LADD(flux(1), flux(0, (0, 1)), TokenHeads(tiny.WIDTH, (0, 1), hidden=8), FEW),
}


@pytest.mark.parametrize("name", FLUX_METHODS)
def test_the_same_methods_take_a_step_on_flux(name, tmp_path):
    method = FLUX_METHODS[name]()
    config = RunConfig("run", tmp_path, loop=LoopConfig(steps=1, batch=2, ema=0, threads=1))
    before = {k: v.clone() for k, v in method.networks["student"].state_dict().items()}
    Trainer(config, method, Latents()).run()
    after = method.networks["student"].state_dict()
    assert not all(torch.equal(after[name], value) for name, value in before.items())
    noise, cond = torch.randn((2, 1, 4, 16), generator=seeding.generator_for(0))
    picture = FEW.sample(method.networks["student"], noise, cond, seeding.generator_for(1))
    assert torch.isfinite(picture).all()
