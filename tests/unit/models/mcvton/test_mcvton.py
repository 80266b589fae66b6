"""The branches of MC-VTON against one joint sequence, against peft, and at full size."""

import copy
from contextlib import nullcontext

import pytest
import torch
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch.utils.flop_counter import FlopCounterMode

from models.diffusion.flux_tokens import TARGET, pack, position_ids, unpack
from models.diffusion.lora import attach, recompute_activations
from models.errors import CheckpointError, ShapeError
from models.mcvton.adapters import DISTILLED, GARMENT, PERSON, BranchLoRA
from models.mcvton.prompt import FixedPrompt
from models.mcvton.transformer import MinimalControl


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def toy_flux():
    transformer = FluxTransformer2DModel(
        in_channels=16,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=8,
        pooled_projection_dim=8,
        axes_dims_rope=(4, 6, 6),
        guidance_embeds=True,
    )
    return filled(transformer).eval()


def filled(network, scale=0.2):
    """Give every weight a value, so that no branch and no gate is silent."""
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        parameter.data.normal_(0, scale, generator=generator)
    return network


@pytest.fixture(scope="module")
def control():
    transformer = toy_flux()
    loras = [
        filled(BranchLoRA.for_transformer(transformer, **x)) for x in (PERSON, GARMENT, DISTILLED)
    ]
    prompt = FixedPrompt.of(drawn(1, 5, 8), drawn(1, 8, seed=1))
    return MinimalControl(transformer, loras[0], loras[1], prompt, loras[2])


def naive(control, latents, sigma, masked_person, garment, guidance):
    """FLUX over the joint sequence [text; noise; person; garment], with an explicit mask."""
    flux, prompt = control.transformer, control.prompt
    rows, columns = latents.shape[-2] // 2, latents.shape[-1] // 2
    count = len(latents)
    loras = [control.noise, control.noise, control.person, control.garment]
    lengths = [prompt.embeds.shape[1], *[rows * columns] * 3]
    ids = [
        torch.zeros(lengths[0], 3),
        *[position_ids(rows, columns, TARGET, x) for x in (0, 0, -columns)],
    ]
    rotary = flux.pos_embed(torch.cat(ids))
    owner = torch.repeat_interleave(torch.arange(4), torch.tensor(lengths))
    mask = (owner[:, None] == owner[None]) | (owner[:, None] < 2)

    def at(i):
        return loras[i].applied()

    def branch(i, t, g):
        with at(i):
            pooled = prompt.pooled.expand(count, -1)
            return flux.time_text_embed(t * 1000, torch.full((count,), g * 1000), pooled)

    zero = torch.zeros(count)
    temb = [branch(i, t, g) for i, (t, g) in enumerate([(sigma, guidance)] * 2 + [(zero, 1.0)] * 2)]
    x = [flux.context_embedder(prompt.embeds.expand(count, -1, -1))]
    for i, picture in enumerate((latents, masked_person, garment), 1):
        with at(i):
            x.append(flux.x_embedder(pack(picture)))

    def attend(qkv):
        q, k, v = (torch.cat(part, 1) for part in zip(*qkv, strict=True))
        q, k = (apply_rotary_emb(part, rotary, sequence_dim=1) for part in (q, k))
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / q.shape[-1] ** 0.5
        weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
        return torch.einsum("bhqk,bkhd->bqhd", weights, v).flatten(2).split(lengths, 1)

    def project(attn, i, normed, names, norms):
        q, k, v = (getattr(attn, n)(normed).unflatten(-1, (attn.heads, -1)) for n in names)
        return getattr(attn, norms[0])(q), getattr(attn, norms[1])(k), v

    for block in flux.transformer_blocks:
        attn, normed, qkv = block.attn, [], []
        for i in range(4):
            with at(i):
                normed.append((block.norm1_context if i == 0 else block.norm1)(x[i], emb=temb[i]))
                names = ("add_q_proj", "add_k_proj", "add_v_proj") if i == 0 else ATTN
                norms = ("norm_added_q", "norm_added_k") if i == 0 else ("norm_q", "norm_k")
                qkv.append(project(attn, i, normed[i][0], names, norms))
        for i, out in enumerate(attend(qkv)):
            _, gate, shift, scale, gate_mlp = (part[:, None] for part in normed[i])
            norm, mlp = (block.norm2, block.ff) if i else (block.norm2_context, block.ff_context)
            with at(i):
                x[i] = x[i] + gate * (attn.to_out[0] if i else attn.to_add_out)(out)
                x[i] = x[i] + gate_mlp * mlp(norm(x[i]) * (1 + scale) + shift)
    for block in flux.single_transformer_blocks:
        attn, normed, qkv = block.attn, [], []
        for i in range(4):
            with at(i):
                normed.append(block.norm(x[i], emb=temb[i]))
                qkv.append(project(attn, i, normed[i][0], ATTN, ("norm_q", "norm_k")))
        for i, out in enumerate(attend(qkv)):
            with at(i):
                mlp = block.act_mlp(block.proj_mlp(normed[i][0]))
                x[i] = x[i] + normed[i][1][:, None] * block.proj_out(torch.cat([out, mlp], 2))
    return unpack(flux.proj_out(flux.norm_out(x[1], temb[1])), rows, columns)


