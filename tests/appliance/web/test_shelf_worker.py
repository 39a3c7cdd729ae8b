"""What a phone keeps of the page at the shelf: all of it, small, and changed when a file is."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from appliance.web.shelf import worker
from appliance.web.shelf.page import shelf_words
from appliance.web.static_files import packed_bytes, takes_gzip
from tests.conftest import ROOT

CORE_PAYLOAD_BYTES = 600_000


@pytest.fixture
def hub() -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(worker.shelf_worker_router())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hub")


async def test_the_worker_names_every_file_with_its_hash_and_may_hold_the_whole_page(
    hub: httpx.AsyncClient,
) -> None:
    async with hub:
        answer = await hub.get("/shelf/sw.js")
    assert answer.headers["service-worker-allowed"] == "/shelf"
    assert answer.headers["cache-control"] == "no-cache"
    first, _, script = answer.text.partition("\n")
    said = json.loads(first.removeprefix("self.MANIFEST=").removesuffix(";"))
    assert 'addEventListener("fetch"' in script
    assert {
        "/shelf?lang=en",
        "/shelf?lang=zh",
        "/shelf/words/zh.json",
        "/static/shelf/keep/keep.js",
        "/static/vendor/zxing/zxing_reader.wasm",
    } <= said["files"].keys()
    own = [address for address in said["files"] if address.startswith("/static/")]
    assert all(said["files"][address].startswith("sha256-") for address in own)


async def test_all_that_a_phone_fetches_before_its_first_start_is_small(
    hub: httpx.AsyncClient,
) -> None:
    rendered = [shelf_words(language).encode() for language in ("en", "zh")]
    wasm = [path for address, path in worker.shell_files() if address.endswith(".wasm")]
    async with hub:
        ours = [(await hub.get(each)).content for each in ("/shelf/sw.js", worker.TEXTS)]
        line = await hub.get(worker.TEXTS, headers={"accept-encoding": "gzip"})
        plain = await hub.get(worker.TEXTS, headers={"accept-encoding": "identity"})
    assert line.headers["content-encoding"] == "gzip"
    assert line.json() == plain.json() == worker.page_texts()
    sizes = [len(packed_bytes(body)) for body in (*ours, *rendered, *map(Path.read_bytes, wasm))]
    assert sum(sizes) < CORE_PAYLOAD_BYTES, sizes


def test_a_script_without_its_comment_lines_says_the_same() -> None:
    scripts = [path for _, path in worker.shell_files() if path.suffix == ".js"]
    ours = [path for path in scripts if "vendor" not in path.parts]
    for path in ours:
        kept, whole = worker.kept_text(path), path.read_text()
        gone = [line for line in whole.splitlines() if line not in kept.splitlines()]
        strange = [line for line in gone if not line.strip().startswith(("//", "/*", "*"))]
        assert strange == [], path
        # A text over several lines could hold a line that looks like a comment.
        assert kept.count("`") == whole.count("`") - sum(line.count("`") for line in gone), path
    assert sum(len(worker.kept_text(path)) for path in ours) < sum(
        len(path.read_text()) for path in ours
    )


def test_whatever_a_script_of_the_shelf_imports_is_kept() -> None:
    kept = {path.resolve() for _, path in worker.shell_files()}
    missing = {
        f"{path.name}: {named}"
        for path in kept
        if path.suffix == ".js" and "vendor" not in path.parts
        for named in _imports(path)
        if _file(path, named) not in kept
    }
    assert missing == set()


def test_a_changed_file_makes_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = worker.manifest()
    page = tmp_path / "new.js"
    page.write_text("export {};")
    monkeypatch.setattr(worker, "shell_files", lambda: iter([("/static/shelf/new.js", page)]))
    after = worker.manifest()
    page.write_text("export { };")
    assert len({str(each["version"]) for each in (before, after, worker.manifest())}) == 3


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.2", True),
        ("*", True),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("", False),
        ("gzip;q=nonsense", False),
    ],
)
def test_who_takes_packed_files(accepted: str, *, taken: bool) -> None:
    assert takes_gzip(accepted) is taken


def _imports(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    named = [
        line.split('"')[1]
        for line in lines
        if line.startswith(("import ", "export ", "} from")) and 'from "' in line
    ]
    return [each for each in named if each.endswith(".js")]


def _file(importing: Path, named: str) -> Path:
    if named.startswith("/static/"):
        return ROOT / "appliance" / "web" / named.removeprefix("/")
    return (importing.parent / named).resolve()
