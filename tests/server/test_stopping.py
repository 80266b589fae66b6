"""How the server ends. The last of these files by name, for it stops the server all others use."""

import signal
from threading import Thread

from tests.server.acts import refused
from tests.server.caller import becomes


def test_told_to_stop_it_finishes_what_it_began_and_leaves_nothing(server, caller, photo):
    results = []
    jobs = [Thread(target=lambda: results.append(caller.makeup(photo))) for _ in range(3)]
    for job in jobs:
        job.start()
    assert becomes(True, lambda: caller.get("/health").json()["working"] > 0)
    server.process.send_signal(signal.SIGTERM)
    assert becomes(503, lambda: caller.get("/health").status_code)
    assert caller.makeup(photo) == refused("closing")
    for job in jobs:
        job.join()
    assert [result[0]["orig_name"] for result in results] == ["mirra.png"] * 3
    assert server.process.wait(20) == 0
    assert not list((server.folder / "tmp").iterdir())
