"""The pages' own files from memory: a page waits for a dozen of them, and each read from disk costs
three turns of a thread.
"""

from __future__ import annotations

import hashlib
import mimetypes
import stat
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: tuple[int, int]
    body: bytes
    headers: dict[str, str]


class KeptFiles(StaticFiles):
    """As StaticFiles, but for files that do not change between two requests."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self._kept: dict[str, _Kept] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        kept = self._current(path) if scope["method"] == "GET" else None
        if kept is None:
            # What is not there, what is large, and who asks for less than all of it.
            return await super().get_response(path, scope)
        response = Response(kept.body, headers=kept.headers)
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response

    def _current(self, path: str) -> _Kept | None:
        full, found = self.lookup_path(path)
        if found is None or not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
            return None
        stamp = (found.st_mtime_ns, found.st_size)
        kept = self._kept.get(full)
        if kept is None or kept.stamp != stamp:
            body = Path(full).read_bytes()
            kind = mimetypes.guess_type(full)[0] or "application/octet-stream"
            charset = "; charset=utf-8" if kind.startswith("text/") else ""
            tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            headers = {"content-type": kind + charset, "etag": tag}
            kept = self._kept[full] = _Kept(stamp, body, headers)
        return kept
