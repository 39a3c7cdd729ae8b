"""Templates: one environment, escaping always on, undefined names are errors.

A template is given `t` (the words), `site`, `viewer`, and its own values. What it may call is
listed in `_globals`; anything that decides something belongs in a route or below.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, tzinfo
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from appliance.web.navigation import navigation
from appliance.web.ports import Site, Viewer
from appliance.web.preferences import THEMES, keep, preferences
from appliance.words import LANGUAGES, Words, words
from contracts.clock import Clock, SystemClock
from contracts.stock import BatchKey
from contracts.verdict import Verdict
from erp_link.domain.expiry import ExpiryPolicy

_TEMPLATES = Path(__file__).parent / "templates"
_HUES = 12


def verdict_word(verdict: Verdict) -> str:
    """Which reserved colour, icon and word a verdict has; "not on the list" has its own."""
    return "off_list" if verdict.off_list else str(verdict.decision)


def expiry_level(expiry: date, today: date) -> str:
    """The expiry colour by the house's usual policy: past or to be taken off the shelf red, frozen
    orange, warned of yellow, else green.
    """
    left, policy = (expiry - today).days, ExpiryPolicy()
    if left <= policy.pull_days:
        return "gone"
    return "week" if left <= policy.freeze_days else "month" if left <= policy.warn_days else "fine"


def hue(digest: str) -> int:
    """One of twelve hues for a digest: the same digest has the same colour on every page."""
    return hashlib.sha256(digest.encode()).digest()[0] % _HUES


def short(digest: str) -> str:
    """The first eight characters of a digest, without its `sha256:`."""
    return digest.removeprefix("sha256:")[:8]


def batch_url(key: BatchKey) -> str:
    """A batch's page. Lots may hold `/` and `?`, so the key goes into the query."""
    return "/batch?" + urlencode({"supplier": key.supplier, "gtin": key.gtin, "lot": key.lot})


def as_date(text: str | date | None) -> date | None:
    """A date from ISO 8601 text, None where it is not one."""
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


class Pages:
    """Renders templates for a request, in its language and theme."""

    def __init__(
        self, site: Site, *, clock: Clock | None = None, zone: tzinfo | None = None
    ) -> None:
        self.site = site
        self._zone = zone
        self.clock = clock or SystemClock()
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            languages=LANGUAGES,
            themes=THEMES,
            verdict_word=verdict_word,
            expiry_level=expiry_level,
            as_date=as_date,
            batch_url=batch_url,
            hue=hue,
            short=short,
            utc=lambda at: at.astimezone(UTC),
        )

    def words(self, request: Request) -> Words:
        """The words of whoever asks, for what is no page."""
        return words(preferences(request).language)

    @property
    def zone(self) -> tzinfo:
        """The site's zone, by whose days and hours people speak."""
        return self._zone or UTC

    def render(
        self, request: Request, template_name: str, *, status_code: int = 200, **context: object
    ) -> HTMLResponse:
        """A page or a part of one. `viewer` may be passed; without it nobody is shown as signed in."""
        chosen = preferences(request)
        given = context.pop("viewer", None) or getattr(request.state, "viewer", None)
        viewer = given if isinstance(given, Viewer) else None
        now = self.clock.now()
        html = self._environment.get_template(template_name).render(
            t=words(chosen.language),
            lang=chosen.language,
            theme=chosen.theme,
            site=self.site,
            viewer=viewer,
            nav_groups=navigation(viewer, request.url.path),
            path=request.url.path,
            query=request.query_params,
            now=now,
            today=now.astimezone(self._zone).date(),
            **context,
        )
        response = HTMLResponse(html, status_code=status_code)
        keep(request, response)
        return response
