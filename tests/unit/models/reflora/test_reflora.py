"""FLUX-Makeup's injector: counts, formulas and files, against what its paper's code is known by."""

import math
import pickle

import pytest
import torch

from models import seeding, tiny
from models.diffusion.flux_tokens import pack, position_ids, unpack
from models.diffusion.rectified_flow import Conditions, velocity
from models.errors import CheckpointError
from models.reflora.checkpoint import load_official, official_names, read_official
from models.reflora.injector import RefLoRAInjector
from models.reflora.layers import Reference, attend

GRID = 4


def drawn(*shape, place="x"):
    return torch.randn(shape, generator=seeding.generator_for(0, place, *shape))


def run(transformer, batch=2, **attention):
    ids = torch.cat([position_ids(GRID, GRID, 0), position_ids(GRID, GRID, 1)])
    conditions = Conditions(
        drawn(batch, 5, tiny.WIDTH),
        drawn(batch, tiny.WIDTH),
        drawn(batch, 16, 16),
        ids,
        2.5,
        attention,
    )
    sigma = torch.full((batch,), 0.5)
    return velocity(transformer, drawn(batch, 16, 16, place="noisy"), sigma, conditions).detach()


def fresh(transformer, **options):
    injector = RefLoRAInjector.for_transformer(transformer, rank=4, **options)
    return injector.initialise(seeding.generator_for(0, "injector"))


def test_at_full_size_the_parameters_are_those_of_the_released_file():
    with torch.device("meta"):
        injector = RefLoRAInjector()
    assert sum(p.numel() for p in injector.layers.parameters()) == 717_225_984
    assert sum(p.numel() for p in injector.image_projection.parameters()) == 9_646_080
    assert len(injector.layers) == 57
    assert len(official_names(19, 38)) == 57 * 4 + 6


def naive(query, key, value, ref_key, ref_value, bias):
    """Attention one query at a time, in words a textbook would use."""
    out = torch.zeros_like(query)
    for b in range(query.shape[0]):
        for h in range(query.shape[2]):
            keys = torch.cat([key[b, :, h], ref_key[b, :, h]])
            values = torch.cat([value[b, :, h], ref_value[b, :, h]])
            for s in range(query.shape[1]):
                logits = torch.stack([query[b, s, h] @ k for k in keys])
                logits = logits / math.sqrt(query.shape[-1])
                logits[key.shape[1] :] += bias[b]
                share = torch.exp(logits - logits.max())
                share = share / share.sum()
                out[b, s, h] = sum(p * v for p, v in zip(share, values, strict=True))
    return out


@pytest.mark.parametrize("biased", [False, True])
def test_attention_with_a_reference_is_the_textbooks(biased):
    query, key, value = (drawn(2, 5, 2, 8, place=name) for name in "qkv")
    ref_key, ref_value = (drawn(2, 3, 2, 8, place=name) for name in ("rk", "rv"))
    weights = torch.tensor([[1.0, 0.5, 0.0], [0.2, 1.0, 1.0]]) if biased else None
    level = torch.tensor([-2.0]) if biased else None
    reference = Reference((ref_key,), (ref_value,), "joint", level, weights)
    bias = weights.log() - 2 if biased else torch.zeros(2, 3)
    expected = naive(query, key, value, ref_key, ref_value, bias)
    torch.testing.assert_close(attend(query, key, value, reference, 0), expected)


