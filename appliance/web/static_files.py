"""The pages' own files from memory, packed: a page waits for a dozen of them, each read from disk costs
three turns of a thread, and a phone in a corner of the building has a thin line.

Text and WebAssembly are packed once with gzip (RFC 9110, 8.4.1.3) when a browser first takes it; the
packed body has an ETag of its own, since it is another representation (RFC 9110, 8.8.3.3).
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

_MOST_BYTES = 4 << 20
_LEAST_PACKED = 512
"""Below it the packed file is hardly smaller, and may be larger."""
_PACKED = ("text/", "application/javascript", "application/json", "application/wasm", "image/svg")


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: tuple[int, int]
    body: bytes
    headers: dict[str, str]
    packs: bool


class KeptFiles(StaticFiles):
    """As StaticFiles, but for files that do not change between two requests."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self._kept: dict[str, _Kept] = {}
        self._packed: dict[str, _Kept] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        kept = self._current(path) if scope["method"] == "GET" else None
        if kept is None:
            # What is not there, what is large, and who asks for less than all of it.
            return await super().get_response(path, scope)
        asked = Headers(scope=scope)
        if kept.packs and takes_gzip(asked.get("accept-encoding", "")):
            kept = await self._pack(path, kept)
        response = Response(kept.body, headers=kept.headers)
        if self.is_not_modified(response.headers, asked):
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
            packs = kind.startswith(_PACKED) and len(body) >= _LEAST_PACKED
            if packs:
                headers["vary"] = "Accept-Encoding"
            kept = self._kept[full] = _Kept(stamp, body, headers, packs)
        return kept

    async def _pack(self, path: str, kept: _Kept) -> _Kept:
        packed = self._packed.get(path)
        if packed is None or packed.stamp != kept.stamp:
            body = await asyncio.to_thread(packed_bytes, kept.body)
            tag = kept.headers["etag"].removesuffix('"') + '-gzip"'
            headers = kept.headers | {"etag": tag, "content-encoding": "gzip"}
            packed = self._packed[path] = _Kept(kept.stamp, body, headers, packs=True)
        return packed


def packed_bytes(body: bytes) -> bytes:
    """`body` in gzip; the same bytes each time."""
    return gzip.compress(body, compresslevel=9, mtime=0)


_packed_lately = lru_cache(maxsize=8)(packed_bytes)


def packed_answer(request: Request, body: bytes, media_type: str) -> Response:
    """`body` packed where the browser takes it, to be asked for again each time it is used."""
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if takes_gzip(request.headers.get("accept-encoding", "")):
        body, headers = _packed_lately(body), headers | {"Content-Encoding": "gzip"}
    return Response(body, headers=headers, media_type=media_type)


def takes_gzip(accepted: str) -> bool:
    """True where an Accept-Encoding header asks for gzip, or for anything (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        try:
            weights[name.strip()] = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
    return weights.get("gzip", weights.get("*", 0.0)) > 0
