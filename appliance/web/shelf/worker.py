"""/shelf/sw.js: the service worker of the page at the shelf, with the list of what it keeps (I6); and
/shelf/page.json: the page's texts in one answer.

The list names every file of the page with the SHA-256 of its bytes, so the worker's own text changes
exactly when one of them does: the browser then fetches what is new beside the page in use, and keeps
a file only if its bytes are those listed. Nothing in it is about anybody.

A hundred small files pack badly one by one, and a thin line waits for each: the texts go together,
without the lines that are only comments.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from appliance.web.shelf.page import READER, shelf_words
from appliance.web.static_files import packed_answer
from appliance.words import LANGUAGES

_WEB = Path(__file__).parents[1]
_STATIC = _WEB / "static"
_SHELF = _STATIC / "shelf"
_SHARED = (
    "tokens.css",
    "icon.svg",
    "icons.svg",
    "vendor/idb.js",
    "vendor/zxing/share.js",
    "vendor/zxing/reader/index.js",
    "vendor/zxing/zxing_reader.wasm",
)
TEXTS = "/shelf/page.json"
_KINDS = frozenset({".js", ".css", ".svg", ".json"})
_UNUSED = frozenset({"types.js", "sw.js"})
"""Types are read by the checker only; a worker does not keep itself."""
_COMMENTS = re.compile(
    r"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/[ \t]*|//[^\n]*)\n", re.MULTILINE | re.DOTALL
)
"""Lines that are comments and nothing else. No text in our scripts has such a line; a test looks."""
_RENDERED = ("templates/shelf.html", "templates/macros.html", "shelf/page.py")


def shelf_worker_router() -> APIRouter:
    """GET /shelf/sw.js."""
    router = APIRouter(include_in_schema=False)

    @router.get("/shelf/sw.js")
    def worker(request: Request) -> Response:
        said = json.dumps(manifest(), separators=(",", ":"))
        text = f"self.MANIFEST={said};\n{(_SHELF / 'sw.js').read_text()}"
        answer = packed_answer(request, text.encode(), "text/javascript")
        answer.headers["Service-Worker-Allowed"] = "/shelf"
        return answer

    @router.get(TEXTS)
    def texts(request: Request) -> Response:
        said = json.dumps(page_texts(), ensure_ascii=False, separators=(",", ":")).encode()
        return packed_answer(request, said, "application/json")

    return router


def page_texts() -> dict[str, str]:
    """Address and text of every file that is text, as a phone keeps it."""
    return {address: kept_text(path) for address, path in shell_files() if path.suffix in _KINDS}


def kept_text(path: Path) -> str:
    """A file's text; a script of ours without its comment lines."""
    text = path.read_text(encoding="utf-8")
    ours = path.suffix == ".js" and "vendor" not in path.parts
    return _COMMENTS.sub("", text) if ours else text


def fetched() -> list[str]:
    """What a phone fetches for its first start without the network."""
    files = manifest()["files"]
    assert isinstance(files, dict)  # noqa: S101 -- addresses and hashes
    return ["/shelf/sw.js", TEXTS, *(each for each in files if each not in page_texts())]


def shell_files() -> Iterator[tuple[str, Path]]:
    """Address and path of every static file that the page at the shelf needs, by address."""
    own = [path for path in _SHELF.rglob("*") if path.suffix in _KINDS and path.name not in _UNUSED]
    shared = [_STATIC / name for name in _SHARED]
    for path in sorted([*own, *(path for path in shared if path.exists())]):
        yield f"/static/{path.relative_to(_STATIC).as_posix()}", path


def manifest() -> dict[str, object]:
    """`files`: address to SHA-256 as Subresource Integrity writes it; empty for what the hub renders
    (the shell in each language, its words), which `version` covers.
    """
    files: dict[str, str] = {}
    everything = hashlib.sha256()
    for address, path in shell_files():
        body = kept_text(path).encode() if path.suffix in _KINDS else path.read_bytes()
        digest = hashlib.sha256(body).digest()
        files[address] = f"sha256-{base64.b64encode(digest).decode()}"
        everything.update(address.encode() + digest)
    for name in _RENDERED:
        everything.update((_WEB / name).read_bytes())
    for language in LANGUAGES:
        everything.update(shelf_words(language).encode())
        files |= {f"/shelf?lang={language}": "", f"/shelf/words/{language}.json": ""}
    files |= {READER: "", "/shelf/manifest.webmanifest": ""}
    return {
        "version": everything.hexdigest()[:16],
        "languages": list(LANGUAGES),
        "texts": TEXTS,
        "files": files,
    }
