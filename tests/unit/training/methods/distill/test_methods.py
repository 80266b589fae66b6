"""The rules every way of distillation keeps, checked for each method."""

import copy
import json

import pytest
import torch

from models import seeding
from models.diffusion.few_step import FewStepSampler
from models.diffusion.weight_delta import DeltaDenoiser, WeightDelta
from models.errors import CheckpointError
from training.config import LoopConfig, OptimConfig, RunConfig
from training.loop import Trainer, sum_losses
from training.methods.distill.adversarial.ladd import LADD
from training.methods.distill.guidance import ZERO_CFG, Guidance, embedded, lsg
from training.methods.distill.scores.disback import DegradationRecording, TeacherSchedule
from training.methods.distill.scores.dmd import DMD, DMD2
from training.methods.distill.scores.msd import Router, TeacherScoreMatching
from training.methods.distill.scores.score_distillation import ScoreNetworks
from training.methods.distill.scores.sid import SiD, SiDA
from training.methods.distill.scores.vsd import PGSB, SwiftBrush
from training.methods.distill.trajectories.consistency import Consistency, PairRegression
from training.methods.distill.trajectories.rcgm import RCGM, TwinFlow
from training.methods.distill.trajectories.scm import SCM, SanaSprint
from training.toys.mixture import MixtureData, ring
from training.toys.networks import ReplicaHead, ReplicaMLP

# PyTorch's forward derivatives script a function when first used.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")

FEW = FewStepSampler.even(2)
DATA = MixtureData(ring(), 6, (0, 1), conditions=True)


def network(place=0):
    return ReplicaMLP(width=8, depth=2, seeds=(place, place + 1), conditions=2)


def guided_network(place):
    seeds, extra = (place, place + 1), ("r", "step", "w")
    return ReplicaMLP(width=8, depth=2, seeds=seeds, conditions=2, extra=extra)


def head():
    return ReplicaHead(8, 8, seeds=(0, 1))


def low_rank(base):
    return DeltaDenoiser(base, WeightDelta(base, 2, seeding.generator_for(0)))


def make_score_networks(**others):
    usual = {"student": network(1), "teacher": network(), "critic": network(2), "sampler": FEW}
    return ScoreNetworks(**usual | others)


def lora_critic(cls):
    base = network()
    return cls(ScoreNetworks(network(1), base, low_rank(base), FEW))


METHODS = {
    "pairs": lambda: PairRegression(network(1)),
    "CD": lambda: Consistency(network(1), network(2), network()),
    "LCM": lambda: Consistency(
        guided_network(1), guided_network(2), network(), guidance=embedded(1, 4)
    ),
    "sCM": lambda: SCM(guided_network(1), network(), guidance=embedded(1, 4)),
    "SANA-Sprint": lambda: SanaSprint(network(1), network(), head(), network(4)),
    "RCGM": lambda: RCGM(network(1), network(2), network()),
    "TwinFlow": lambda: TwinFlow(network(1), network(2), network()),
    "DMD": lambda: DMD(make_score_networks(), student_every=2),
    "DMD2": lambda: DMD2(make_score_networks(), head()),
    "SwiftBrush": lambda: lora_critic(SwiftBrush),
    "PG-SB": lambda: lora_critic(PGSB),
    "SiD": lambda: SiD(make_score_networks()),
    "SiD-LSG": lambda: SiD(make_score_networks(), guidance=lsg(1.5)),
    "SiD Zero-CFG": lambda: SiD(make_score_networks(), guidance=ZERO_CFG),
    "SiDA": lambda: SiDA(make_score_networks()),
    "DegradationRecording": lambda: DegradationRecording(network(1), network(), FEW),
    "DisBack": lambda: DMD(
        make_score_networks(teacher=TeacherSchedule((network(), network(5)), 2)), student_every=1
    ),
    "MSD": lambda: DMD(
        make_score_networks(student=Router([network(1), network(3)], torch.arange(2))), drop=0.0
    ),
    "TSM": lambda: TeacherScoreMatching(network(1), network()),
    "LADD": lambda: LADD(network(1), network(), head(), FEW),
    "ADD": lambda: LADD(network(1), network(), head(), FEW, distill=1.0),
}


def config_in(folder, steps=1):
    return RunConfig(
        "run",
        folder,
        OptimConfig(lr=1e-3, warmup=1),
        LoopConfig(steps=steps, batch=12, save_every=100, log_every=1, ema=0.9, threads=1),
    )


