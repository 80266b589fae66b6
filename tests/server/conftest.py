"""One server for all attacks, with small limits so that reaching them takes no time."""

import pytest

from tests.running import Running, serving
from tests.server.caller import Caller


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    limits = {"max_upload_mb": 1, "upload_seconds": 2, "queue_size": 4, "leave_seconds": 1}
    with serving(tmp_path_factory.mktemp("server"), **limits) as running:
        yield running


@pytest.fixture(scope="session")
def caller(server: Running):
    with Caller(server) as caller:
        yield caller


@pytest.fixture(scope="session")
def photo(caller, astronaut, tmp_path_factory):
    """An uploaded photo of the astronaut."""
    path = tmp_path_factory.mktemp("photo") / "me.png"
    astronaut.save(path)
    return caller.upload(path.read_bytes())
