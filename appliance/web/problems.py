"""Errors as people and programs need them: RFC 9457 problem documents, or a page that helps.

A script gets JSON with a stable `code`; a person gets the same three things in words: what
happened, what was kept, what to do. A page's live part (htmx) gets a short notice in its place.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from appliance.web.render import Pages
from contracts.errors import (
    BadInputError,
    ForbiddenError,
    NotFoundError,
    NotSignedInError,
    TallymanError,
    UnavailableError,
)

MEDIA_TYPE = "application/problem+json"


class TooLargeError(BadInputError):
    """A request brings more than is read of it."""

    code = "too_large"


STATUS = {
    "bad_input": 422,
    "bad_frame": 422,
    "bad_asn": 422,
    "artefact_refused": 422,
    "not_found": 404,
    "conflict": 409,
    "held": 409,
    "insufficient_stock": 409,
    "already_running": 409,
    "too_large": 413,
    "forbidden": 403,
    "phone_revoked": 410,
    "invitation_spent": 410,
    "not_signed_in": 401,
    "journal_full": 503,
    "unavailable": 503,
}


def status_of(error: TallymanError) -> int:
    """The HTTP status for an error; children of a known error inherit its status."""
    for kind in type(error).__mro__:
        code = getattr(kind, "code", "")
        if code in STATUS:
            return STATUS[code]
    return 500


def problem(error: TallymanError, *, instance: str = "") -> dict[str, Any]:
    """The problem document: `type`, `title`, `status`, `detail`, and our `code`, `mend`, data."""
    status = status_of(error)
    document: dict[str, Any] = {
        "type": f"urn:tallyman:problem:{error.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
        "code": error.code,
    }
    if error.mend:
        document["mend"] = error.mend
    if instance:
        document["instance"] = instance
    plain = (str, int, float, bool, list, tuple, type(None))
    for name, value in error.data.items():
        document.setdefault(name, value if isinstance(value, plain) else str(value))
    return document


def wants_page(request: Request) -> bool:
    """True for a person's browser, False for scripts and the API."""
    if request.url.path.startswith(("/api/", "/device/")):
        return False
    return "text/html" in request.headers.get("accept", "")


def is_part(request: Request) -> bool:
    """True when the answer goes into a part of a page already open."""
    return request.headers.get("hx-request") == "true"


def _sign_in(request: Request, pages: Pages) -> Response:
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = request.headers.get("hx-current-url") if is_part(request) else target
    address = f"{pages.site.hub_url}/sign-in?next={quote(back or '/', safe='')}"
    if is_part(request):
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, status_code=303)


def answer(request: Request, error: TallymanError) -> Response:
    """The answer to a request that failed with `error`."""
    pages: Pages = request.app.state.pages
    status = status_of(error)
    if not wants_page(request):
        document = problem(error, instance=request.url.path)
        return JSONResponse(document, status_code=status, media_type=MEDIA_TYPE)
    if isinstance(error, NotSignedInError) and request.method == "GET":
        return _sign_in(request, pages)
    if is_part(request):
        part = pages.render(
            request, "part_problem.html", status_code=status, status=status, error=error
        )
        part.headers["HX-Retarget"] = "#notices"
        part.headers["HX-Reswap"] = "innerHTML"
        return part
    return pages.render(request, "problem.html", status_code=status, status=status, error=error)


def _from_validation(error: RequestValidationError) -> BadInputError:
    first = error.errors()[0] if error.errors() else {}
    place = ".".join(str(part) for part in first.get("loc", ()))
    return BadInputError(
        f"{place}: {first.get('msg', 'not as expected')}", mend="Correct this value and try again"
    )


def _from_http(error: HTTPException, request: Request) -> TallymanError:
    match error.status_code:
        case 401:
            return NotSignedInError("Nobody is signed in", mend="Sign in and try again")
        case 403:
            return ForbiddenError(str(error.detail))
        case 404:
            return NotFoundError(
                f"Nothing at {request.url.path}", mend="Use the navigation to go on"
            )
        case 413:
            return TooLargeError(str(error.detail), mend="Send less at once, or sign in first")
        case 503:
            return UnavailableError(str(error.detail), mend="Try again in a moment")
        case _:
            return BadInputError(str(error.detail))


def install(app: FastAPI) -> None:
    """Map every error of the house to its answer."""

    async def ours(request: Request, error: Exception) -> Response:
        if isinstance(error, TallymanError):
            return answer(request, error)
        raise error

    async def invalid(request: Request, error: Exception) -> Response:
        if isinstance(error, RequestValidationError):
            return answer(request, _from_validation(error))
        raise error

    async def http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        response = answer(request, _from_http(error, request))
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            response.status_code = error.status_code
        return response

    async def too_large(request: Request, error: Exception) -> Response:
        # A whole number beyond the database's integers, as the driver says it: nothing was written.
        del error
        return answer(request, BadInputError("A number is too large", mend="Correct it"))

    app.add_exception_handler(TallymanError, ours)
    app.add_exception_handler(OverflowError, too_large)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
