"""With MIRRA_AUTH nothing is served to strangers; with MIRRA_ORIGINS one other site may call."""

import time

import httpx
import pytest

from tests.running import serving
from tests.server.caller import API, Caller

SHOP = "https://shop.example"


@pytest.fixture(scope="module")
def caller(tmp_path_factory):
    settings = {"auth": "ann:a:secret", "origins": SHOP, "metrics": False}
    with serving(tmp_path_factory.mktemp("closed"), **settings) as server, Caller(server) as caller:
        yield caller


@pytest.fixture
def stranger(caller):
    with httpx.Client(base_url=caller.base_url, timeout=60) as client:
        yield client


def login(client, password):
    return client.post("/login", data={"username": "ann", "password": password}).status_code


def test_a_stranger_sees_a_login_and_nothing_behind_it(stranger):
    assert stranger.get("/config").status_code == 401
    assert stranger.post(f"{API}/upload", files={"files": ("a.png", b"a")}).status_code == 401
    assert stranger.post(f"{API}/call/v2/list_looks", json={}).status_code == 401
    assert '"auth_required":true' in stranger.get("/").text.replace(" ", "")
    assert stranger.get("/health").status_code == 200
    assert stranger.get("/metrics").status_code == 404


def test_a_wrong_password_is_refused_and_costs_time(stranger):
    began = time.monotonic()
    assert login(stranger, "a:wrong") == 400
    assert login(stranger, "") in (400, 422)
    assert time.monotonic() - began > 0.9
    assert stranger.get("/config").status_code == 401


def test_the_right_one_opens_the_page(caller):
    assert login(caller, "a:secret") == 200
    assert caller.call("list_looks")[0][0]["name"] == "classic-red"
    assert "secret" not in caller.server.log()


def test_the_site_that_may_call_is_let_in_and_told_so(stranger):
    asked = {"Host": "shop.example", "Origin": SHOP, "Access-Control-Request-Method": "POST"}
    answer = stranger.options(f"{API}/queue/join", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == SHOP
    evil = stranger.options(
        f"{API}/queue/join", headers={**asked, "Origin": "https://evil.example"}
    )
    assert evil.status_code == 403
