"""The nano FLUX and its students, at toy size."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models import nano, seeding, tiny
from models.diffusion.few_step import FewStepSampler
from models.diffusion.flux_denoiser import with_guidance_embedder
from models.diffusion.flux_tokens import position_ids
from models.errors import TrainingError
from models.reflora.layers import attention_layers, rotated
from training.checkpoints import find_checkpoints
from training.config import LoopConfig
from training.evaluation.held_out_pairs import HeldOutPairs
from training.evaluation.nano import format_table, load_students
from training.flux.distill_networks import METHODS, DistillNetworks
from training.flux.distill_teacher import make_toy_teacher
from training.train_distill import PRESETS, build

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return make_toy_teacher(tmp_path_factory.mktemp("toy") / "cache", seed=0)


def tiny_run(folder, method="dmd2", steps=3, save_every=3):
    loop = LoopConfig(
        steps=steps, batch=2, save_every=save_every, log_every=1, ema=0.5, threads=1, keep=9
    )
    config = PRESETS["tiny"][1]
    return dataclasses.replace(config, output=folder, method=method, steps=2, loop=loop)


@pytest.mark.parametrize("name", METHODS)
def test_a_student_begins_as_its_teacher(name, teacher):
    config = dataclasses.replace(PRESETS["tiny"][1], method=name)
    method = METHODS[name](DistillNetworks(teacher, (0, 1)), FewStepSampler.even(2), config)
    x_t, t = torch.randn((2, 64, 16), generator=seeding.generator_for(1)), torch.tensor([0.9, 0.2])
    cond = torch.randn((2, 128, 16), generator=seeding.generator_for(2))
    with torch.no_grad():
        wanted = teacher.velocity(x_t, t, cond)
        student: Any = method.networks["student"]
        found = student.velocity(x_t, t, cond)
    assert wanted.abs().max() > 0.1
    assert torch.allclose(found, wanted, atol=1e-6)


def test_extra_conditions_change_nothing_until_a_network_has_learned_them():
    plain = nano.flux_transformer(seeding.generator_for(0, "deaf"))
    with torch.no_grad():  # an untrained output layer is zero
        plain.proj_out.weight.normal_(generator=seeding.generator_for(0, "out"))
    copy, generator = with_guidance_embedder(plain), seeding.generator_for(3)
    inputs = {
        "hidden_states": torch.randn((1, 4, 64), generator=generator),
        "encoder_hidden_states": torch.randn((1, 2, tiny.WIDTH), generator=generator),
        "pooled_projections": torch.randn((1, tiny.WIDTH), generator=generator),
        "timestep": torch.tensor([0.4]),
        "img_ids": position_ids(2, 2, 0),
        "txt_ids": torch.zeros(2, 3),
        "return_dict": False,
    }
    with torch.no_grad():
        wanted = plain(**inputs)[0]
        found = [copy(**inputs, guidance=torch.tensor([g]))[0] for g in (0.0, 3.0)]
    assert wanted.abs().max() > 0.1
    assert torch.equal(found[0], wanted)
    assert torch.equal(found[1], wanted)


def test_a_head_of_the_untrained_nano_looks_at_its_own_place_in_source_and_reference():
    network = nano.flux_transformer(seeding.generator_for(0, "nano"))
    side = nano.SIZE // (2 * nano.PATCH)
    ids = torch.cat([position_ids(side, side, kind) for kind in (0, 1)])
    attention: Any = attention_layers(network)[0]
    places = network.pos_embed(ids)
    generator = seeding.generator_for(1)
    seen = torch.randn((1, 2 * side**2, network.inner_dim), generator=generator)

    def first(layer, norm):
        return rotated(norm(layer(seen).unflatten(-1, (nano.HEADS, -1))), places)[0, :, 0]

    query = first(attention.to_q, attention.norm_q)[: side**2]
    own = (query @ first(attention.to_k, attention.norm_k).T / 8).softmax(-1)
    assert (own.argmax(-1) == torch.arange(side**2) + side**2).all()
    injector = nano.injector(network, seeding.generator_for(0, "injector"))
    tokens = torch.randn((1, side**2, 4 * nano.LATENT_CHANNELS), generator=generator)
    key = injector(tokens, side, side).keys[0][0, :, 0]
    looks = (query @ key.T / 8).softmax(-1).argmax(-1)
    assert (looks == torch.arange(side**2)).float().mean() > 0.95


def test_the_patch_autoencoder_gives_back_what_its_components_span():
    generator = seeding.generator_for(0, "patches")
    span = torch.randn((nano.LATENT_CHANNELS, 3 * nano.PATCH**2), generator=generator)
    drawn = torch.randn((4, 3, 3, nano.LATENT_CHANNELS), generator=generator) @ span
    pictures = torch.nn.functional.pixel_shuffle(drawn.movedim(-1, 1), nano.PATCH)
    vae = nano.PatchAutoencoder().fit(pictures)
    latents = vae.encode(pictures).latent_dist.mode()
    assert latents.shape == (4, nano.LATENT_CHANNELS, 3, 3)
    assert torch.allclose(vae.decode(latents)[0], pictures, atol=1e-3)
    other = torch.randn(pictures.shape, generator=generator)
    assert not torch.allclose(vae.decode(vae.encode(other).latent_dist.mode())[0], other, atol=0.5)


def test_a_distillation_that_was_stopped_goes_on_to_the_same_weights(tmp_path):
    build(tiny_run(tmp_path / "whole", steps=4, save_every=2)).run()
    stopped = build(tiny_run(tmp_path / "stopped", steps=4, save_every=2))
    one_step = stopped._take_step

    def stop(batch):
        if stopped.step == 3:
            raise KeyboardInterrupt
        return one_step(batch)

    stopped._take_step = stop
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    again = build(tiny_run(tmp_path / "stopped", steps=4, save_every=2))
    again.run()
    name = "tiny-student/checkpoints/000004/training_state/network.student.safetensors"
    assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "stopped" / name).read_bytes()


def test_a_finished_student_is_found_with_its_sampler(tmp_path):
    config = tiny_run(tmp_path, method="add", steps=2, save_every=2)
    build(config).run()
    assert len(find_checkpoints(config.folder / "checkpoints")) == 1
    found = load_students(tmp_path, config.folder / "cache")
    student = found["tiny-student"]
    assert student.sampler.times == (1.0, 0.5)
    assert student.cost["iterations"] == 2
    assert student.denoiser.transformer.config["guidance_embeds"]


def test_a_teacher_without_its_cache_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(TrainingError, match="both --model and --cache"):
        build(dataclasses.replace(PRESETS["nano"][1], model=tmp_path))


def test_held_out_pairs_are_judged_on_lips_eyelids_and_skin_apart():
    classes = np.zeros((1, 64, 64), np.uint8)
    classes[0, 10:50, 10:50], classes[0, 20:22, 20:24], classes[0, 40:43, 25:35] = 1, 4, 12
    blank = torch.zeros(1, 3, 64, 64)
    regions = HeldOutPairs(blank, blank, blank, classes).find_regions()
    assert regions["lips"].sum() == 30
    assert regions["eyes"].sum() == 8 * 10 - 8
    assert not (regions["eyes"] & regions["skin"]).any()


def test_the_readme_shows_the_table_of_the_nano():
    path = ROOT / "tests/benchmarks/results/distillation_nano.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    assert format_table(rows) in (ROOT / "training/README.md").read_text(encoding="utf-8")