def test_keys_are_normalised_per_head_and_rotated_to_the_left_of_the_target():
    transformer = tiny.flux_transformer()
    injector = tiny.reflora_injector(transformer)
    latents = drawn(1, 16, 16)
    reference = injector(latents, GRID, GRID)
    layer = injector.layers[1]
    raw = layer.ref_to_k_lora_up(layer.ref_to_k_lora_down(injector.image_projection(latents)))
    heads = raw.reshape(1, 16, 2, 16)
    heads = heads / (heads.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    token, head = 6, 1  # row 1, column 2: ids (2, 1, 2 - 4)
    angles = torch.cat(
        [
            place * 10000.0 ** (-torch.arange(0, width, 2) / width)
            for place, width in zip((2.0, 1.0, -2.0), (4, 6, 6), strict=True)
        ]
    )
    pairs = torch.view_as_complex(heads[0, token, head].reshape(8, 2))
    turned = torch.view_as_real(pairs * torch.polar(torch.ones(8), angles)).flatten()
    torch.testing.assert_close(reference.keys[1][0, token, head], turned, atol=1e-5, rtol=1e-5)


def test_without_a_reference_the_transformer_is_untouched():
    transformer = tiny.flux_transformer()
    before = run(transformer)
    tiny.reflora_injector(transformer).install(transformer)
    assert torch.equal(run(transformer), before)


def test_the_released_form_dilutes_at_step_0_and_both_ways_out_do_not():
    transformer = tiny.flux_transformer()
    before = run(transformer)
    change = {}
    for name, options in {
        "joint": {},
        "bias": {"logit_bias": -20.0},
        "separate": {"form": "separate"},
    }.items():
        injector = fresh(transformer, **options)
        injector.install(transformer)
        reference = injector(drawn(2, 16, 16), GRID, GRID)
        change[name] = float((run(transformer, reference=reference) - before).abs().max())
    assert change["joint"] > 1e-2
    assert change["bias"] < 1e-6
    assert change["separate"] == 0.0


@pytest.mark.parametrize("form", ["joint", "separate"])
def test_weights_of_0_hide_a_reference_and_of_1_change_nothing(form):
    transformer = tiny.flux_transformer()
    before = run(transformer)
    injector = tiny.reflora_injector(transformer, form=form)
    injector.install(transformer)
    latents = drawn(2, 16, 16)
    seen = run(transformer, reference=injector(latents, GRID, GRID))
    none = run(transformer, reference=injector(latents, GRID, GRID, torch.zeros(2, 16)))
    all_of_it = run(transformer, reference=injector(latents, GRID, GRID, torch.ones(2, 16)))
    assert (seen - before).abs().max() > 0.1
    torch.testing.assert_close(none, before, atol=1e-5, rtol=0)
    torch.testing.assert_close(all_of_it, seen, atol=1e-5, rtol=0)


def test_packing_is_undone_and_a_token_holds_two_by_two_pixels():
    latents = drawn(2, 3, 6, 8)
    tokens = pack(latents)
    assert torch.equal(unpack(tokens, 3, 4), latents)
    assert torch.equal(tokens[0, 5], latents[0, :, 2:4, 2:4].flatten())


@pytest.fixture
def official(tmp_path):
    """A toy's `checkpoint.pt` with every released key, and the injector it was made from."""
    transformer = tiny.flux_transformer(0, 2, 1)
    injector = tiny.reflora_injector(transformer)
    path = tmp_path / "checkpoint.pt"
    state, names = injector.state_dict(), official_names(2, len(injector.layers) - 2)
    torch.save({key: state[name] for key, name in names.items()}, path)
    return path, transformer, injector


def test_a_released_checkpoint_loads_with_every_key(official, tmp_path):
    path, transformer, injector = official
    found = load_official(path, transformer)
    assert found.config["rank"] == 4
    for name, value in injector.state_dict().items():
        assert torch.equal(found.state_dict()[name], value)
    found.save_pretrained(tmp_path / "ours")
    assert (tmp_path / "ours" / "diffusion_pytorch_model.safetensors").exists()


def test_a_missing_or_misshapen_tensor_is_named(official):
    path, transformer, _ = official
    tensors = read_official(path)
    key = "transformer.single_transformer_blocks.0.attn.processor.ref_to_v_lora_up.weight"
    torch.save({k: v for k, v in tensors.items() if k != key}, path)
    with pytest.raises(CheckpointError, match=f"lacks {key}"):
        load_official(path, transformer)
    torch.save(tensors | {key: torch.zeros(3, 3)}, path)
    with pytest.raises(CheckpointError, match=rf"{key} has the shape \(3, 3\)"):
        load_official(path, transformer)
    torch.save(tensors | {"optimizer": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="unknown optimizer"):
        load_official(path, transformer)


def test_tensors_of_the_transformer_in_the_file_are_taken_in(official):
    path, transformer, _ = official
    tuned = torch.full_like(transformer.proj_out.bias, 7.0)
    torch.save(read_official(path) | {"transformer.proj_out.bias": tuned}, path)
    load_official(path, transformer)
    assert torch.equal(transformer.proj_out.bias, tuned)


class Bomb:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        from pathlib import Path

        return Path.touch, (self.mark,)


@pytest.mark.parametrize("format", ["torch", "pickle"])
def test_a_checkpoint_with_code_in_it_is_refused_and_not_run(tmp_path, format):
    path, mark = tmp_path / "checkpoint.pt", tmp_path / "ran"
    if format == "torch":
        torch.save({"a": Bomb(mark)}, path)
    else:
        path.write_bytes(pickle.dumps({"a": Bomb(mark)}, protocol=2))
    with pytest.raises(CheckpointError):
        read_official(path)
    assert not mark.exists()


def test_an_injector_of_another_transformer_is_refused():
    injector = tiny.reflora_injector(tiny.flux_transformer(0, 2, 1))
    with pytest.raises(CheckpointError, match="num_layers"):
        injector.install(tiny.flux_transformer(0, 1, 1))