ATTN = ("to_q", "to_k", "to_v")


@torch.no_grad()
def test_two_passes_and_a_memory_equal_one_masked_sequence_at_every_step(control):
    latents, person, garment = (drawn(2, 4, 8, 6, seed=i) for i in range(3))
    memory = control.remember(person, garment)
    for sigma in (1.0, 0.55, 0.1):
        sigmas = torch.full((2,), sigma)
        cached = control.velocity(latents, sigmas, memory, 3.5, distilled=True)
        joint = naive(control, latents, sigmas, person, garment, 3.5)
        torch.testing.assert_close(cached, joint, atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_each_condition_and_its_place_matter(control):
    latents, person, garment = (drawn(1, 4, 8, 6, seed=i) for i in range(3))
    sigma = torch.full((1,), 0.5)
    whole = control.velocity(latents, sigma, control.remember(person, garment))
    for other in (control.remember(person, person), control.remember(garment, person), None):
        assert (control.velocity(latents, sigma, other) - whole).abs().max() > 1e-3


@torch.no_grad()
def test_a_batch_of_four_equals_four_singles(control):
    latents, person, garment = (drawn(4, 4, 8, 6, seed=i) for i in range(3))
    sigma = torch.tensor([0.9, 0.7, 0.4, 0.1])
    together = control.velocity(latents, sigma, control.remember(person, garment), 3.5)
    for i in range(4):
        one = slice(i, i + 1)
        memory = control.remember(person[one], garment[one])
        alone = control.velocity(latents[one], sigma[one], memory, 3.5)
        torch.testing.assert_close(together[one], alone, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_one_memory_serves_many_seeds(control):
    person, garment = drawn(1, 4, 8, 6), drawn(1, 4, 8, 6, seed=1)
    latents, sigma = drawn(3, 4, 8, 6, seed=2), torch.full((3,), 0.5)
    shared = control.velocity(latents, sigma, control.remember(person, garment))
    copies = control.remember(person.expand(3, -1, -1, -1), garment.expand(3, -1, -1, -1))
    torch.testing.assert_close(shared, control.velocity(latents, sigma, copies), atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("settings", [PERSON, GARMENT, DISTILLED], ids=["MP", "G", "D"])
def test_a_branch_equals_peft_with_the_same_file(settings, tmp_path):
    pytest.importorskip("peft")
    plain, ours = toy_flux(), toy_flux()
    lora = filled(BranchLoRA.for_transformer(ours, **settings))
    lora.save_pretrained(tmp_path)
    attach(ours, lora.updates)
    plain.load_lora_adapter(
        tmp_path, weight_name="diffusion_pytorch_model.safetensors", prefix=None
    )
    inputs = {
        "hidden_states": drawn(2, 12, 16),
        "encoder_hidden_states": drawn(2, 5, 8),
        "pooled_projections": drawn(2, 8),
        "timestep": torch.tensor([0.3, 0.8]),
        "guidance": torch.ones(2),
        "img_ids": position_ids(4, 3, TARGET),
        "txt_ids": torch.zeros(5, 3),
        "return_dict": False,
    }
    frozen = ours(**inputs)[0]
    with lora.applied():
        found = ours(**inputs)[0]
    torch.testing.assert_close(found, plain(**inputs)[0], atol=1e-5, rtol=1e-4)
    assert (found - frozen).abs().max() > 1e-2


def test_recomputed_blocks_give_the_same_gradients(control):
    latents, person, garment = (drawn(2, 4, 4, 4, seed=i) for i in range(3))

    def gradients(control):
        memory = control.remember(person, garment)
        v = control.velocity(latents, torch.full((2,), 0.5), memory, distilled=True)
        parameters = [*control.person.parameters(), *control.garment.parameters()]
        parameters += control.noise.parameters()
        return torch.autograd.grad(v.square().mean(), parameters, allow_unused=True)

    expected = gradients(control)
    saving = copy.deepcopy(control)
    recompute_activations(saving.transformer)
    saving.transformer.train()
    for one, other in zip(expected, gradients(saving), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other)


def test_a_new_branch_changes_nothing(control):
    transformer = toy_flux()
    new = [
        BranchLoRA.for_transformer(transformer, **x).initialise(torch.Generator())
        for x in (PERSON, GARMENT)
    ]
    fresh = MinimalControl(transformer, *new, control.prompt)
    person, garment = drawn(1, 4, 8, 6), drawn(1, 4, 8, 6, seed=1)
    written = fresh.remember(person, garment)
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        for lora in new:
            patch.setattr(lora, "applied", nullcontext)
        plain = fresh.remember(person, garment)
    for layer, (keys, values) in written.layers.items():
        assert torch.equal(keys, plain.layers[layer][0])
        assert torch.equal(values, plain.layers[layer][1])


def test_an_adapter_of_another_size_is_refused(control):
    wide = BranchLoRA(2, width=64, in_channels=16, num_layers=2, num_single_layers=2)
    with pytest.raises(CheckpointError, match="x_embedder is for 16 inputs and 64 outputs"):
        attach(control.transformer, wide.updates)
    deep = BranchLoRA(2, width=32, in_channels=16, num_layers=3, num_single_layers=2)
    with pytest.raises(CheckpointError, match=r"transformer_blocks\.2"):
        attach(control.transformer, deep.updates)
    with pytest.raises(ShapeError):
        control.remember(drawn(1, 4, 8, 6), drawn(1, 4, 8, 8))


@pytest.fixture(scope="module")
def full_size():
    with torch.device("meta"):
        flux = FluxTransformer2DModel(guidance_embeds=True)
        loras = [BranchLoRA(**x) for x in (PERSON, GARMENT, DISTILLED)]
        return MinimalControl(flux, loras[0], loras[1], FixedPrompt(), loras[2])


def test_the_published_counts_at_full_size(full_size):
    person, garment, distilled = (
        sum(p.numel() for p in lora.parameters())
        for lora in (full_size.person, full_size.garment, full_size.noise)
    )
    assert person + garment == pytest.approx(39.7e6, rel=0.005)
    assert person + garment + distilled == pytest.approx(86.8e6, rel=0.005)


def test_a_cached_step_costs_less_than_half():
    # FLUX's widths and 1024 x 768, with a twentieth of its blocks; bench_mcvton counts all.
    with torch.device("meta"):
        flux = FluxTransformer2DModel(num_layers=1, num_single_layers=2, guidance_embeds=True)
        loras = [BranchLoRA.for_transformer(flux, **x) for x in (PERSON, GARMENT)]
        few_blocks = MinimalControl(flux, *loras, FixedPrompt())
        latents, sigma = torch.zeros(1, 16, 128, 96), torch.zeros(1)

    def cost(call):
        with FlopCounterMode(display=False) as counter:
            result = call()
        return counter.get_total_flops(), result

    conditions, memory = cost(lambda: few_blocks.remember(latents, latents))
    step, _ = cost(lambda: few_blocks.velocity(latents, sigma, memory))
    assert conditions > step
    # Without the cache each step takes both.
    assert step / (step + conditions) < 0.5
