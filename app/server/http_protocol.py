"""How long a stranger may take to say what they want."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on a request whose head is not there in time.

    uvicorn has a time limit between requests only, so a thousand connections that send a letter a
    minute would keep everybody else out. The body's time limit is the request filter's.

    Args:
        patience: seconds a head may take.
        more: uvicorn's.
    """

    def __init__(self, *, patience: float, **more: Any) -> None:
        super().__init__(**more)
        self._patience = patience
        self._hang_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on while the head is incomplete; stop waiting once it is there."""
        super().data_received(data)
        if self._reads_a_head():
            self._wait()
        else:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._stop()
        super().connection_lost(exc)

    def _reads_a_head(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait(self) -> None:
        if self._hang_up is None:
            self._hang_up = self.loop.call_later(self._patience, self._give_up)

    def _stop(self) -> None:
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None

    def _give_up(self) -> None:
        self._hang_up = None
        if self._reads_a_head():
            self.transport.close()
