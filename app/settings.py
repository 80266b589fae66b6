"""Settings from the environment: `MIRRA_HOST=0.0.0.0 mirra serve`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, TypedDict

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _on_a_space() -> bool:
    return "SPACE_ID" in os.environ


class LaunchOptions(TypedDict):
    """Those of Gradio's `launch` that an operator chooses."""

    server_name: str
    server_port: int
    max_file_size: str
    auth: list[tuple[str, str]] | None


class Settings(BaseSettings):
    """What an operator may choose; each field is read from `MIRRA_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="MIRRA_", extra="ignore")

    host: str = Field(default_factory=lambda: "0.0.0.0" if _on_a_space() else "127.0.0.1")
    port: int = Field(default=7860, ge=1, le=65535)
    auth: SecretStr | None = Field(
        default=None, description="user:password, or the path of a file with one such line each."
    )
    origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Other sites that may call, such as https://shop.example, by comma."
    )
    max_upload_mb: int = Field(default=30, ge=1, le=200)
    upload_seconds: float = Field(default=120, gt=0, description="Longest a request may arrive.")
    disk_mb: int = Field(default=2_000, ge=1, description="Most all visitors' files may weigh.")
    queue_size: int = Field(default=32, ge=1, description="Visitors who may wait.")
    at_once: int = Field(default=2, ge=1, description="Pictures worked on at the same time.")
    work_seconds: float = Field(default=120, gt=0, description="Longest work on one picture.")
    catalog: Path | None = Field(
        default=None, description="Folder of a catalogue all visitors share; else each has an own."
    )
    keep_minutes: float = Field(default=15, gt=0, description="How long results can be downloaded.")
    leave_seconds: float = Field(
        default=60, gt=0, description="How long a page may be closed until its session ends."
    )
    drain_seconds: float = Field(default=30, gt=0, description="To finish work when told to stop.")
    commercial_only: bool = Field(
        default=False, description="Offer only what may be used commercially."
    )
    metrics: bool = Field(default=True, description="Whether /metrics is served.")
    provenance: bool = Field(default=True, description="Results say in themselves what they are.")

    @field_validator("origins", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        return tuple(filter(None, value.split(","))) if isinstance(value, str) else value

    def accounts(self) -> list[tuple[str, str]] | None:
        """Who may log in, as (user, password); None if nobody has to.

        Raises:
            ValueError: a line is not of the form user:password.
        """
        if self.auth is None:
            return None
        given = self.auth.get_secret_value()
        lines = Path(given).read_text().splitlines() if Path(given).is_absolute() else [given]
        pairs = [line.partition(":") for line in lines if line.strip()]
        if not pairs or not all(user and password for user, _, password in pairs):
            raise ValueError("MIRRA_AUTH must be user:password, or a file of such lines")
        return [(user, password) for user, _, password in pairs]

    def launch_options(self) -> LaunchOptions:
        """What Gradio's `launch` needs of them."""
        return {
            "server_name": self.host,
            "server_port": self.port,
            "max_file_size": f"{self.max_upload_mb}mb",
            "auth": self.accounts(),
        }
