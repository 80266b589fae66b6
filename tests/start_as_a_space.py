"""What `.ci/space` runs in an environment that holds only what a Space installs."""

import importlib.util
import os
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gradio_client import Client, handle_file

from pipelines.makeup.look_files import read_embedded
from pipelines.makeup.named_looks import find_look
from tests.running import ROOT, serving

ABSENT = ("lancedb", "pytest", "transformers", "onnxruntime")
SECONDS = 120  # in which a Space must answer; far more than a quiet machine needs


def main() -> None:
    found = [name for name in ABSENT if importlib.util.find_spec(name)]
    assert not found, f"this is no Space's environment: it has {', '.join(found)}"
    assert Path.cwd() != ROOT
    folder = Path(tempfile.mkdtemp())
    os.environ["OMP_NUM_THREADS"] = "1"
    with serving(folder) as server:
        with urllib.request.urlopen(server.address, timeout=60) as answer:
            assert b"Mirra" in answer.read()
        client = Client(server.address, verbose=False, download_files=str(folder))
        photo = handle_file(str(ROOT / "assets" / "examples" / "astronaut.png"))
        path = client.predict(source=photo, look="sunset", api_name="/apply_makeup")
        look = read_embedded(path)
        assert look is not None
        assert look.name == find_look("sunset").name
        client.close()
    assert server.process.returncode == 0, server.log()
    assert server.seconds < SECONDS
    sys.stdout.write(
        f"a Space starts: first answer after {server.seconds:.1f} s, makeup comes back\n"
    )


if __name__ == "__main__":
    main()
