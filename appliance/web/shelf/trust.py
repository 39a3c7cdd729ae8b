"""/trust: how a phone comes to trust the site's pages, what it then trusts, and whether it does now.

Shown on the pages' own port, and without TLS on a port of its own (`trust_app`) to phones that do not
trust the site yet. Whoever stands between phone and hub could show another root there, so the page
asks for the fingerprint to be compared with what the hub itself prints (`tallyman trust`) and with
what the phone says of the certificate it took.
"""

from __future__ import annotations

import plistlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from appliance.accounts.bind_guard import is_loopback
from appliance.identity.spoken import grouped, spoken
from appliance.identity.web_ca import WebRoot
from appliance.shelf.phones.qr import qr_svg
from appliance.web import problems
from appliance.web.app import add_words, pages_of
from appliance.web.ports import Site
from appliance.web.render import Pages
from appliance.web.security import SecurityHeaders, content_security_policy
from appliance.web.static_files import KeptFiles
from contracts.clock import Clock
from contracts.errors import NotFoundError

_STATIC = Path(__file__).parents[1] / "static"
_APPLE = "application/x-apple-aspen-config"
_CERTIFICATE = "application/x-x509-ca-cert"


@dataclass(frozen=True, slots=True)
class TrustFacts:
    """`root`: gives what phones are asked to trust; None where the site brings its own certificate
    (`own`) or serves no pages by TLS. `secure`: the pages' address by TLS; `plain`: where /trust is
    shown without it; both may be empty.
    """

    site: str
    root: Callable[[], WebRoot] | None = None
    own: bool = False
    secure: str = ""
    plain: str = ""

    def secure_for(self, host: str, allowed: tuple[str, ...]) -> str:
        """The pages' address under the name by which this phone found us, where the root allows it."""
        port = urlsplit(self.secure).port
        written = f"[{host}]" if ":" in host else host
        return f"https://{written}:{port}" if host in allowed else self.secure


def trust_router(facts: TrustFacts) -> APIRouter:
    """/trust, what is downloaded there, and /trust/ok, which only a phone that trusts us can read."""
    router = APIRouter(include_in_schema=False)

    @router.get("/trust")
    async def page(request: Request) -> Response:
        root = await _root(facts)
        host = request.url.hostname or ""
        secure = facts.secure_for(host, root.allowed) if root else facts.secure
        return _page(request, facts, root, secure)

    @router.get("/trust/tallyman-root.crt")
    async def certificate() -> Response:
        root = await _needed(facts)
        return _download(root.der, _CERTIFICATE, "tallyman-root.crt")

    @router.get("/trust/tallyman.mobileconfig")
    async def profile() -> Response:
        root = await _needed(facts)
        return _download(apple_profile(root, facts.site), _APPLE, "tallyman.mobileconfig")

    @router.get("/trust/ok")
    async def trusted() -> Response:
        # Asked by the page without TLS, across origins: that an answer can be read is the answer.
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Cache-Control": "no-store",
        }
        return JSONResponse({"trusted": True}, headers=headers)

    return router


def trust_app(facts: TrustFacts, *, clock: Clock) -> FastAPI:
    """The port without TLS: /trust and what the page is made of, nothing else."""
    app = FastAPI(title=facts.site, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SecurityHeaders, tls=False)
    app.state.pages = Pages(Site(title=facts.site), clock=clock)
    problems.install(app)
    app.mount("/static", KeptFiles(_STATIC), name="static")
    app.include_router(trust_router(facts))
    add_words(app)

    @app.get("/", include_in_schema=False)
    async def start() -> Response:
        return RedirectResponse("/trust", status_code=303)

    return app


def apple_profile(root: WebRoot, site: str) -> bytes:
    """A configuration profile with the root, as Apple's devices take it (com.apple.security.root).
    The same root makes the same identifiers, so that installing it again replaces it.
    """
    own = uuid.uuid5(uuid.NAMESPACE_OID, root.fingerprint)
    payload = {
        "PayloadType": "com.apple.security.root",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"tallyman.pages.{root.fingerprint[:16]}.root",
        "PayloadUUID": str(uuid.uuid5(own, "root")).upper(),
        "PayloadDisplayName": f"Tallyman {site}",
        "PayloadDescription": f"Trusts the pages of {', '.join(root.allowed)}, and no others.",
        "PayloadCertificateFileName": "tallyman-root.crt",
        "PayloadContent": root.der,
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"tallyman.pages.{root.fingerprint[:16]}",
        "PayloadUUID": str(own).upper(),
        "PayloadDisplayName": f"Tallyman {site}",
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [payload],
    }
    return plistlib.dumps(profile)


def _page(request: Request, facts: TrustFacts, root: WebRoot | None, secure: str) -> Response:
    agent = request.headers.get("user-agent", "")
    kind = "ios" if any(name in agent for name in ("iPhone", "iPad")) else ""
    kind = kind or ("android" if "Android" in agent else "")
    start = facts.plain or (f"{secure}/trust" if secure else "")
    page = pages_of(request).render(
        request,
        "trust.html",
        facts=facts,
        root=root,
        secure=secure,
        secure_host=urlsplit(secure).netloc,
        names=[name for name in root.allowed if not is_loopback(name)] if root else (),
        phone=kind,
        start=start,
        # Made by us from an address of ours.
        qr=Markup(qr_svg(start)) if start else "",  # noqa: S704 -- paths of numbers, no text of anybody's
        hexes=grouped(root.fingerprint) if root else (),
        said=spoken(root.fingerprint) if root else (),
    )
    policy = content_security_policy()
    if secure:
        policy = policy.replace("connect-src 'self'", f"connect-src 'self' {secure}")
    page.headers["Content-Security-Policy"] = policy
    return page


async def _root(facts: TrustFacts) -> WebRoot | None:
    return await run_in_threadpool(facts.root) if facts.root else None


async def _needed(facts: TrustFacts) -> WebRoot:
    root = await _root(facts)
    if root is None:
        raise NotFoundError(
            "This site has no root of its own to trust", mend="Open the pages: phones know them"
        )
    return root


def _download(data: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(data, media_type=kind, headers=headers)
