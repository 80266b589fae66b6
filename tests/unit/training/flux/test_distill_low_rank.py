"""Students of FLUX as low-rank changes of one frozen transformer, at toy size."""

import copy
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from models import seeding, tiny
from models.blocks import count_parameters
from models.diffusion.few_step import FewStepSampler
from models.diffusion.flux_student import StudentLoRA
from models.diffusion.lora import LoRALayer
from models.errors import CheckpointError, TrainingError
from pipelines.flux import load_student
from pipelines.makeup.flux_recipes import PromptRecipe
from pipelines.makeup.pipeline_flux_makeup import FluxMakeupPipeline
from training.data.makeup.toy_latents import write_toy_cache
from training.flux.distill_networks import (
    METHODS,
    Frozen,
    LowRankNetworks,
    MethodConfig,
    build_method,
)
from training.flux.distill_teacher import make_toy_teacher
from training.memory.distill import (
    load_empty_flux,
)
from training.train_distill import PRESETS, build

ROOT = Path(__file__).parents[4]
TINY = PRESETS["tiny_low_rank"][1]
OLD_MODULE = "models.ops.flux_student"
"""Where `StudentLoRA` was when the first students were saved."""
X_T, COND = (torch.randn((2, n, 16), generator=seeding.generator_for(n)) for n in (64, 128))
T = torch.tensor([0.9, 0.2])
EXTRA = ({}, {"step": torch.tensor([1.0, 3.0])}, {"r": torch.tensor([0.0, 0.1])})


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return make_toy_teacher(tmp_path_factory.mktemp("toy") / "cache", seed=0)


def tiny_run(folder, **changes):
    """Two steps of DMD2, two samples each, one at a time."""
    loop = replace(TINY.loop, steps=2, save_every=1, keep=9)
    return replace(TINY, output=folder, steps=2, critic_steps=1, loop=loop, **changes)


def trained(change, scale=0.3):
    """As if it had been trained: no factor is zero, and its time embedder is at work."""
    generator = seeding.generator_for(0, "trained")
    with torch.no_grad():
        for parameter in change.parameters():
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    return change


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("name", METHODS)
@torch.no_grad()
def test_a_new_student_is_its_teacher_bit_for_bit_whatever_its_extra_conditions(
    name, rank, teacher
):
    frozen = Frozen(teacher)
    networks = LowRankNetworks(frozen, (0, 1), rank=rank)
    method, _ = build_method(MethodConfig(method=name, steps=2), networks)
    assert "teacher" not in method.networks
    wanted = frozen.velocity(X_T, T, COND)
    assert wanted.abs().max() > 0.1
    for network in set(method.networks) - {"head"}:
        for extra in EXTRA:
            assert torch.equal(method.networks[network].velocity(X_T, T, COND, **extra), wanted)