class Both(MixtureData):
    """Samples, and synthetic pairs for the one method that learns from these."""

    def batch(self, indices, generator):
        batch = super().batch(indices, generator)
        noise = torch.randn(batch["x0"].shape, generator=generator)
        return batch | {"noise": noise, "end": batch["x0"]}


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("name", METHODS)
def test_each_phase_changes_the_networks_it_names_and_no_others(name, tmp_path):
    method = METHODS[name]()
    followers = dict(method.follows)
    method.follows, method.every = {}, {}
    trainer = Trainer(config_in(tmp_path), method, Both(ring(), 6, (0, 1), conditions=True))
    batch = trainer._load_batch(0)
    before = {key: state(network) for key, network in method.networks.items()}
    for phase, trained in method.phases.items():
        trainer._train_only(trained)
        values = trainer._compute_gradients(phase, batch)
        assert all(torch.isfinite(torch.tensor(x)) for x in values.values())
        for key, network in method.networks.items():
            if key not in trained:  # the student's loss leaves nothing in critic or head
                assert all(p.grad is None or not p.requires_grad for p in network.parameters())
        assert trainer._step_optimiser(phase)
        for key, network in method.networks.items():
            changed = not same(before[key], network.state_dict())
            parameters = any(True for _ in network.parameters())
            assert changed == (key in trained and parameters), (phase, key)
            before[key] = state(network)
    assert set(followers) <= set(method.networks)


def test_averages_of_the_student_follow_it(tmp_path):
    method = METHODS["CD"]()
    student, target = (state(method.networks[x]) for x in ("student", "target"))
    Trainer(config_in(tmp_path), method, DATA).run()
    now = method.networks["student"].state_dict()
    for name, value in method.networks["target"].named_parameters():
        assert torch.allclose(value, 0.95 * target[name] + 0.05 * now[name], atol=1e-6)
    assert not same(student, now)


@pytest.mark.parametrize("name", ["DMD2", "TwinFlow", "SwiftBrush"])
def test_an_interrupted_run_goes_on_to_bit_equal_losses(name, tmp_path):
    def logged(folder):
        lines = (folder / "run/log.jsonl").read_text().splitlines()
        return [{k: v for k, v in json.loads(x).items() if k != "s"} for x in lines]

    class StoppedError(Exception):
        pass

    def stop(*inputs):
        raise StoppedError

    whole, halves = tmp_path / "whole", tmp_path / "halves"
    config = config_in(whole, 5)
    Trainer(config, METHODS[name](), DATA).run()
    first = Trainer(config_in(halves, 5), METHODS[name](), DATA)
    step = first._take_step
    first._take_step = lambda batch: (first.save() or stop()) if first.step == 3 else step(batch)
    with pytest.raises(StoppedError):
        first.run()
    Trainer(config_in(halves, 5), METHODS[name](), DATA).run()
    assert logged(whole) == logged(halves)


def test_the_student_is_sampled_at_the_times_it_was_trained_at(tmp_path):
    sampler = FewStepSampler((1.0, 0.7), "ddim")
    method = SiD(make_score_networks(sampler=sampler))
    Trainer(config_in(tmp_path), method, DATA).run()
    weights = tmp_path / "run/checkpoints/000001/weights"
    assert FewStepSampler.from_file(weights / "sampler.json") == sampler
    student = ReplicaMLP.from_pretrained(weights / "student")
    z = torch.randn((12, 2), generator=seeding.generator_for(0))
    assert torch.isfinite(sampler.sample(student, z)).all()
    with pytest.raises(CheckpointError):
        FewStepSampler.from_file(weights / "elsewhere.json")


