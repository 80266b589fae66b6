"""How the server ends. The last of these files by name, for it stops the server all others use."""

import signal
from threading import Thread

from tests.server.acts import refused
from tests.server.caller import becomes


def test_told_to_stop_it_finishes_what_it_began_and_leaves_nothing(server, caller, photo):
    results = []

    def ask_until_refused():
        while isinstance(result := caller.makeup(photo), list):
            results.append(result[0]["orig_name"])
        results.append(result)

    visitors = [Thread(target=ask_until_refused) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    assert becomes(True, lambda: caller.get("/health").json()["working"] > 0)
    server.process.send_signal(signal.SIGTERM)
    assert becomes(503, lambda: caller.get("/health").status_code)
    for visitor in visitors:
        visitor.join()
    assert results.count(refused("closing")) == 3
    assert set(results) == {"mirra.png", refused("closing")}
    assert server.process.wait(20) == 0
    assert not list((server.folder / "tmp").iterdir())
