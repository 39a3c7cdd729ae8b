"""Language and theme of a request: `?lang=` and `?theme=`, then the cookie, then the browser.

Both are decided on the server, so a page arrives in its language and colours without a flash.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from appliance.words import DEFAULT, LANGUAGES

LANGUAGE_COOKIE = "tallyman_lang"
THEME_COOKIE = "tallyman_theme"
THEMES = ("auto", "light", "dark", "warehouse")
_YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Preferences:
    language: str
    theme: str


def accepted_language(header: str) -> str:
    """The best of our languages for an Accept-Language header (RFC 9110, 12.5.4)."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        ranked.append((-quality, place, tag.split("-")[0].lower()))
    return next((tag for _, _, tag in sorted(ranked) if tag in LANGUAGES), DEFAULT)


def preferences(request: Request) -> Preferences:
    """What the person asked for; unknown values are ignored."""
    asked = request.query_params.get("lang", "")
    kept = request.cookies.get(LANGUAGE_COOKIE, "")
    if asked in LANGUAGES:
        language = asked
    elif kept in LANGUAGES:
        language = kept
    else:
        language = accepted_language(request.headers.get("accept-language", ""))
    theme = request.query_params.get("theme") or request.cookies.get(THEME_COOKIE) or "auto"
    return Preferences(language, theme if theme in THEMES else "auto")


def keep(request: Request, response: Response) -> None:
    """Remember a language or theme that was asked for in the address."""
    secure = request.url.scheme == "https"
    chosen = (
        (LANGUAGE_COOKIE, request.query_params.get("lang", ""), tuple(LANGUAGES)),
        (THEME_COOKIE, request.query_params.get("theme", ""), THEMES),
    )
    for cookie, value, allowed in chosen:
        if value in allowed:
            response.set_cookie(
                cookie, value, max_age=_YEAR_S, samesite="lax", httponly=True, secure=secure
            )
