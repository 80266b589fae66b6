"""How each attack is carried out, and words to say what must come of it."""

from __future__ import annotations

import base64
import json
import socket
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.messages import REFUSALS, explain
from models.errors import ImageError, LookError
from pipelines.makeup.look_files import PNG_KEY
from pipelines.makeup.named_looks import find_look
from tests.integration.test_hostile_files import chunk, png
from tests.server.caller import API, Caller, Upload, said

Act = Callable[[Caller, Upload], object]


def refused(reason: str) -> str:
    status, sentence = REFUSALS[reason]
    return f"{status}: {sentence}"


def picture(reason: str, **values: object) -> str:
    return explain(ImageError("", reason=reason, **values))


LOOK = explain(LookError(""))
FILE = {"_type": "gradio.FileData"}


def named(path: str) -> Upload:
    return {"path": path, "meta": FILE}


def carrying(look: object) -> bytes:
    """A PNG that carries a look."""
    words = look if isinstance(look, bytes) else json.dumps(look).encode()
    body = PNG_KEY.encode() + b"\0\1\0\0\0" + zlib.compress(words)
    return png(chunk(b"iTXt", body))


def changed(**values: object) -> dict[str, Any]:
    """A good look with something wrong in it."""
    return json.loads(find_look("nude").to_json()) | values


def wide_map() -> dict[str, Any]:
    bomb = png(size_wh=(30_000, 30_000), data=zlib.compress(bytes(10_000_000)))
    maps = changed()["maps"] | {"deviation": base64.b64encode(bomb).decode()}
    return changed(maps=maps)


def form(data: bytes, *, parts: int = 1) -> bytes:
    part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n%s\r\n'
    return (part % data) * parts + b"--x--\r\n"


def posting(
    body: bytes, path: str = "upload", kind: str = "multipart/form-data; boundary=x"
) -> Act:
    def act(caller: Caller, _: object) -> str:
        headers = {"Content-Type": kind}
        return said(caller.post(f"{API}/{path}", content=body, headers=headers))

    return act


def posting_json(body: bytes, path: str) -> Act:
    return posting(body, path, "application/json")


def photo_is(payload: object) -> Act:
    return lambda caller, _: caller.makeup(payload)


def field(**values: object) -> Act:
    return lambda caller, photo: caller.makeup(photo, **values)


def getting(path: str) -> Act:
    return lambda caller, _: caller.status_of(f"GET {path} HTTP/1.1")


def from_site(origin: str, **headers: str) -> Act:
    def act(caller: Caller, _: object) -> str:
        headers["Origin"] = origin
        answer = caller.post(f"{API}/call/list_looks", json={"data": []}, headers=headers)
        assert "access-control-allow-origin" not in answer.headers
        return said(answer)

    return act


def with_reference(data: bytes) -> Act:
    return lambda caller, photo: caller.makeup(photo, caller.upload(data))


def as_photo(data: bytes, name: str = "photo.png") -> Act:
    return lambda caller, _: caller.makeup(caller.upload(data, name))


def with_look_file(data: bytes) -> Act:
    def act(caller: Caller, photo: Upload) -> str:
        given = {"source": photo, "look-file": caller.upload(data, "look.json")}
        return caller.press("try", given)[1]

    return act


def in_chunks(caller: Caller, _: object) -> str:
    """No Content-Length, and no end."""
    head = form(b"").removesuffix(b"\r\n--x--\r\n")
    body = (piece for piece in [head, *[bytes(100_000)] * 60])
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return said(caller.post(f"{API}/upload", content=body, headers=headers))


def slow_body(caller: Caller, _: object) -> str:
    answer = caller.raw(
        f"POST {API}/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode(),
        form(b"a")[:90],
    )
    return f"{answer.split()[1].decode()}: {answer.decode().rsplit(chr(10), 1)[1]}"


