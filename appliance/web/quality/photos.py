"""Photos that people take of what a ticket is about: stored as evidence, by their hash (I4)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from appliance.web.ports import Gate
from appliance.web.quality.ports import Desk, PictureShelf
from appliance.web.quality.tickets import WORKERS
from contracts.errors import BadFrameError
from contracts.stock import Evidence
from vision.frames import decode_frame

_MOST_BYTES = 30 << 20
_KINDS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


def add_to(router: APIRouter, gate: Gate, desk: Desk, pictures: PictureShelf) -> None:
    """/tickets/{id}/evidence: one or more JPEG or PNG files; the good ones before a bad one stay."""

    @router.post("/tickets/{ticket_id}/evidence", include_in_schema=False)
    async def add(request: Request, ticket_id: str) -> Response:
        viewer = await gate.require(request, *WORKERS)
        async with request.form(max_files=20) as form:
            await gate.verify(request)
            files = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
            if not any(file.filename for file in files):
                raise BadFrameError("No picture was chosen", mend="Choose JPEG or PNG files")
            for file in files:
                data = await file.read(_MOST_BYTES + 1)
                found = await run_in_threadpool(photo, pictures, data, name=file.filename or "?")
                await run_in_threadpool(desk.add_evidence, ticket_id, found, by=viewer.name)
        return RedirectResponse(f"/tickets/{ticket_id}", status_code=303)


def photo(pictures: PictureShelf, data: bytes, *, name: str) -> Evidence:
    """Store a photo that can be shown. Raises BadFrameError, JournalFullError."""
    if len(data) > _MOST_BYTES:
        raise BadFrameError(f"{name} is larger than 30 MiB", mend="Take a smaller picture")
    media = next((kind for start, kind in _KINDS if data.startswith(start)), "")
    if not media:
        raise BadFrameError(f"{name} is no JPEG or PNG", mend="Choose a photo in one of these")
    height, width = decode_frame(data, name=name).shape[:2]
    return Evidence("photo", pictures.put(data), media, width_px=width, height_px=height)
