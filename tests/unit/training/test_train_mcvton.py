"""MC-VTON is learned, at toy size, by the code that trains FLUX."""

import json
from dataclasses import replace

import pytest
import torch

from models.errors import TrainingError
from models.mcvton.adapters import BranchLoRA
from models.tryon.agnostic import is_part
from training import train_mcvton
from training.data.tryon.latents import LatentTryOn, encode_all
from training.data.tryon.synthetic_people import SyntheticWardrobe
from training.losses import adversarial, flow
from training.memory.mcvton import reckon_gigabytes
from training.train_mcvton import PRESETS, build


def preset(name, folder, **loop):
    config = PRESETS[name][1]
    return replace(config, output=folder, validation=0, loop=replace(config.loop, **loop))


def losses_of(config):
    lines = (config.folder / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(x).items() if k != "s"} for x in lines]


def moved(trainer, before):
    return {
        name: any(not torch.equal(before[name][k], v) for k, v in network.state_dict().items())
        for name, network in trainer.method.networks.items()
    }


def states(trainer):
    return {
        name: {k: v.clone() for k, v in network.state_dict().items()}
        for name, network in trainer.method.networks.items()
    }


def test_both_loras_learn_what_the_frozen_transformer_does_not_know(tmp_path):
    config = preset("tiny", tmp_path, steps=60, log_every=1, batch=4, save_every=60)
    config = replace(config, micro=4, optim=replace(config.optim, lr=4e-3, warmup=1))
    trainer = build(config)
    flux = trainer.method.control.transformer
    frozen = {k: v.clone() for k, v in flux.state_dict().items()}
    trainer.run()
    found = [x["flow"] for x in losses_of(config)]
    assert sum(found[-10:]) < 0.8 * sum(found[:10])
    assert all(torch.equal(v, frozen[k]) for k, v in flux.state_dict().items())
    weights = config.folder / "checkpoints" / "000060" / "weights"
    assert BranchLoRA.from_pretrained(weights / "garment").config["rank"] == 8


def test_each_phase_moves_what_it_names_and_nothing_else(tmp_path):
    trainer = build(preset("tiny_student", tmp_path, steps=1, save_every=1))
    before = states(trainer)
    trainer.run()
    assert moved(trainer, before) == {
        "student": True,
        "person": False,
        "garment": False,
        "prompt": False,
        "heads": True,
    }
    logged = losses_of(trainer.config)[-1]
    assert {"distill", "reconstruct", "adversarial", "discriminator"} <= logged.keys()


def test_a_student_carries_the_noise_levels_it_was_taught(tmp_path):
    config = preset("tiny_student", tmp_path, steps=1, save_every=1)
    build(config).run()
    weights = config.folder / "checkpoints" / "000001" / "weights"
    sigmas = BranchLoRA.from_pretrained(weights / "student").config["sigmas"]
    assert len(sigmas) == 8
    assert sigmas[0] == 1 > sigmas[1] > sigmas[-1] > 0


@pytest.mark.parametrize("name", ["tiny", "tiny_student"])
def test_a_resumed_run_equals_one_that_was_not_stopped(tmp_path, name):
    def config(folder, steps):
        start = preset(name, tmp_path / folder, steps=4, save_every=2, log_every=1)
        schedule = replace(start.optim, schedule="constant", warmup=1)
        return replace(start, optim=schedule, loop=replace(start.loop, steps=steps))

    build(config("stopped", 2)).run()
    path = config("stopped", 2).folder / "config.json"
    path.unlink()  # the number of steps is a setting; here the shorter run stands for a kill
    build(config("stopped", 4)).run()
    build(config("whole", 4)).run()
    assert losses_of(config("stopped", 4)) == losses_of(config("whole", 4))


def test_a_batch_in_pieces_gives_the_gradients_of_the_whole(tmp_path):
    gradients = []
    for micro in (4, 1):
        config = replace(preset("tiny", tmp_path / str(micro), steps=1, batch=4), micro=micro)
        trainer = build(config)
        trainer._train_only(("person", "garment"))
        trainer._compute_gradients("adapters", trainer._load_batch(0))
        lora = trainer.method.networks["garment"]
        gradients.append([p.grad for p in lora.parameters() if p.grad is not None])
    for whole, pieces in zip(*gradients, strict=True):
        torch.testing.assert_close(whole, pieces, atol=1e-6, rtol=1e-4)


def test_latents_are_encoded_once_and_a_batch_owes_nothing_to_order(tmp_path):
    vae = train_mcvton.load_vae(None)
    folder = encode_all(SyntheticWardrobe(count=24), vae, tmp_path / "latents")
    written = (folder / "person.npy").stat().st_mtime_ns
    assert encode_all(SyntheticWardrobe(count=24), vae, folder) == folder
    assert (folder / "person.npy").stat().st_mtime_ns == written
    data = LatentTryOn(folder)
    one, same = (data.batch(torch.tensor([3, 5]), torch.Generator().manual_seed(2)) for _ in "ab")
    assert all(torch.equal(one[k], same[k]) for k in one)
    with pytest.raises(TrainingError, match="holds latents of 24 samples, the data has 7"):
        encode_all(SyntheticWardrobe(count=7), vae, folder)


def test_synthetic_people_wear_the_stripes_of_their_garment():
    batch = SyntheticWardrobe((64, 48)).batch(torch.arange(6), torch.Generator())
    upper = is_part(batch["parts"], 4)[:, 0] > 0
    for person, garment, where in zip(batch["person"], batch["garment"], upper, strict=True):
        colors = {tuple(x) for x in person.permute(1, 2, 0)[where].tolist()}
        flat = {tuple(x) for x in garment.permute(1, 2, 0).reshape(-1, 3).tolist()}
        assert colors == flat - {(0.0, 0.0, 0.0)}
    hidden = batch["condition"][:, 3] > 0
    assert hidden[upper].all()


def test_a_perfect_velocity_has_no_loss_and_points_at_the_picture():
    generator = torch.Generator().manual_seed(0)
    x0, noise = (torch.randn(3, 4, 2, 2, generator=generator) for _ in range(2))
    t = torch.tensor([0.1, 0.5, 0.9])
    x_t = flow.add_noise(x0, noise, t)
    assert flow.flow_matching(noise - x0, x0, noise) == 0
    torch.testing.assert_close(flow.x0_from_velocity(x_t, noise - x0, t), x0)
    assert flow.score_distillation(x0, x0, t) == 0
    sure = torch.tensor([2.0])
    assert adversarial.discriminator_loss(sure, -sure, "hinge") == 0
    assert adversarial.discriminator_loss(-sure, sure, "hinge") == 6


def test_a_student_of_flux_needs_a_teacher(tmp_path):
    with pytest.raises(TrainingError, match="--adapters"):
        build(replace(PRESETS["student_24gb"][1], model="somewhere", output=tmp_path))


@pytest.mark.parametrize("name", [x for x in PRESETS if x.endswith("gb")])
def test_each_card_holds_its_preset_with_a_tenth_to_spare(name):
    card = float(name.split("_")[1].removesuffix("gb"))
    assert sum(reckon_gigabytes(PRESETS[name][1]).values()) < 0.9 * card
