"""Guards of every event: what comes in is checked, what goes wrong is said in a sentence."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState

from app.messages import MALFORMED, TOOK_TOO_LONG, UNKNOWN, explain
from app.server.logs import log_event, log_failure
from app.server.metrics import Metrics
from app.server.payloads import check_payload
from app.server.sessions import Sessions
from app.server.workers import WorkerSlots
from app.settings import Settings
from models.errors import MirraError

WORK = "work"
"""Concurrency id of everything that costs more than a blink."""


class GuardedBlocks(gr.Blocks):
    """Blocks that check all that comes from the page or from a program.

    Gradio by itself fetches a file given by its address, and takes a payload without its `meta`
    for granted, so that a program could name any picture on this machine. It prints errors with
    whatever they quote. Checking here covers every component of every tab, also those to come.

    Args:
        settings: the operator's.
        sessions: remembers whose files are whose; None where nobody visits.
        options: Gradio's.
    """

    def __init__(
        self, settings: Settings, sessions: Sessions | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.sessions = sessions
        self.slots = WorkerSlots(settings.at_once, settings.work_seconds)
        self.metrics = Metrics()

    def limit_heavy_work(self) -> None:
        """Let each event of the id `WORK` wait for a slot; called once, when all are there."""
        for function in self.fns.values():
            if function.concurrency_id == WORK and function.fn is not None:
                function.fn = self.slots.limit(function.fn)

    async def preprocess_data(
        self,
        block_fn: BlockFunction,
        inputs: list[object],
        state: SessionState | None,
        explicit_call: bool = False,
    ) -> list[object]:
        """Check what comes in, then let Gradio read it."""
        try:
            check_payload(inputs)
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except gr.Error:
            raise
        except Exception:  # Gradio's readers raise whatever a malformed payload leads them to
            raise gr.Error(MALFORMED, print_exception=False) from None

    async def process_api(
        self, block_fn: BlockFunction | int, inputs: list[object], *rest: Any, **more: Any
    ) -> dict[str, Any]:
        """Handle one event: note its files, count it, and let no error out but a sentence."""
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        session, began, outcome = more.get("session_hash"), time.perf_counter(), "failed"
        try:
            self._record_files(session, inputs)
            result = await self.slots.run(
                lambda: super(GuardedBlocks, self).process_api(block_fn, inputs, *rest, **more)
            )
            self._record_files(session, result.get("data"))
            outcome = "done"
            return result
        except asyncio.CancelledError:
            outcome = "stopped"
            raise
        except TimeoutError:
            outcome = "timed_out"
            raise gr.Error(TOOK_TOO_LONG, print_exception=False) from None
        except gr.Error:
            outcome = "refused"
            raise
        except MirraError as error:
            outcome = "refused"
            raise gr.Error(explain(error), print_exception=False) from None
        except Exception as error:
            log_failure(error)
            raise gr.Error(UNKNOWN, print_exception=False) from None
        finally:
            seconds, name = (
                time.perf_counter() - began,
                function.api_name or function.name or "page",
            )
            self.metrics.work.labels(name, outcome).observe(seconds)
            if function.concurrency_id == WORK:
                log_event("work", endpoint=name, outcome=outcome, ms=round(seconds * 1000))

    def _record_files(self, session: str | None, payload: object) -> None:
        if self.sessions is not None and session:
            self.sessions.record_files(session, payload)
