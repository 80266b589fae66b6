"""Settings from the environment: `MIRRA_HOST=0.0.0.0 mirra serve`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _on_a_space() -> bool:
    return "SPACE_ID" in os.environ


class Settings(BaseSettings):
    """What an operator may choose; each field is read from `MIRRA_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="MIRRA_", extra="ignore")

    host: str = Field(default_factory=lambda: "0.0.0.0" if _on_a_space() else "127.0.0.1")
    port: int = Field(default=7860, ge=1, le=65535)
    max_upload_mb: int = Field(default=30, ge=1, le=200)
    queue_size: int = Field(default=32, ge=1, description="Visitors who may wait.")
    at_once: int = Field(default=2, ge=1, description="Pictures worked on at the same time.")
    catalog: Path | None = Field(
        default=None, description="Folder of a catalogue all visitors share; else each has an own."
    )
    keep_minutes: int = Field(default=15, ge=1, description="How long results can be downloaded.")
    commercial_only: bool = Field(
        default=False, description="Offer only what may be used commercially."
    )

    def launch_options(self) -> dict[str, Any]:
        """What Gradio's `launch` needs of them."""
        return {
            "server_name": self.host,
            "server_port": self.port,
            "max_file_size": f"{self.max_upload_mb}mb",
        }
