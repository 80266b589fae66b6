"""E2GAN: an adapter is a small change of a base that stays as it was."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models import seeding
from models.errors import CheckpointError, ShapeError
from models.small.discriminators import PatchDiscriminator
from models.small.e2gan import LAYERS, E2Gan, LookAdapter, single_look
from pipelines import export

SAVED_LOOK = Path(__file__).with_name("saved_look")


@pytest.fixture(scope="module")
def base():
    net = E2Gan(looks=2, width=16, fine=8, tokens=2, heads=2)
    seeding.initialise(net, seeding.generator_for(0))
    with torch.no_grad():  # as if trained: nothing is zero any more
        for number, weight in enumerate(net.parameters()):
            weight += 0.05 * torch.randn(weight.shape, generator=seeding.generator_for(1, number))
    return net.eval()


@pytest.fixture
def face():
    return torch.rand((2, 3, 32, 32), generator=seeding.generator_for(0, "face")) * 1.6 - 0.8


def trained(base, ranks):
    """An adapter that changes all it may."""
    adapter = LookAdapter.for_base(base, ranks)
    with torch.no_grad():
        for number, weight in enumerate(adapter.parameters()):
            weight += 0.1 * torch.randn(weight.shape, generator=seeding.generator_for(2, number))
    return adapter


def test_an_untrained_generator_leaves_the_face_alone(face):
    net = seeding.initialise(E2Gan(2, 16, 8, 2, 2), seeding.generator_for(0)).eval()
    with torch.inference_mode():
        assert torch.equal(net(face, net.concept(torch.tensor([0, 1]))), face)


def test_it_is_of_a_mobile_size():
    assert 500_000 < sum(p.numel() for p in E2Gan().parameters()) < 1_500_000


def test_looks_differ_by_their_embedding_alone(base, face):
    with torch.inference_mode():
        one, another = (base(face, base.concept(torch.full((2,), look))) for look in (0, 1))
    assert (one - another).abs().max() > 1e-3
    assert (one - face).abs().max() > 1e-2


@pytest.mark.parametrize("rank", [0, 2])
def test_a_new_adapter_equals_the_base_to_the_bit(base, face, rank):
    adapter = LookAdapter.for_base(base, dict.fromkeys(LAYERS, rank))
    with torch.inference_mode():
        mean = base.concept(torch.arange(2)).mean(0).repeat(2, 1, 1)
        assert torch.equal(adapter(base, face), base(face, mean))
        adapter.concept.copy_(base.concept(torch.tensor([1]))[0])
        assert torch.equal(adapter(base, face), base(face, base.concept(torch.tensor([1, 1]))))


def test_rank_zero_changes_nothing_but_the_embedding(base):
    adapter = LookAdapter.for_base(base, dict.fromkeys(LAYERS, 0))
    assert sum(p.numel() for p in adapter.parameters()) == adapter.concept.numel()


def test_only_the_chosen_layers_are_changed(base):
    changed = trained(base, {"residual.2": 1, "up": 3}).weights(base)
    own = dict(base.named_parameters())
    assert set(changed) == {"residual.2.first.0.weight", "residual.2.last.weight", "up.0.weight"}
    for name, rank in (("residual.2.last.weight", 1), ("up.0.weight", 3)):
        difference = (changed[name] - own[name]).detach().flatten(1)
        assert torch.linalg.matrix_rank(difference, rtol=1e-4) == rank


def test_a_saved_adapter_paints_the_same_and_takes_less_than_two_hundredths_of_the_base(tmp_path):
    base = E2Gan().eval()
    face = torch.rand((1, 3, 32, 32), generator=seeding.generator_for(0, "face"))
    adapter = trained(base, {"up": 4, "residual.2": 4})
    base.save_pretrained(tmp_path / "base")
    adapter.save_pretrained(tmp_path / "look")
    again = LookAdapter.from_pretrained(tmp_path / "look", low_cpu_mem_usage=False)
    with torch.inference_mode():
        assert torch.equal(again(base, face), adapter(base, face))
    sizes = [
        (tmp_path / kind / "diffusion_pytorch_model.safetensors").stat().st_size
        for kind in ("look", "base")
    ]
    assert sizes[0] < 0.02 * sizes[1]


def test_a_single_look_is_the_adapter_on_the_base_and_the_base_stays(base, face):
    before = {name: value.clone() for name, value in base.state_dict().items()}
    adapter = trained(base, {"residual.0": 2, "attention": 1})
    with torch.inference_mode():
        torch.testing.assert_close(single_look(base, adapter)(face), adapter(base, face))
        known = base(face, base.concept(torch.tensor([1, 1])))
        torch.testing.assert_close(single_look(base, 1)(face), known)
    assert all(torch.equal(value, before[name]) for name, value in base.state_dict().items())


def test_a_look_saved_when_the_product_was_a_b_changes_the_same_weights(base):
    """The folder was written when `WeightDelta` was `LowRank`, and W + A B."""
    adapter = LookAdapter.from_pretrained(SAVED_LOOK)
    saved = load_file(SAVED_LOOK / "diffusion_pytorch_model.safetensors")
    assert saved.keys() == adapter.state_dict().keys()
    before = dict(base.named_parameters())
    for number, (name, weight) in enumerate(adapter.weights(base).items()):
        added = saved[f"change.A.{number}"] @ saved[f"change.B.{number}"]
        torch.testing.assert_close(weight, before[name] + added.view(weight.shape))
        assert added.abs().max() > 0.01


def test_an_adapter_of_another_base_is_refused(base, face):
    adapter = LookAdapter.for_base(E2Gan(2, 32, 8, 2, 2), {"residual.0": 1})
    with pytest.raises(CheckpointError):
        adapter(base, face)


def test_a_side_that_cannot_be_halved_three_times_is_refused(base):
    with pytest.raises(ShapeError):
        base(torch.zeros(1, 3, 36, 36), base.concept(torch.tensor([0])))


def test_an_exported_look_paints_the_same_picture_elsewhere(base, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    net = single_look(base, trained(base, {"residual.2": 2}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter talks of its own future
        path = export.write_onnx(net, tmp_path / "look.onnx")
    side = export.E2GAN_SIDE
    face = torch.rand((1, 3, side, side), generator=seeding.generator_for(0)) * 2 - 1
    (found,) = onnxruntime.InferenceSession(path).run(["made_up"], {"face": face.numpy()})
    with torch.inference_mode():
        expected = net(face).numpy()
    assert np.abs(expected - face.numpy()).max() > 0.01
    assert np.abs(found - expected).max() < 1e-4


def test_a_patch_is_judged_by_what_is_around_it_and_by_its_kind():
    net = seeding.initialise(PatchDiscriminator(2, width=8), seeding.generator_for(0))
    source = torch.ones(2, 3, 64, 64)
    logits = net(source, source, torch.tensor([0, 1]))
    assert logits.shape == (2, 8, 8)
    assert not torch.equal(logits[0], logits[1])
