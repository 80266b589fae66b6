"""The request filter: what a request may ask for, weigh and take, before anything else sees it.

Gradio serves more than Mirra's page needs: it fetches pictures by address, records screens, offers
an editor. Only what is listed here passes. A request's body must come in time and be no larger than
what the page sends; a page of another site may not call us in a visitor's name.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.formparsers import MultiPartException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.language import choose_language, language, translate
from app.messages import REFUSALS
from app.server.logs import log_failure
from app.server.metrics import Metrics

API = "/gradio_api"
UPLOAD = f"{API}/upload"
READ_PATHS = re.compile(
    r"/|/(config|login_check|logout|theme\.css|favicon\.ico|manifest\.json|robots\.txt|agents\.md)/?"
    r"|/(assets|static|svelte)/.*|/pwa_icon(/\d+)?|/(health|metrics)"
    rf"|{API}/(info|app_id|user|login_check|openapi\.json|startup-events|theme\.css)/?"
    rf"|{API}/(queue/(data|status)|upload_progress|heartbeat/[\w-]+|call/(v2/)?\w+/[\w-]+)"
    rf"|{API}/file=(?![\w+.-]{{2,}}:).+"
)
WRITE_PATHS = re.compile(
    rf"/login/?|{UPLOAD}|{API}/(queue/join|cancel|reset|(run|api|call|call/v2)/\w+/?)"
    rf"|{API}/stream/[\w-]+(/close)?"
)
WORK_PATHS = re.compile(rf"{API}/(queue/join|(run|api|call|call/v2)/\w+/?)")
HEARTBEAT = re.compile(rf"{API}/heartbeat/([\w-]+)")

OWN_REFUSALS = {400: "malformed", 413: "too_heavy", 422: "malformed", 503: "full"}  # not Gradio's

MOST_FILES = 32
LOGIN_SECONDS = 0.5  # between attempts, whoever makes them
DISCARD_SECONDS = 5.0  # the rest of a refused body is thrown away, or nobody reads our answer
JSON_BYTES = 8_000_000  # a camera's frame is the largest
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Rules:
    """What is let in.

    Attributes:
        upload_bytes: most a request with files may weigh.
        seconds: longest a request's body may take to arrive.
        disk_bytes: most that visitors' files may weigh together.
        origins: other sites that may call us, such as "https://shop.example".
        hosts: names we answer to; any when empty.
    """

    upload_bytes: int
    seconds: float
    disk_bytes: int
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


class Refusal(Exception):  # noqa: N818 - what it is, not only when raised
    """A request that does not pass.

    Args:
        reason: a key of `app.messages.REFUSALS`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status, self.sentence = REFUSALS[reason]


