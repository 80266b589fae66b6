"""FLUX-Makeup from pictures to pictures, at toy size through the real classes."""

import json

import numpy as np
import pytest
import torch
from diffusers import FluxKontextPipeline
from typer.testing import CliRunner

from app.cli import app
from models import seeding, tiny
from models.diffusion.negative_attention import NAG, NASA
from models.errors import CancelledError, ShapeError, WeightsError
from models.instant.layer import region_weights
from pipelines.flux import list_missing, load_flux_makeup, translate_loading_errors
from pipelines.makeup.flux_recipes import PromptRecipe
from pipelines.makeup.pipeline_flux_makeup import FluxMakeupPipeline

SHORT = PromptRecipe("makeup.", 2.5, 2)


@pytest.fixture(scope="module")
def pipe(pipeline):
    parts = tiny.flux()
    made = FluxMakeupPipeline(**parts, injector=tiny.reflora_injector(parts["transformer"]))
    made.analyzer = pipeline.analyzer
    return made


def noise(batch=1, size=32, place="picture"):
    return 2 * torch.rand((batch, 3, size, size), generator=seeding.generator_for(0, place)) - 1


def test_without_injector_it_is_diffusers_kontext():
    source = noise()
    ours = FluxMakeupPipeline(**tiny.flux()).generate(source, None, [5], SHORT)
    kontext = FluxKontextPipeline(**tiny.flux())
    kontext.set_progress_bar_config(disable=True)
    theirs = kontext(
        image=(source + 1) / 2,
        prompt=SHORT.prompt,
        height=32,
        width=32,
        max_area=32 * 32,
        _auto_resize=False,
        num_inference_steps=SHORT.steps,
        guidance_scale=SHORT.guidance_scale,
        max_sequence_length=tiny.PROMPT_TOKENS,
        generator=torch.Generator().manual_seed(5),
        output_type="pt",
    ).images
    torch.testing.assert_close((ours.clamp(-1, 1) + 1) / 2, theirs, atol=1e-5, rtol=0)


def test_four_together_are_four_alone(pipe):
    sources, references = noise(4), noise(4, place="reference")
    together = pipe.generate(sources, references, [1, 2, 3, 4], SHORT)
    for n in range(4):
        alone = pipe.generate(sources[n : n + 1], references[n : n + 1], [n + 1], SHORT)
        torch.testing.assert_close(alone, together[n : n + 1], atol=1e-4, rtol=0)


def test_keys_and_values_kept_over_all_steps_are_those_computed_at_each(pipe):
    calls = []
    handle = pipe.injector.register_forward_hook(lambda *_: calls.append(1))
    kept = pipe.generate(noise(), noise(place="reference"), [1], SHORT)
    handle.remove()
    assert len(calls) == 1
    latents = pipe.encode(noise(place="reference"), torch.zeros(1))

    def anew(module, args, kwargs):
        kwargs["joint_attention_kwargs"] = {"reference": pipe.injector(latents, 8, 8)}
        return args, kwargs

    handle = pipe.transformer.register_forward_pre_hook(anew, with_kwargs=True)
    again = pipe.generate(noise(), noise(place="other"), [1], SHORT)
    handle.remove()
    torch.testing.assert_close(kept, again, atol=1e-6, rtol=0)


def test_only_the_regions_asked_for_change(pipe, astronaut, face):
    result = pipe(astronaut, astronaut, regions=["lips"], seed=7, size=32, recipe=SHORT)
    before, after = np.asarray(astronaut), np.asarray(result.images[0])
    x0, y0, x1, y1 = face.box_xyxy
    allowed = np.zeros(before.shape[:2], bool)
    allowed[y0:y1, x0:x1] = region_weights(face)["lips"] > 0
    changed = (before != after).any(-1)
    assert changed.any()
    assert not (changed & ~allowed).any()
    untouched = pipe.blend(result.layers[0], strength=0.0)
    assert np.array_equal(np.asarray(untouched), before)


def test_same_seed_same_picture_after_saving_and_loading(pipe, pipeline, astronaut, tmp_path):
    first = pipe(astronaut, astronaut, size=32, recipe=SHORT)
    pipe.save_pretrained(tmp_path / "pipe")
    components = json.loads((tmp_path / "pipe" / "model_index.json").read_text())
    assert components["injector"] == ["models.reflora.injector", "RefLoRAInjector"]
    loaded = load_flux_makeup(str(tmp_path / "pipe"))
    loaded.analyzer = pipeline.analyzer
    again = loaded(astronaut, astronaut, seed=first.seeds[0], size=32, recipe=SHORT)
    for name, weights in pipe.injector.state_dict().items():
        assert torch.equal(loaded.injector.state_dict()[name], weights)
    # Loaded weights lie elsewhere in memory, so sums may round otherwise: 5e-7, rarely one code.
    shown, shown_again = (np.int16(np.asarray(each.images[0])) for each in (first, again))
    assert np.abs(shown - shown_again).max() <= 1


