"""The page in the visitor's language: labels by `gr.I18n`, the rest by `translate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component
from gradio.i18n import I18nData

from app.language import LANGUAGES, choose_language, language, load_translations, translate
from app.server.blocks import GuardedBlocks

TranslatedOnLoad = dict[Component, Callable[[], object]]
"""Parts of the page that `gr.I18n` does not reach, such as captions, and what makes them anew."""

TRANSLATED_PROPERTIES = ("label", "value", "info", "placeholder")


class TranslatedPage(GuardedBlocks):
    """The page, which answers everybody in the language their browser asks for."""

    async def process_api(self, block_fn: Any, inputs: list[Any], *rest: Any, **more: Any) -> Any:
        """Note the visitor's language, then let Gradio answer; refusals are translated, too."""
        request = more.get("request")
        headers = getattr(request, "headers", None) or {}
        language.set(choose_language(headers.get("accept-language")))
        try:
            return await super().process_api(block_fn, inputs, *rest, **more)
        except gr.Error as error:
            error.message = translate(str(error.message))
            raise


def build_dictionaries() -> gr.I18n:
    """Our sentences for the browser; it goes by "zh-CN" where we say "zh"."""
    english = {sentence: sentence for code in LANGUAGES for sentence in load_translations(code)}
    others = {code: load_translations(code) for code in LANGUAGES if code != "en"}
    if "zh" in others:
        others["zh-CN"] = others["zh"]
    return gr.I18n(en=english, **others)


def translate_labels(page: gr.Blocks) -> None:
    """Have the browser translate every label and text of the page that is a sentence of ours.

    What is for programs alone stays as it is: the parts of hidden rows.
    """
    ours = build_dictionaries().translations["en"]
    for block in page.blocks.values():
        if _for_programs(block):
            continue
        for name in TRANSLATED_PROPERTIES:
            said = getattr(block, name, None)
            if isinstance(said, str) and said in ours:
                setattr(block, name, str(I18nData(said)))


def _for_programs(block: Block) -> bool:
    """Whether it lies in a hidden row."""
    while (parent := block.parent) is not None:
        if isinstance(parent, gr.Row) and not parent.visible:
            return True
        block = parent
    return False


def translate_on_load(page: gr.Blocks, translated: TranslatedOnLoad) -> None:
    """When the page opens, make anew what `gr.I18n` does not reach; in English nothing is sent."""

    def made_anew() -> list[object]:
        return [gr.skip() if language.get() == "en" else make() for make in translated.values()]

    page.load(
        made_anew,
        None,
        list(translated),
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
