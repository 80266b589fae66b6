"""Which Mirra this is: its version, and a hash over its weights."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from pipelines.registry import WEIGHTS

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


@cache
def version() -> str:
    """As pyproject.toml has it; Mirra runs from its checkout, so the file is there."""
    found = re.search(r'^version = "([\w.]+)"', PROJECT.read_text(encoding="utf-8"), re.M)
    return found[1] if found else "unknown"


@cache
def weights_hash(folder: Path = WEIGHTS) -> str:
    """First 12 digits of a SHA-256 over name and content of each safetensors file.

    Args:
        folder: with one folder a network in it.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*/*.safetensors")):
        digest.update(f"{path.parent.name}/{path.name}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