def test_a_critic_as_often_as_the_student_or_five_times(tmp_path):
    method = DMD(make_score_networks(), student_every=5)
    Trainer(config_in(tmp_path, 11), method, DATA).run()
    lines = [json.loads(x) for x in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [x["step"] for x in lines if "student" in x] == [1, 6, 11]
    assert all("critic" in x for x in lines)


def test_gradients_flow_through_the_teacher_for_sid_and_stop_there_for_dmd():
    class Watched:
        saw_gradient = None

        def velocity(self, x_t, t, cond=None, **extra):
            self.saw_gradient = torch.is_grad_enabled() and x_t.requires_grad
            return ring().velocity(x_t, t, cond)

    for cls, flows in ((DMD, False), (SiD, True)):
        teacher = Watched()
        method = cls(make_score_networks(teacher=teacher))
        sum_losses(
            method.step(
                DATA.batch(None, seeding.generator_for(0)), seeding.generator_for(0), "student"
            )
        )
        assert teacher.saw_gradient is flows


def test_a_critic_is_given_the_step_only_if_it_is_conditioned_on_it():
    class Critic(ReplicaMLP):
        given = ()

        def velocity(self, x_t, t, cond=None, **extra):
            self.given = tuple(extra)
            return super().velocity(x_t, t, cond, **extra)

    batch = DATA.batch(None, seeding.generator_for(0))
    for conditioned in (True, False):
        critic = Critic(width=8, depth=2, seeds=(0, 1), conditions=2)
        method = DMD(make_score_networks(critic=critic), step_conditioned=conditioned)
        method.step(batch, seeding.generator_for(0), "critic")
        assert critic.given == (("step",) if conditioned else ())


@pytest.mark.parametrize("trained", ["one", "each", "last"])
def test_training_sees_the_states_the_sampler_will_see(trained):
    sampler = FewStepSampler.even(3, "fixed")
    method = DMD(make_score_networks(sampler=sampler), trained_step=trained)
    batch = DATA.batch(None, seeding.generator_for(0))
    pictures, extra = method.generate(batch, seeding.generator_for(1))
    steps = extra["step"].long()
    counts = torch.bincount(steps, minlength=3).tolist()
    assert counts == {"each": [4, 4, 4], "last": [0, 0, 12]}.get(trained, counts)
    assert trained == "each" or len(steps.unique()) == 1
    draws = seeding.generator_for(1)
    if trained == "one":
        torch.randint(3, (), generator=draws)
    noise = seeding.noise_like(batch["x0"], draws)
    shown = sampler.steps(method.student, noise, batch["cond"])
    expected = torch.stack([step.picture for step in shown])[steps, torch.arange(12)]
    torch.testing.assert_close(pictures, expected)


def test_critic_conditioning_starts_from_an_unconditioned_critic():
    critic, x, t = network(), torch.randn(12, 2, generator=seeding.generator_for(0)), torch.rand(12)
    step = torch.full((12,), 3.0)
    assert torch.equal(critic.velocity(x, t, None, step=step), critic.velocity(x, t))


def test_the_sign_of_time_is_seen():
    x, t = torch.ones(12, 2), torch.full((12,), 0.5)
    assert not torch.allclose(network().velocity(x, t), network().velocity(x, -t), atol=1e-3)


def test_the_student_starts_as_the_teacher():
    teacher = network()
    student, z = copy.deepcopy(teacher), torch.randn(12, 2, generator=seeding.generator_for(0))
    for sampler in (FewStepSampler.even(1), FewStepSampler.even(4, "ddim")):
        assert torch.equal(sampler.sample(student, z), sampler.sample(teacher, z))


def test_a_router_of_one_student_is_that_student_and_each_condition_has_its_own():
    a, b = network(1), network(3)
    x, t = torch.randn(12, 2, generator=seeding.generator_for(0)), torch.full((12,), 0.5)
    cond = torch.arange(12) % 2
    alone = Router([a], torch.tensor([0, 0]))
    assert torch.equal(alone.velocity(x, t, cond), a.velocity(x, t, cond))
    both = Router([a, b], torch.arange(2)).velocity(x, t, cond)
    assert torch.equal(both[cond == 0], a.velocity(x, t, cond)[cond == 0])
    assert torch.equal(both[cond == 1], b.velocity(x, t, cond)[cond == 1])


def test_a_student_of_the_teachers_size_recovers_it_by_tsm(tmp_path):
    teacher = network()
    student = copy.deepcopy(teacher)
    with torch.no_grad():
        student.last.weight.mul_(0.2)
    method = TeacherScoreMatching(student, teacher)
    batch = DATA.batch(None, seeding.generator_for(0))

    def distance():
        return float(method.step(batch, seeding.generator_for(1), "student")["tsm"].detach())

    before = distance()
    config = config_in(tmp_path, 120)
    config = RunConfig("run", tmp_path, OptimConfig(lr=1e-2, warmup=1), config.loop)
    Trainer(config, method, DATA).run()
    assert distance() < 0.05 * before
    x, t = batch["x0"], torch.full((12,), 0.5)  # it was never given any of this
    given = student.velocity(x, t, None, step=torch.full_like(t, 3), r=torch.zeros_like(t))
    assert torch.equal(given, student.velocity(x, t))


def test_a_teacher_schedule_ends_at_the_teacher_and_a_path_of_one_is_it():
    a, b = network(), network(2)
    path = TeacherSchedule((a, b), every=3)
    assert [path.teacher_at(step) is b for step in range(8)] == [False] * 3 + [True] * 5
    assert TeacherSchedule((b,)).teacher_at(0) is b
    assert not any(p.requires_grad for p in a.parameters())


def test_guidance_of_teacher_and_critic_are_apart_and_a_critic_is_unguided_by_default():
    generator = seeding.generator_for(0)
    assert Guidance((3.0, 3.0)).draw(generator) == (3.0, 1.0)
    assert Guidance().critic_learns == 1.0
    drawn = [Guidance((0.5, 4.0), critic=None).draw(generator) for _ in range(200)]
    assert all(teacher == critic for teacher, critic in drawn)
    assert min(drawn)[0] < 0.7 < 3.8 < max(drawn)[0] <= 4.0


def test_a_batch_in_pieces_has_jumps_of_every_kind():
    asked = []

    class Records:
        def velocity(self, x_t, t, cond=None, **extra):
            asked.append((float(t), float(extra["r"])))
            return torch.zeros_like(x_t, requires_grad=True)

    method = RCGM(Records(), Records())
    for place in range(3):
        asked.clear()
        piece = {"x0": torch.zeros(1, 4, 2), "index": torch.tensor([place])}
        method.jump_loss(piece, seeding.generator_for(place))
        t, r = asked[-1]
        assert ((t, r) == (1.0, 0.0)) == (place == 0)
        assert (t - r <= 0.05 * t + 1e-6) == (place == 1)
