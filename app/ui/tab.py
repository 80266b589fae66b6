"""What every tab of the page is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from app.service import Studio
from app.settings import Settings
from app.ui.languages import TranslatedOnLoad


class Tab(ABC):
    """A tab of the page; its handlers are methods, which need no page.

    Args:
        studio: of the page.
        settings: of the page.
    """

    def __init__(self, studio: Studio, settings: Settings) -> None:
        self.studio = studio
        self.settings = settings

    @abstractmethod
    def build(self) -> TranslatedOnLoad:
        """Add it to the page that is being built; returns what is translated when it opens."""
