"""Gradio gives a handler its event by the parameter's type, and silently not if it cannot tell."""

import inspect
from typing import get_type_hints

import pytest

from app.ui.page import TABS


@pytest.mark.parametrize("tab", [tab for *_, tab in TABS], ids=lambda tab: tab.__name__)
def test_the_types_of_every_handler_can_be_told(tab):
    handlers = inspect.getmembers(tab, inspect.isfunction)
    assert len(handlers) > 3
    for name, handler in handlers:
        assert "return" in get_type_hints(handler) or name == "__init__"
