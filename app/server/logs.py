"""Logs: one JSON object a line, of counts and timings. Nothing a visitor sent is ever in one."""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

_LOGGER = logging.getLogger("mirra")


def log_event(event: str, **values: float | str | bool) -> None:
    """Write a line.

    Args:
        event: what happened, in a word.
        values: numbers, and words of our own such as an endpoint's name.
    """
    _LOGGER.info(event, extra={"values": values})


def log_failure(error: BaseException, **values: float | str) -> None:
    """Write what went wrong and in which line of code, without the error's own text.

    The text of an error often quotes a file's name or what a visitor typed.
    """
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    log_event("failed", error=type(error).__name__, place=place, **values)


class _JsonLines(logging.Formatter):
    """Our records as JSON; of anybody else's only who spoke, from where, and how grave it is."""

    def format(self, record: logging.LogRecord) -> str:
        values = getattr(record, "values", None)
        if record.name != _LOGGER.name or values is None:
            values = {
                "logger": record.name,
                "level": record.levelname,
                "place": f"{Path(record.pathname).name}:{record.lineno}",
            }
        event = record.msg if record.name == _LOGGER.name else "library"
        return json.dumps({"time": round(time.time(), 3), "event": event, **values})


def configure() -> None:
    """Send all logging of this process to standard error, as lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(True)
    _LOGGER.setLevel(logging.INFO)


def capture(library: str) -> None:
    """Let a library that brings its own handlers write lines like everybody else."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == library]
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
