"""The headers that go out with every answer: a strict Content Security Policy and its friends.

No inline script or style exists in our pages, nothing is loaded from elsewhere, nobody may frame
them. Written as plain ASGI, because a streamed answer (live events) must pass untouched.
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


def content_security_policy(*, form_origin: str = "") -> str:
    """The policy of every page. `form_origin` may be the hub's, where sign-in happens."""
    directives = [
        *_DIRECTIVES,
        f"form-action 'self' {form_origin}".strip(),
    ]
    return "; ".join(directives)


class SecurityHeaders:
    """ASGI middleware: adds the headers, keeps those that a route set itself."""

    def __init__(self, app: ASGIApp, *, form_origin: str = "") -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": content_security_policy(form_origin=form_origin),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                default = "no-cache" if scope["path"].startswith("/static/") else "no-store"
                headers.setdefault("Cache-Control", default)
            await send(message)

        await self._app(scope, receive, send_with_headers)
