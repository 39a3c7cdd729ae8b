"""The wheel holds the whole product: code, pages, words, migrations, model sets."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ota.publishing import FREE

ROOT = Path(__file__).resolve().parent.parent
BUILD = """
import sys
from hatchling.build import build_wheel
print(build_wheel(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files in a folder of their own, away from the checkout."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, program: str) -> str:
    # -I forgets the checkout's folder; the wheel goes before the editable install.
    program = f"import sys; sys.path.insert(0, {str(installed)!r})\n" + program
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        cwd=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.mark.parametrize(
    ("folder", "ending"),
    [
        ("appliance/web/templates/", ".html"),
        ("appliance/web/static/", ".css"),
        ("appliance/web/static/vendor/", ".js"),
        ("appliance/i18n/", "en.json"),
        ("appliance/i18n/", "zh.json"),
        ("appliance/_models/label_reader/", "manifest.json"),
        ("appliance/_models/label_reader/", ".onnx"),
        ("appliance/_models/defect_backbone/", "manifest.json"),
        ("appliance/_models/defect_backbone/", ".onnx"),
        ("erp_link/adapters/migrations/", "env.py"),
    ],
)
def test_the_wheel_holds(wheel: Path, folder: str, ending: str):
    assert any(name.startswith(folder) and name.endswith(ending) for name in names(wheel))


def test_the_wheel_holds_nothing_of_the_workshop(wheel: Path):
    tops = {name.split("/")[0] for name in names(wheel)}
    code = {"contracts", "vision", "telemetry", "agv_bridge", "ota", "erp_link", "appliance"}
    assert {top for top in tops if not top.endswith(".dist-info")} == code
    assert not [name for name in names(wheel) if "__pycache__" in name or "/recipes/" in name]


def test_no_model_set_under_a_licence_that_obliges_others_is_on_board(wheel: Path):
    """Weights made with Ultralytics are a site's own: never in the repository, wheel or image."""
    with zipfile.ZipFile(wheel) as archive:
        inside = [json.loads(archive.read(n)) for n in names(wheel) if n.endswith("manifest.json")]
    beside = [json.loads(path.read_text()) for path in (ROOT / "models").rglob("manifest.json")]
    licences = {each["licence"] for each in [*inside, *beside] if "files" in each}
    assert licences <= FREE
    assert not list((ROOT / "models").rglob("*.pt"))


def test_what_trains_is_not_what_runs():
    locked = (ROOT / "requirements" / "runtime.lock").read_text()
    assert not [name for name in ("torch", "ultralytics") if f"\n{name}==" in f"\n{locked}"]


def test_an_installed_wheel_finds_its_own_model_sets(installed: Path):
    where = run(installed, "from appliance.paths import models_root; print(models_root())")
    assert Path(where) == installed / "appliance" / "_models"


def test_an_installed_wheel_runs_its_command(installed: Path):
    program = "sys.argv = ['tallyman', '--help']\nfrom appliance.cli.main import main; main()"
    assert "dock" in run(installed, program)


def test_a_checkout_finds_its_own_model_sets():
    from appliance.paths import models_root

    assert models_root() == ROOT / "models"
