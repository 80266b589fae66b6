"""How an attacker speaks to the server: plain HTTP, and sockets where a client is too polite."""

from __future__ import annotations

import json
import re
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from models.lazy import locked_cached_property
from tests.running import Running

API = "/gradio_api"
Upload = dict[str, Any]
"""An uploaded file as Gradio's clients describe it: `path` and `meta`."""
JSON = {"Content-Type": "application/json"}


class Caller(httpx.Client):
    """A client of one server.

    Args:
        server: that runs.
    """

    def __init__(self, server: Running) -> None:
        # Idle lines are given up before the server does it, just as the next request comes.
        limits = httpx.Limits(keepalive_expiry=2)
        super().__init__(base_url=server.address, timeout=60, limits=limits)
        self.server = server

    @locked_cached_property
    def config(self) -> dict[str, Any]:
        """What the page is made of."""
        return self.get("/config").json()

    def upload(self, data: bytes, name: str = "photo.png") -> Upload:
        """Send a file as the page does; what Gradio's clients then name it by."""
        answer = self.post(f"{API}/upload", files={"files": (name, data)})
        assert answer.status_code == 200, answer.text
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}

    def call(self, name: str, **values: object) -> Any:
        """Result of a named endpoint; the sentence if it refuses."""
        body = json.dumps(values)  # not the client's own encoder, which refuses NaN
        joined = self.post(f"{API}/call/v2/{name}", content=body, headers=JSON)
        if joined.status_code != 200:
            return said(joined)
        stream = self.get(f"{API}/call/v2/{name}/{joined.json()['event_id']}").text
        event, result = re.findall(r"^event: (\w+)\ndata: (.*)$", stream, re.M)[-1]
        result = json.loads(result)
        return result if event == "complete" else sentence_in(result)

    def inputs(self, event: dict[str, Any], values: dict[int, object]) -> list[object]:
        """What an event sends: values by component, and of all others what they show."""
        parts = {part["id"]: part["props"] for part in self.config["components"]}
        return [values.get(number, parts[number].get("value")) for number in event["inputs"]]

    @contextmanager
    def page(self) -> Iterator[str]:
        """A page that is open, as far as the server can tell; its session."""
        session = uuid.uuid4().hex
        with self.stream("GET", f"{API}/heartbeat/{session}") as alive:
            beats = alive.iter_bytes()  # once this is forgotten, the line is closed
            next(beats)
            yield session

    def makeup(
        self, source: object, reference: object = None, look: object = "nude", **more: object
    ) -> Any:
        """`/apply_makeup`."""
        return self.call("apply_makeup", source=source, reference=reference, look=look, **more)

    def press(
        self, button: str, values: Mapping[str, object], session: str | None = None
    ) -> list[Any] | str:
        """Press a button of the page, with some of its components set; the event's outputs."""
        parts = {part["id"]: part["props"] for part in self.config["components"]}
        ids = {props.get("elem_id"): number for number, props in parts.items()}
        event = next(
            d for d in self.config["dependencies"] if [ids[button], "click"] in d["targets"]
        )
        data = self.inputs(event, {ids[name]: value for name, value in values.items()})
        session = session or uuid.uuid4().hex
        body = {"data": data, "fn_index": event["id"], "session_hash": session}
        joined = self.post(f"{API}/queue/join", json=body)
        if joined.status_code != 200:
            return said(joined)
        stream = self.get(f"{API}/queue/data", params={"session_hash": session}).text
        messages = [json.loads(line[6:]) for line in stream.splitlines() if line[:6] == "data: "]
        output = next(m for m in messages if m["msg"] == "process_completed")["output"]
        return output["data"] if "data" in output else sentence_in(output)

    def raw(self, *pieces: bytes, timeout: float = 15) -> bytes:
        """Send bytes as they are and read until the server hangs up."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=timeout) as line:
            for piece in pieces:
                line.sendall(piece)
            while piece := line.recv(65536):
                answer += piece
        return answer

    def status_of(self, head: str) -> str:
        """Status of a request whose first line and headers are given as they are."""
        answer = self.raw(f"{head}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        return answer.split()[1].decode()


def said(answer: httpx.Response) -> str:
    """Status and sentence of an answer."""
    try:
        text = answer.json().get("detail", "")
    except ValueError:
        text = answer.text
    return f"{answer.status_code}: {text}"


def sentence_in(output: object) -> str:
    return str(output.get("error")) if isinstance(output, dict) else str(output)


def becomes(wanted: object, found: Callable[[], object], seconds: float = 60) -> bool:
    """Whether `found()` is `wanted` before long."""
    until = time.monotonic() + seconds
    while (now := found()) != wanted and time.monotonic() < until:
        time.sleep(0.2)
    return now == wanted