@torch.no_grad()
def test_a_change_is_the_network_whose_weights_are_w_plus_b_a(teacher):
    networks = LowRankNetworks(Frozen(teacher), (0, 1), rank=2)
    student = networks.copy_teacher()
    trained(student.adapter)
    merged = copy.deepcopy(teacher)
    for name, update in student.adapter.updates.items():
        weight = merged.transformer.get_submodule(name).get_parameter("weight")
        weight += update.lora_B.weight @ update.lora_A.weight
    wanted = merged.velocity(X_T, T, COND)
    torch.testing.assert_close(student.velocity(X_T, T, COND), wanted, atol=1e-5, rtol=1e-4)
    assert (wanted - networks.teacher.velocity(X_T, T, COND)).abs().max() > 0.1
    features, merged_features = (x.features(X_T, T, COND) for x in (student, merged))
    torch.testing.assert_close(features, merged_features, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_trained_time_embedder_tells_steps_and_jumps_apart(teacher):
    student = LowRankNetworks(Frozen(teacher), (0, 1), rank=1).copy_teacher()
    trained(student.adapter)
    velocities = [student.velocity(X_T, T, COND, **extra) for extra in EXTRA]
    other = student.velocity(X_T, T, COND, step=torch.tensor([1.0, 2.0]))
    assert torch.equal(velocities[1][0], other[0])
    for one, two in (
        (velocities[0], velocities[1]),
        (velocities[1], velocities[2]),
        (velocities[1][1], other[1]),
    ):
        assert (one - two).abs().max() > 1e-3


def test_no_change_is_at_work_in_another_and_each_has_its_own_gradient(teacher):
    networks = LowRankNetworks(Frozen(teacher), (0, 1), rank=1)
    student, critic = networks.copy_teacher(), networks.copy_teacher()
    trained(student.adapter)
    assert torch.equal(critic.velocity(X_T, T, COND), networks.teacher.velocity(X_T, T, COND))
    (student.velocity(X_T, T, COND) - critic.velocity(X_T, T, COND).detach()).mean().backward()
    assert all(u.lora_A.weight.grad is not None for u in student.adapter.updates.values())
    assert all(p.grad is None for p in [*critic.parameters(), *teacher.parameters()])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that was not interrupted."""
    config = tiny_run(tmp_path_factory.mktemp("whole"))
    build(config).run()
    return config


def student_of(config):
    state = config.folder / "checkpoints/000002/training_state"
    return load_file(state / "network.student.safetensors")


def test_a_run_leaves_its_changes_and_its_sampler_and_nothing_of_the_teacher(finished):
    folder = finished.folder / "checkpoints/000002"
    weights = {str(p.relative_to(folder / "weights")) for p in (folder / "weights").rglob("*.*")}
    model = {"config.json", "diffusion_pytorch_model.safetensors"}
    saved = {f"{name}/{file}" for name in ("student", "critic", "head") for file in model}
    assert weights == saved | {"sampler.json"}
    assert FewStepSampler.from_file(folder / "weights/sampler.json").times == (1.0, 0.5)
    layers = {name.split(".lora_")[0] for name in student_of(finished) if ".lora_" in name}
    student = StudentLoRA.from_pretrained(folder / "weights/student")
    assert layers == {f"adapter.{name}" for name in student.updates}
    assert any(u.lora_B.weight.abs().max() > 0 for u in student.updates.values())


def test_a_stopped_run_goes_on_to_the_same_changes(finished, tmp_path):
    config = replace(finished, output=tmp_path)
    stopped = build(config)
    one_step = stopped._take_step

    def stop(batch):
        if stopped.step == 1:
            raise KeyboardInterrupt
        return one_step(batch)

    stopped._take_step = stop
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    build(config).run()
    for name, weight in student_of(finished).items():
        assert torch.equal(student_of(config)[name], weight)


TWO = """
import sys
from dataclasses import replace
from pathlib import Path
from training.train_distill import PRESETS, build
config = PRESETS["tiny_low_rank"][1]
loop = replace(config.loop, steps=2, save_every=1, keep=9)
config = replace(config, output=Path(sys.argv[1]), steps=2, critic_steps=1, loop=loop, shard=True)
build(config).run()
"""


def test_two_processes_that_share_the_transformer_take_one_processs_steps(finished, tmp_path):
    config = replace(finished, output=tmp_path)
    write_toy_cache(config.folder / "cache", 32, config.loop.seed)  # or both would write it
    settings = {
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29587",
        "ACCELERATE_USE_CPU": "true",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    both = [
        subprocess.Popen(
            [sys.executable, "-c", TWO, str(tmp_path)],
            cwd=ROOT,
            env=os.environ | settings | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    for name, weight in student_of(finished).items():
        torch.testing.assert_close(student_of(config)[name], weight, atol=2e-6, rtol=0)


@pytest.fixture(scope="module")
def flux_folder(tmp_path_factory):
    """FLUX-Makeup at toy size, and its cache."""
    folder, parts = tmp_path_factory.mktemp("flux"), tiny.flux()
    injector = tiny.reflora_injector(parts["transformer"])
    FluxMakeupPipeline(**parts, injector=injector).save_pretrained(folder / "teacher")
    write_toy_cache(folder / "cache", 32, 0)
    return folder


def test_from_a_folder_in_half_precision_to_a_pipeline_of_few_steps(flux_folder, tmp_path):
    config = tiny_run(
        tmp_path,
        model=str(flux_folder / "teacher"),
        cache=flux_folder / "cache",
        method="add",
        base="bf16",
        precision="bf16",
        validation=1,
    )
    trainer = build(replace(config, loop=replace(config.loop, ema=0.0)))
    trainer.run()
    assert (config.folder / "validation/000002.png").exists()
    weights = config.folder / "checkpoints/000002/weights"
    pipe = FluxMakeupPipeline.from_pretrained(flux_folder / "teacher")
    source = 2 * torch.rand((1, 3, 32, 32), generator=seeding.generator_for(1)) - 1
    recipe = PromptRecipe("makeup.", TINY.guidance, 25)
    load_student(pipe, weights)
    assert pipe.config["few_step"] == {"times": [1.0, 0.5], "noise": "fresh"}
    first = pipe.generate(source, source, [3], recipe)
    trained(pipe.student, 0.1)
    assert (pipe.generate(source, source, [3], recipe) - first).abs().max() > 1e-2
    pipe.save_pretrained(tmp_path / "student")
    again = FluxMakeupPipeline.from_pretrained(tmp_path / "student")
    second = again.generate(source, source, [3], recipe)
    torch.testing.assert_close(
        second, pipe.generate(source, source, [3], recipe), atol=1e-4, rtol=0
    )
    index = tmp_path / "student/model_index.json"
    old = index.read_text("utf-8").replace("models.diffusion.flux_student", OLD_MODULE)
    assert OLD_MODULE in old
    index.write_text(old, encoding="utf-8")
    again = FluxMakeupPipeline.from_pretrained(tmp_path / "student")
    assert torch.equal(again.generate(source, source, [3], recipe), second)


def test_what_is_no_student_is_refused_in_a_sentence(finished, tmp_path):
    weights = finished.folder / "checkpoints/000002/weights"
    larger = FluxMakeupPipeline(**tiny.flux(layers=1, single_layers=0))
    with pytest.raises(CheckpointError, match="single_transformer_blocks"):
        load_student(larger, weights)
    with pytest.raises(CheckpointError, match="how to sample"):
        load_student(larger, tmp_path)
    (tmp_path / "sampler.json").write_bytes((weights / "sampler.json").read_bytes())
    with pytest.raises(CheckpointError, match="no low-rank student"):
        load_student(larger, tmp_path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rank": 0}, "rank 0"),
        ({"base": "bf16"}, "--precision bf16"),
        ({"method": "sana-sprint", "precision": "bf16"}, "float32"),
        ({"listens_to": (0, 7)}, "block 7"),
        ({"shard": True}, "several processes"),
        ({"micro": 3}, "multiple of 3"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, sentence, tmp_path, finished):
    cache = {"model": None, "cache": None}
    (tmp_path / TINY.name).mkdir()
    (tmp_path / TINY.name / "cache").symlink_to(finished.folder / "cache")
    with pytest.raises(TrainingError, match=sentence):
        build(tiny_run(tmp_path, **cache, **changes))


def test_a_base_without_injector_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="no injector"):
        build(tiny_run(tmp_path, model=str(tmp_path), cache=tmp_path))


def test_a_change_has_the_parameters_of_its_layers_at_full_size():
    transformer, _ = load_empty_flux()
    kinds = (transformer.transformer_blocks, transformer.single_transformer_blocks)
    linear = [
        module
        for blocks in kinds
        for name, module in blocks.named_modules()
        if isinstance(module, torch.nn.Linear) and ".norm" not in name
    ]
    with torch.device("meta"):
        change = StudentLoRA(rank=64)
    updates = [m for m in change.modules() if isinstance(m, LoRALayer)]
    assert len(updates) == len(linear) == 19 * 12 + 38 * 5
    wanted = sum(64 * (m.in_features + m.out_features) for m in linear)
    assert count_parameters(*updates) == wanted
    assert count_parameters(change) == wanted + 257 * 3072 + 3073 * 3072
