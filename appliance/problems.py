"""Errors on ports that only programs use: RFC 9457 problem documents, never a page."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from appliance.web.problems import MEDIA_TYPE, problem, status_of
from contracts.errors import TallymanError


def problem_response(error: TallymanError, *, instance: str = "") -> Response:
    """The problem document for `error` with its status."""
    return JSONResponse(
        problem(error, instance=instance), status_code=status_of(error), media_type=MEDIA_TYPE
    )


def install(app: FastAPI) -> None:
    """Answer every TallymanError of `app` with its problem document."""

    async def answer(request: Request, error: Exception) -> Response:
        if not isinstance(error, TallymanError):
            raise error
        return problem_response(error, instance=request.url.path)

    app.add_exception_handler(TallymanError, answer)