def test_progress_counts_down_previews_and_stops(pipe):
    steps = []
    pipe.generate(noise(), noise(), [1], SHORT, on_step=steps.append)
    assert [p.step for p in steps] == [1, 2]
    assert steps[1].seconds_left == 0
    assert steps[0].preview()[0].size == (32, 32)
    with pytest.raises(CancelledError):
        pipe.generate(noise(), noise(), [1], SHORT, on_step=lambda _: False)


def test_a_plain_lora_looks_at_the_reference_as_tokens():
    plain = FluxMakeupPipeline(**tiny.flux())
    alone = plain.generate(noise(), None, [1], SHORT)
    shown = plain.generate(noise(), noise(place="reference"), [1], SHORT)
    assert (alone - shown).abs().max() > 1e-3


def test_a_student_takes_its_own_few_steps_and_each_seed_keeps_its_picture(tmp_path):
    parts, few = tiny.flux(), {"times": [1.0, 0.5], "noise": "fresh"}
    injector = tiny.reflora_injector(parts["transformer"])
    student = FluxMakeupPipeline(**parts, injector=injector, few_step=few)
    calls = []
    student.transformer.register_forward_hook(lambda *_: calls.append(1))
    sources, references = noise(2), noise(2, place="reference")
    together = student.generate(sources, references, [1, 2])
    assert len(calls) == 4  # two pictures, two steps
    second = student.generate(sources[1:], references[1:], [2])
    assert torch.equal(second, together[1:])
    student.save_pretrained(tmp_path)
    loaded = FluxMakeupPipeline.from_pretrained(tmp_path)
    again = loaded.generate(sources[1:], references[1:], [2])
    torch.testing.assert_close(again, second, atol=1e-4, rtol=0)


def test_sizes_and_numbers_that_do_not_fit_are_refused(pipe, astronaut):
    with pytest.raises(ShapeError, match="multiple of 4"):
        pipe.generate(noise(size=30), None, [1], SHORT)
    with pytest.raises(ShapeError, match="2 seeds"):
        pipe(astronaut, astronaut, seed=[1, 2])


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (MemoryError(), "memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "memory"),
        (ImportError("bitsandbytes"), "package"),
        (OSError("no file named config.json"), "missing"),
        (ConnectionError(), "offline"),
    ],
)
def test_what_can_go_wrong_has_its_reason(raised, reason):
    with pytest.raises(WeightsError) as caught, translate_loading_errors("somewhere"):
        raise raised
    assert caught.value.reason == reason


def test_gated_weights_say_where_to_accept_the_licence():
    import httpx
    from huggingface_hub.errors import GatedRepoError

    from app.messages import explain

    response = httpx.Response(403, request=httpx.Request("GET", "https://huggingface.co"))
    with pytest.raises(WeightsError) as caught, translate_loading_errors("somewhere"):
        raise GatedRepoError("gated", response=response)
    assert "Accept it" in explain(caught.value)


def test_an_empty_folder_lacks_a_pipeline(tmp_path):
    assert "no model_index.json" in list_missing(str(tmp_path))[0]
    with pytest.raises(WeightsError):
        load_flux_makeup(str(tmp_path))


def test_the_toy_from_the_command_line_paints(tmp_path, monkeypatch, astronaut):
    run = CliRunner().invoke
    assert run(app, ["models", "tiny", str(tmp_path)]).exit_code == 0
    monkeypatch.setenv("MIRRA_FLUX", str(tmp_path / "flux-makeup"))
    assert "flux-makeup (makeup): ready" in run(app, ["models"]).output
    astronaut.save(tmp_path / "me.png")
    words = ["makeup", str(tmp_path / "me.png"), str(tmp_path / "me.png")]
    words += ["-o", str(tmp_path / "out.png"), "--pipeline", "flux-makeup"]
    done = run(app, [*words, "--seed", "3", "--negative", "shiny"])
    assert "seed 3" in done.output, done.output
    assert (tmp_path / "out.png").exists()
    refused = run(app, [*words, "--commercial-only"])
    assert isinstance(refused.exception, WeightsError)
    assert refused.exception.reason == "licence"


@pytest.mark.parametrize("few", [None, {"times": [1.0], "noise": "fresh"}])
def test_a_negative_prompt_guides_with_and_without_injector_in_many_steps_and_in_one(few):
    for injected in (False, True):
        parts = tiny.flux()
        injector = tiny.reflora_injector(parts["transformer"]) if injected else None
        pipe = FluxMakeupPipeline(**parts, injector=injector, few_step=few)
        shown = noise(), noise(place="reference"), [1], SHORT

        def guided(pipe=pipe, shown=shown, words=SHORT.prompt, **how):
            return pipe.generate(*shown, negative_prompt=words, **how)

        plain = pipe.generate(*shown)
        assert torch.equal(guided(words="glossy", negative_guidance=NAG(scale=1.0)), plain)
        assert torch.equal(guided(words="glossy", negative_guidance=NASA(0.0)), plain)
        torch.testing.assert_close(guided(), plain, atol=2e-4, rtol=0)
        for rule in (NAG(), NASA()):
            assert (guided(words="glossy", negative_guidance=rule) - plain).abs().max() > 2e-3
