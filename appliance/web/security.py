"""The headers that go out with every answer: a strict Content Security Policy and its friends.

No inline script or style exists in our pages, nothing is loaded from elsewhere, nobody may frame
them. The page at the shelf alone compiles WebAssembly (its reader of codes) and hears the microphone
(push to talk). Written as plain ASGI, because a streamed answer (live events) must pass untouched.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DIRECTIVES = (
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)


_SHELF = ("/shelf", "/static/shelf/")
"""Addresses of the page at the shelf, of its service worker and of the worker that reads codes."""


def content_security_policy(*, form_origin: str = "", shelf: bool = False) -> str:
    """The policy of every page. `form_origin` may be the hub's, where sign-in happens; `shelf`: of
    the page at the shelf.
    """
    directives = [
        *(
            f"{each} 'wasm-unsafe-eval'" if shelf and each.startswith("script-src") else each
            for each in _DIRECTIVES
        ),
        f"form-action 'self' {form_origin}".strip(),
    ]
    return "; ".join(directives)


class SecurityHeaders:
    """ASGI middleware: adds the headers, keeps those that a route set itself."""

    def __init__(self, app: ASGIApp, *, form_origin: str = "", tls: bool = True) -> None:
        """`tls` False: a port without it for others than this machine, where browsers refuse to hear
        of the opener's policy and say so.
        """
        self._app = app
        self._headers = {
            "Content-Security-Policy": content_security_policy(form_origin=form_origin),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=()",
        }
        if not tls:
            del self._headers["Cross-Origin-Opener-Policy"]
        self._shelf_headers = self._headers | {
            "Content-Security-Policy": content_security_policy(form_origin=form_origin, shelf=True),
            "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                shelf = scope["path"].startswith(_SHELF)
                for name, value in (self._shelf_headers if shelf else self._headers).items():
                    headers.setdefault(name, value)
                default = "no-cache" if scope["path"].startswith("/static/") else "no-store"
                headers.setdefault("Cache-Control", default)
            await send(message)

        await self._app(scope, receive, send_with_headers)
