"""Open the page to visitors, and close it again without dropping anybody's work."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from gradio.routes import App, ORJSONResponse
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from app.server import logs
from app.server.blocks import GuardedBlocks
from app.server.http_protocol import HeaderTimeoutProtocol
from app.server.logs import log_event
from app.server.middleware import LOOPBACK, RequestFilter, Rules
from app.server.sessions import Sessions
from app.service import Studio
from app.settings import Settings
from app.version import version, weights_hash

MOST_SESSIONS = 500  # visitors whose faces and results are remembered at a time
MOST_CONNECTIONS = 1_000


class _FilteredApp(App):
    """Gradio's app behind the request filter: before all middleware, Gradio's CORS too."""

    def __init__(self, request_filter: Callable[[ASGIApp], ASGIApp], routes: list[Route]) -> None:
        super().__init__(routes=routes, default_response_class=ORJSONResponse)
        self._request_filter = request_filter

    def build_middleware_stack(self) -> ASGIApp:
        return self._request_filter(super().build_middleware_stack())


class Server:
    """A page, its visitors, and the end of both.

    Args:
        page: the page, built.
        studio: what works behind it.
        sessions: the folder of visitors' files.
        settings: the operator's.
    """

    def __init__(
        self, page: GuardedBlocks, studio: Studio, sessions: Sessions, settings: Settings
    ) -> None:
        self.page, self.studio, self.sessions, self.settings = page, studio, sessions, settings
        self.closing = False
        self._stop = threading.Event()
        add_gauge = page.metrics.add_gauge
        add_gauge("waiting", "Events in the queue.", lambda: len(page._queue))
        add_gauge("working", "Threads at work.", lambda: page.slots.working)
        add_gauge("visits", "Sessions whose files are kept.", lambda: len(sessions))
        add_gauge("disk_bytes", "Bytes of visitors' files.", sessions.size)

    def run(self, examples: Sequence[Path], **looks: Any) -> None:
        """Serve until SIGTERM or SIGINT; what was started by then is finished.

        Args:
            examples: folders that everybody may read.
            looks: how the page looks, as `gr.Blocks.launch` takes it.
        """
        self.page.queue(max_size=self.settings.queue_size, api_open=False)
        self.page.launch(
            **self.settings.launch_options(),
            **looks,
            share=False,
            run_history=False,
            enable_monitoring=False,
            strict_cors=True,
            show_error=False,  # our own sentences are shown all the same
            ssr_mode=False,
            pwa=False,
            quiet=True,
            allowed_paths=[str(folder) for folder in examples],
            state_session_capacity=MOST_SESSIONS,
            prevent_thread_lock=True,
            _frontend=False,  # else a busy machine, too slow for its check, would not start at all
            app_kwargs={"lifespan": self._sweeping},
            _app=_FilteredApp(self._request_filter, self._routes()),
        )
        logs.capture("uvicorn")
        config = self.page.server.config
        config.http_protocol_class = HeaderTimeoutProtocol.with_timeout(
            min(HeaderTimeoutProtocol.header_seconds, self.settings.upload_seconds)
        )
        config.limit_concurrency = MOST_CONNECTIONS
        config.timeout_graceful_shutdown = 3
        self.sessions.keep_existing_files()
        log_event("open", port=self.settings.port, version=version(), weights=weights_hash())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._stop.wait()
        self._close()

    def _close(self) -> None:
        """Refuse new work, finish what was accepted, say goodbye."""
        self.closing = True
        log_event("closing", waiting=len(self.page._queue), working=self.page.slots.working)
        until = time.monotonic() + self.settings.drain_seconds
        while self._busy() and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(0.5)  # for the last results to be sent
        self.page.close(verbose=False)
        log_event("closed", unfinished=self._busy())

    def _busy(self) -> bool:
        queue = self.page._queue
        return bool(len(queue) or queue.get_active_worker_count() or self.page.slots.working)

    def _request_filter(self, behind: ASGIApp) -> RequestFilter:
        settings = self.settings
        mb = 1_000_000
        local = settings.host in LOOPBACK
        rules = Rules(
            upload_bytes=4 * settings.max_upload_mb * mb,
            seconds=settings.upload_seconds,
            disk_bytes=settings.disk_mb * mb,
            origins=settings.origins,
            hosts=(*LOOPBACK, *(origin.split("/")[-1] for origin in settings.origins))
            if local
            else (),
        )
        return RequestFilter(
            behind,
            rules=rules,
            metrics=self.page.metrics,
            is_full=lambda: len(self.page._queue) >= settings.queue_size,
            is_closing=lambda: self.closing,
            disk_used=self.sessions.size,
            add_page=self.sessions.add_page,
            remove_page=self.sessions.remove_page,
        )

    @asynccontextmanager
    async def _sweeping(self, app: App) -> AsyncIterator[None]:
        async def sweep() -> None:
            while True:
                await asyncio.sleep(min(5.0, self.settings.leave_seconds / 2))
                self.sessions.delete_expired(partial(self._forget, app))

        task = asyncio.create_task(sweep())
        yield
        task.cancel()

    def _forget(self, app: App, session: str) -> None:
        """Drop what Gradio remembers of a session; by itself it would for an hour."""
        app.state_holder.delete_state(session)
        app.state_holder.session_data.pop(session, None)
        app.state_holder.time_last_used.pop(session, None)
        queue = self.page._queue
        queue.pending_messages_per_session.pop(session, None)
        queue.pending_event_ids_session.pop(session, None)

    def _routes(self) -> list[Route]:
        metrics = [Route("/metrics", self._metrics)] if self.settings.metrics else []
        return [Route("/health", self._health), *metrics]

    async def _health(self, _: Request) -> Response:
        state = {
            "status": "closing" if self.closing else "ok",
            "warm": self.studio.is_warm,
            "version": version(),
            "weights": weights_hash(),
            "waiting": len(self.page._queue),
            "working": self.page.slots.working,
        }
        return JSONResponse(state, 503 if self.closing else 200)

    async def _metrics(self, _: Request) -> Response:
        return Response(self.page.metrics.text(), media_type="text/plain; version=0.0.4")
