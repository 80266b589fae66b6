import re
import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_a_space_installs_what_pyproject_lists_but_for_gradio():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    space = {line for line in lines if line and not line.startswith("#")}
    assert space == {d for d in PROJECT["dependencies"] if not d.startswith("gradio")}


def test_the_space_picks_a_gradio_that_pyproject_allows():
    version = re.search(r"^sdk_version: (\d+)\.(\d+)", (ROOT / "README.md").read_text(), re.M)
    assert version, "README.md front matter has no sdk_version"
    lowest = re.search(r">=(\d+)\.(\d+)", next(d for d in PROJECT["dependencies"] if "gradio" in d))
    assert lowest
    assert [int(n) for n in version.groups()] >= [int(n) for n in lowest.groups()]


def test_help_starts_without_the_heavy_libraries():
    code = (
        "import sys; sys.argv = ['mirra', '--help']\n"
        "import mirra\n"
        "try: mirra.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'mediapipe', 'gradio', 'diffusers', 'cv2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_tracked_file_is_larger_than_a_small_network():
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    large = {n: (ROOT / n).stat().st_size for n in names if n and (ROOT / n).is_file()}
    assert {n: s for n, s in large.items() if s > 16 * 2**20} == {}
