"""A time limit for the header of a request."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class HeaderTimeoutProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on a request whose header is not there in time.

    uvicorn has a time limit between requests only, so a thousand connections that send a letter a
    minute would keep everybody else out. The body's time limit is the request filter's.

    Attributes:
        header_seconds: how long a header may take.
    """

    header_seconds = 10.0
    _timer: asyncio.TimerHandle | None = None

    @classmethod
    def with_timeout(cls, seconds: float) -> type[HeaderTimeoutProtocol]:
        """Return the class with another time limit; uvicorn makes an instance per connection."""
        return type(cls.__name__, (cls,), {"header_seconds": seconds})

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Start the timer."""
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Let the timer run while the header is incomplete; stop it once it is there."""
        super().data_received(data)
        if self._reads_header():
            self._start_timer()
        else:
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer: nothing comes any more."""
        self._stop_timer()
        super().connection_lost(exc)

    def _reads_header(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.header_seconds, self._hang_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hang_up(self) -> None:
        self._timer = None
        if self._reads_header():
            self.transport.close()
