"""Every attack of SECURITY.md against a running server, which must come out of it unharmed."""

import re
from pathlib import Path

import pytest

from tests.server.attacks import ATTACKS, Attack

SECURITY = Path(__file__).resolve().parents[2] / "SECURITY.md"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_leads_to_what_security_md_says(attack: Attack, caller, photo):
    assert attack.act(caller, photo) == attack.outcome
    assert caller.get("/health", timeout=5).json()["status"] == "ok"


def test_security_md_lists_these_attacks_and_outcomes():
    table = re.findall(r"^\| \d+ \| (.+?) \| (.+?) \|$", SECURITY.read_text(), re.M)
    assert table == [(attack.name, attack.outcome) for attack in ATTACKS]
    assert len(table) >= 30


def test_after_all_this_a_photo_still_gets_its_makeup(caller, photo):
    result = caller.makeup(photo, look="sunset")
    assert result[0]["path"].endswith("mirra.png")


def test_the_log_repeats_nothing_an_attacker_said(server, caller):
    caller.status_of('GET /"}%0A{"event":"forged" HTTP/1.1')
    caller.makeup({"path": 'x"}\n{"event": "forged"'})
    log = server.log()
    assert '"event": "open"' in log
    for trace in (
        "forged",
        "passwd",
        "example.com",
        "<",
        "Traceback",
        "127.0.0.1",
        ".png",
        "A" * 40,
    ):
        assert trace not in log
