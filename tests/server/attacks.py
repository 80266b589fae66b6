"""What strangers try, each with what it must lead to; SECURITY.md shows this table."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

from app.messages import MALFORMED, NOT_AN_UPLOAD, TOO_LONG
from app.ui import text
from tests.integration.test_hostile_files import png
from tests.server import acts
from tests.server.acts import (
    Act,
    as_photo,
    carrying,
    changed,
    field,
    form,
    from_site,
    getting,
    named,
    photo_is,
    picture,
    posting,
    posting_json,
    refused,
    with_look_file,
    with_reference,
)
from tests.server.caller import API


@dataclass(frozen=True)
class Attack:
    """One try.

    Attributes:
        name: what is tried.
        outcome: what it leads to: a status, a sentence, or both.
        act: does it, given an uploaded photo; returns what came of it.
    """

    name: str
    outcome: str
    act: Act


ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = f"{API}/file={ROOT}/assets/examples"
LOOK = acts.LOOK
UNKNOWN_FILE = picture("unknown_kind")
TOO_MANY_PIXELS = picture("too_many_pixels", found=(20_000, 20_000), needed=50_000_000)
BOMB = png(size_wh=(20_000, 20_000), data=zlib.compress(bytes(200_000_000), 1))
METADATA = {"path": None, "url": "http://169.254.169.254/latest/meta-data"}
INSIDE = {"a": [{"path": "/etc/passwd"}]}
NO_REGION = changed(strengths={"__class__": 1})
NO_SHARE = text.BETWEEN_0_AND_1
NO_LOOK = b'{"mirra_look": 1, "name": "<script>"}'

ATTACKS = [
    # files by path
    Attack("a path as the photo", MALFORMED, photo_is("/etc/passwd")),
    Attack("a path in a file's clothes", NOT_AN_UPLOAD, photo_is(named("/etc/passwd"))),
    Attack("the same without its `meta`", NOT_AN_UPLOAD, photo_is({"path": "/etc/passwd"})),
    Attack("a path that climbs out of the uploads", NOT_AN_UPLOAD, acts.climbing_path),
    Attack("a path with a NUL", NOT_AN_UPLOAD, photo_is(named("a\0b"))),
    Attack("a device", NOT_AN_UPLOAD, photo_is(named("/dev/zero"))),
    Attack("Mirra's own source as a picture", NOT_AN_UPLOAD, photo_is(named(__file__))),
    Attack("a path deep inside another field", NOT_AN_UPLOAD, field(look=INSIDE)),
    Attack("a look's name that is a path", LOOK, field(look="../../assets/looks/nude")),
    Attack("downloading a system file", "403", getting(f"{API}/file=/etc/passwd")),
    Attack("downloading Mirra's source", "403", getting(f"{API}/file={__file__}")),
    Attack("downloading with dots", "403", getting(f"{EXAMPLES}/../../app/main.py")),
    Attack("the same, encoded", "403", getting(f"{EXAMPLES}/%2e%2e/%2e%2e/app/main.py")),
    Attack("climbing out of the assets", "403", getting("/assets/../../../../../etc/passwd")),
    Attack("the same, encoded twice", "403", getting("/static/..%2f..%2f..%2f..%2fetc%2fpasswd")),
    Attack("a system file named as one's own, to be deleted", "it stays", acts.claim_and_leave),
    # addresses
    Attack("a cloud's metadata address as the photo", NOT_AN_UPLOAD, photo_is(METADATA)),
    Attack("a private address", NOT_AN_UPLOAD, photo_is(named("http://127.0.0.1:22/"))),
    Attack("a public address", NOT_AN_UPLOAD, photo_is(named("https://example.com/a.png"))),
    Attack("a file: address", NOT_AN_UPLOAD, photo_is(named("file:///etc/passwd"))),
    Attack("using us as a proxy", "404", getting(f"{API}/file=https://example.com/a.png")),
    Attack("reaching a private address", "404", getting(f"{API}/file=http://127.0.0.1:22/")),
    Attack("the same in capitals", "404", getting(f"{API}/file=HTTP://127.0.0.1:22/")),
    Attack("Gradio's proxy", "404", getting(f"{API}/proxy=https://a.hf.space/")),
    # uploads
    Attack("a file above the limit", refused("too_heavy"), posting(form(bytes(1_500_000)))),
    Attack(
        "a request above the limit", refused("too_heavy"), posting(form(bytes(900_000), parts=6))
    ),
    Attack("the same without saying how long it is", refused("too_heavy"), acts.in_chunks),
    Attack("forty files in a request", refused("too_many_files"), posting(form(b"a", parts=40))),
    Attack(
        "a form without a boundary", refused("malformed"), posting(b"x", kind="multipart/form-data")
    ),
    Attack("a form that is none", refused("malformed"), posting(b"<xml/>")),
    Attack("an upload that stops and waits", refused("too_slow"), acts.slow_body),
    Attack("a request's head that stops and waits", "hung up on", acts.slow_head),
    Attack("an upload cut off half-way", "nothing stays on the disk", acts.cut_off),
    Attack("a file's name with markup", UNKNOWN_FILE, acts.markup_name),
    Attack("a file's name that climbs", "stays in its folder", acts.climbing_name),
    Attack("a script in an uploaded page or SVG", "downloaded, never run", acts.script_in_a_file),
    # pictures
    Attack("a bomb: 20,000 x 20,000 pixels in 900 kB", TOO_MANY_PIXELS, as_photo(BOMB)),
    Attack("a picture cut off", picture("damaged", found="PNG"), as_photo(png()[:-60])),
    Attack(
        "a web page named .png",
        picture("unknown_kind", found="web page"),
        as_photo(b"<html><script>alert(1)</script>"),
    ),
    Attack("safetensors with a header of 4 exabytes", UNKNOWN_FILE, as_photo(acts.SAFETENSORS)),
    Attack("an empty file", picture("empty"), as_photo(b"")),
    # looks
    Attack("a look nested 100,000 deep", LOOK, with_reference(carrying(b"[" * 100_000))),
    Attack("an impossible strength", LOOK, with_reference(carrying(changed(strength=9e99)))),
    Attack("regions that do not exist in a look", LOOK, with_reference(carrying(NO_REGION))),
    Attack("a look whose map is a bomb", LOOK, with_reference(carrying(acts.wide_map()))),
    Attack(
        "a look that unpacks to 50 MB",
        picture("text"),
        with_reference(carrying(b"{" + bytes(50_000_000))),
    ),
    Attack("a hostile look.json on the page", LOOK, with_look_file(NO_LOOK)),
    # fields
    Attack("a text of 100,000 letters", TOO_LONG, field(look="x" * 100_000)),
    Attack("a strength that is no number", NO_SHARE, field(lips=float("nan"))),
    Attack("an endless face number", MALFORMED, field(face=float("inf"))),
    Attack(
        "JSON nested 100,000 deep",
        refused("malformed"),
        posting_json(b"[" * 100_000, "call/list_looks"),
    ),
    Attack("JSON that is none", refused("malformed"), posting_json(b"{", "queue/join")),
    Attack("JSON of 9 MB", refused("too_heavy"), posting_json(b" " * 9_000_000, "queue/join")),
    # paths the page does not need
    Attack("Gradio's monitoring", "404", getting("/monitoring")),
    Attack("Gradio's links to a session", "404", getting(f"{API}/deep_link?session_hash=a")),
    Attack("Gradio's reload stream", "404", getting(f"{API}/dev/reload")),
    Attack("Gradio's screen recorder", refused("no_such_door"), posting(b"", "process_recording")),
    Attack("Gradio's code editor", refused("no_such_door"), posting_json(b"{}", "vibe-edit")),
    Attack("functions of parts", refused("no_such_door"), posting_json(b"{}", "component_server")),
    Attack("a method the page does not use", "404", lambda c, _: c.status_of("DELETE / HTTP/1.1")),
    Attack("a WebSocket", "404", acts.upgrade),
    Attack("heavy work that skips the queue", "404", acts.unqueued),
    # other sites
    Attack("a call from another site", refused("other_site"), from_site("https://evil.example")),
    Attack("the same, asking first", refused("other_site"), acts.cross_site_preflight),
    Attack("a call from a sandboxed frame", refused("other_site"), from_site("null")),
    Attack(
        "another name for this machine (DNS rebinding)",
        refused("other_site"),
        from_site("http://evil.example", Host="evil.example"),
    ),
    # many
    Attack("thirty calls at once", refused("full"), acts.flood),
    Attack("thirty calls, each cancelled", "every slot is free again", acts.start_and_stop),
]
"""In SECURITY.md's order."""