def slow_head(caller: Caller, _: object) -> str:
    return caller.raw(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ").decode() or "hung up on"


def cut_off(caller: Caller, _: object) -> str:
    """Half an upload, then the line is cut."""
    folder = caller.server.folder / "tmp"
    head = f"POST {API}/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900000\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    before = {path for path in folder.rglob("*") if path.is_file()}
    with socket.create_connection(("127.0.0.1", caller.server.port)) as line:
        line.sendall(head.encode() + form(bytes(50_000))[:40_000])
        time.sleep(0.3)
    for _ in range(40):
        left = {path for path in folder.rglob("*") if path.is_file()} - before
        if not left:
            return "nothing stays on the disk"
        time.sleep(0.1)
    return f"{len(left)} files stay"


def markup_name(caller: Caller, photo: Upload) -> str:
    file = caller.upload(bytes(99), "<img src=x onerror=alert(1)>.png")
    assert "<" not in file["path"]
    return caller.makeup(file)


def climbing_name(caller: Caller, _: object) -> str:
    path = caller.upload(b"x", "..\\../../../../evil.png")["path"]
    assert path.startswith(str(caller.server.folder / "tmp"))
    return "stays in its folder"


def script_in_a_file(caller: Caller, _: object) -> str:
    """A page or an SVG is uploaded, and somebody is sent to its address."""
    for name in ("a.svg", "a.html"):
        path = caller.upload(b"<svg><script>alert(1)</script></svg>", name)["path"]
        headers = caller.get(f"{API}/file={path}").headers
        assert headers["content-disposition"].startswith("attachment")
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        assert headers["content-type"] == "application/octet-stream"
    return "downloaded, never run"


def unqueued(caller: Caller, photo: Upload) -> str:
    """Heavy work that skips the queue."""
    return str(caller.post(f"{API}/run/apply_makeup", json={"data": [photo]}).status_code)


def flood(caller: Caller, photo: Upload) -> str:
    """Many requests at once, none of them waited for."""
    body = {"source": photo, "look": "nude"}
    answers = [caller.post(f"{API}/call/v2/apply_makeup", json=body) for _ in range(30)]
    return next(said(answer) for answer in answers if answer.status_code != 200)


def start_and_stop(caller: Caller, photo: Upload) -> str:
    """Work is begun and cancelled over and over."""
    event = next(d for d in caller.config["dependencies"] if d["api_name"] == "apply_makeup")
    source, _, look = event["inputs"][:3]
    data = caller.inputs(event, {source: photo, look: "nude"})
    for number in range(30):
        mine = {"fn_index": event["id"], "session_hash": f"stop{number}"}
        joined = caller.post(f"{API}/queue/join", json={"data": data, **mine})
        if joined.status_code == 200:
            caller.post(f"{API}/cancel", json=joined.json() | mine)
    for _ in range(600):
        state = caller.get("/health").json()
        if state["working"] == 0 and state["waiting"] == 0:
            return "every slot is free again"
        assert state["working"] <= 2
        time.sleep(0.1)
    return f"{state['working']} at work"


def cross_site_preflight(caller: Caller, _: object) -> str:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    return said(caller.options(f"{API}/queue/join", headers=headers))


def climbing_path(caller: Caller, photo: Upload) -> str:
    return caller.makeup(named(photo["path"] + "/../../../../../../../etc/passwd"))


def claim_and_leave(caller: Caller, photo: Upload) -> str:
    """A visitor names a file of the machine as theirs, so that it goes with the session."""
    victim = caller.server.folder / "log.txt"
    climbing = photo["path"] + "/../../../../../log.txt"
    assert Path(climbing).resolve() == victim
    for path in (str(victim), climbing):
        with caller.page() as session:
            caller.press("try", {"source": named(path)}, session)
    time.sleep(3)  # longer than a visitor who left may be away
    return "it stays" if victim.exists() else "it is gone"


def upgrade(caller: Caller, _: object) -> str:
    head = "GET /queue/join HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade"
    return caller.status_of(head)


SAFETENSORS = struct.pack("<Q", 2**62) + b'{"a":{"dtype":"F32","shape":[9e99]}}'