class RequestFilter:
    """ASGI middleware; see the module's text.

    Args:
        app: what lies behind.
        rules: what is let in.
        metrics: counts answers and refusals.
        is_full: whether as many visitors wait as may wait.
        is_closing: whether the server is about to stop.
        disk_used: bytes of visitors' files.
        add_page: called with a session when its page opens.
        remove_page: called with a session when its page closes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        rules: Rules,
        metrics: Metrics,
        is_full: Callable[[], bool],
        is_closing: Callable[[], bool],
        disk_used: Callable[[], int],
        add_page: Callable[[str], None],
        remove_page: Callable[[str], None],
    ) -> None:
        self.app = app
        self.rules, self.metrics = rules, metrics
        self.is_full, self.is_closing, self.disk_used = is_full, is_closing, disk_used
        self.add_page, self.remove_page = add_page, remove_page
        self._logins = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with a sentence."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(
                scope, _FilteredRequest(scope, receive, send, self.rules, self.metrics)
            )
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, request: _FilteredRequest) -> None:
        page = HEARTBEAT.fullmatch(scope["path"])
        try:
            self._check(scope)
            if page:
                self.add_page(page[1])
            try:
                if scope["path"].startswith("/login"):
                    async with self._logins:
                        await asyncio.sleep(LOGIN_SECONDS)
                await self.app(scope, request.receive, request.send)
            finally:
                if page:
                    self.remove_page(page[1])
        except Refusal as refusal:
            request.refusal = refusal
        except Exception as error:
            if request.refusal is None or request.refusal.reason == "failed":
                log_failure(error)
                request.refusal = Refusal("failed")
        await request.send_refusal()

    def _check(self, scope: Scope) -> None:
        """Refuse by what is known before the body is read.

        Raises:
            Refusal: no such path, another site, too large by its own account, or no room.
        """
        headers, path, method = Headers(scope=scope), scope["path"], scope["method"]
        self._check_site(headers)
        allowed = {"GET": READ_PATHS, "HEAD": READ_PATHS, "POST": WRITE_PATHS}
        if headers.get("origin") in self.rules.origins:
            allowed["OPTIONS"] = WRITE_PATHS  # a browser asks first on behalf of another site
        if method not in allowed or not allowed[method].fullmatch(path):
            raise Refusal("no_such_door")
        if method != "POST":
            return
        if int(headers.get("content-length") or 0) > _most_bytes(path, self.rules):
            raise Refusal("too_heavy")
        if path == UPLOAD or WORK_PATHS.fullmatch(path):
            if self.is_closing():
                raise Refusal("closing")
            if path != UPLOAD and self.is_full():
                raise Refusal("full")
            if path == UPLOAD and self.disk_used() > self.rules.disk_bytes:
                raise Refusal("disk")

    def _check_site(self, headers: Headers) -> None:
        host = headers.get("host", "")
        names = {host, headers.get("x-forwarded-host", host)}
        origin = headers.get("origin")
        own = origin is None or urlsplit(origin).netloc in names
        if not own and origin not in self.rules.origins:
            raise Refusal("other_site")
        if self.rules.hosts and urlsplit(f"//{host}").hostname not in self.rules.hosts:
            raise Refusal("other_site")


class _FilteredRequest:
    """One request on its way to the page: its body is weighed and timed, its answer counted."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, rules: Rules, metrics: Metrics
    ) -> None:
        self.scope, self._receive, self._send, self.metrics = scope, receive, send, metrics
        self.refusal: Refusal | None = None
        self._uploads = scope["path"] == UPLOAD
        self._is_work = self._uploads or WORK_PATHS.fullmatch(scope["path"]) is not None
        self._most = _most_bytes(scope["path"], rules)
        self._until = time.monotonic() + rules.seconds
        self._bytes, self._files, self._tail = 0, 0, b""
        self._arrived, self._started = False, False

    async def receive(self) -> Message:
        """The next piece of the body; once it is there, whatever else the server has to say.

        Raises:
            MultiPartException: an upload is refused; its parser then deletes what it has written.
            Refusal: anything else is.
        """
        if self._arrived:
            return await self._receive()
        try:
            left = self._until - time.monotonic()
            message = await asyncio.wait_for(self._receive(), max(left, 0.01))
        except asyncio.TimeoutError:
            raise self._record_refusal("too_slow") from None
        if message["type"] == "http.disconnect":
            raise self._record_refusal("gone")
        body = message.get("body", b"")
        self._bytes += len(body)
        self._arrived = not message.get("more_body", False)
        if self._bytes > self._most:
            raise self._record_refusal("too_heavy")
        if self._uploads:
            seen = self._tail + body
            self._files += seen.count(b"filename=")
            self._tail = seen[-len(b"filename=") + 1 :]
            if self._files > MOST_FILES:
                raise self._record_refusal("too_many_files")
        return message

    async def send(self, message: Message) -> None:
        """Pass an answer on, unless the request was refused while its body was read."""
        if message["type"] == "http.response.start" and self.refusal is None:
            self.refusal = self._own_refusal(message)
        if self.refusal is None or self._started:
            await self._forward(message)

    async def send_refusal(self) -> None:
        """Answer with the refusal's sentence, if there is one and nothing was answered yet."""
        refusal = self.refusal
        if refusal is None or self._started:
            return
        self.metrics.refused.labels(refusal.reason).inc()
        if self.scope["method"] == "POST" and refusal.reason not in ("too_slow", "gone"):
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._discard(), DISCARD_SECONDS)
        language.set(choose_language(Headers(scope=self.scope).get("accept-language")))
        await _refusal_response(refusal, self._uploads)(self.scope, self._receive, self._forward)

    async def _forward(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            self.metrics.requests.labels(message["status"]).inc()
            _set_security_headers(MutableHeaders(scope=message), self.scope["path"])
        await self._send(message)

    def _own_refusal(self, start: Message) -> Refusal | None:
        """What to say instead of a text of Gradio's or Starlette's."""
        kind = Headers(scope=start).get("content-type", "")
        if start["status"] == 500 and kind.startswith("text/plain"):
            return Refusal("failed")
        reason = OWN_REFUSALS.get(start["status"]) if self._is_work else None
        return Refusal(reason) if reason else None

    async def _discard(self) -> None:
        while not self._arrived:
            message = await self._receive()
            self._arrived = not message.get("more_body", False)

    def _record_refusal(self, reason: str) -> Exception:
        """Remember why, and return what must be raised to stop the one who reads the body."""
        self.refusal = Refusal(reason)
        return MultiPartException(self.refusal.sentence) if self._uploads else self.refusal


def _most_bytes(path: str, rules: Rules) -> int:
    return rules.upload_bytes if path == UPLOAD else JSON_BYTES


def _refusal_response(refusal: Refusal, plain: bool) -> Response:
    """The sentence, as the page shows it: of an upload the text, of all else its `detail`."""
    headers = {"Connection": "close"}
    if refusal.status in (429, 503):
        headers["Retry-After"] = "20"
    sentence = translate(refusal.sentence)
    if plain:
        return PlainTextResponse(sentence, refusal.status, headers)
    return JSONResponse({"detail": sentence}, refusal.status, headers)


def _set_security_headers(headers: MutableHeaders, path: str) -> None:
    """Let browsers guess no types, run nothing that lies in a file, and keep no picture."""
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    if path.startswith(f"{API}/file="):
        headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        headers["Cache-Control"] = "private, no-store"
