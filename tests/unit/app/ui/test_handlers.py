"""Gradio gives a handler its event by the parameter's type, and silently not if it cannot tell."""

import inspect
from typing import get_type_hints

import gradio as gr

from app.ui.page import TABS


def test_every_handler_of_an_event_can_be_told_from_its_types():
    handlers = [
        handler
        for *_, tab in TABS
        for _, handler in inspect.getmembers(tab, inspect.isfunction)
        if "event" in inspect.signature(handler).parameters
    ]
    assert len(handlers) >= 5
    for handler in handlers:
        assert get_type_hints(handler)["event"] is gr.SelectData
