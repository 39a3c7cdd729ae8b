"""The pages of the house by group, in the order in which goods meet them.

A page of another part joins by one line in `GROUPS`, with its icon `nav-<name>` in the sprite and
its word `nav.<name>` in both catalogues.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.web.ports import Viewer


@dataclass(frozen=True, slots=True)
class Page:
    """One entry. `also` are addresses of pages below it that do not begin with its own."""

    name: str
    address: str
    roles: tuple[str, ...] = ()
    """Who sees the entry; everybody who is signed in where it is empty."""
    also: tuple[str, ...] = ()
    here: bool = False

    def match(self, path: str) -> int:
        """How much of `path` this entry accounts for, in characters; 0 where it is another's."""
        return max(len(a) if _under(path, a) else 0 for a in (self.address, *self.also))


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that one kind of work needs together."""

    name: str
    pages: tuple[Page, ...]

    @property
    def here(self) -> Page | None:
        """The entry whose page is shown, None where the page belongs to another group."""
        return next((page for page in self.pages if page.here), None)


GROUPS = (
    Group(
        "dock",
        (
            Page("station", "/station"),
            Page("receiving", "/receiving"),
            Page("acceptance", "/acceptance"),
            Page("products", "/station/products"),
        ),
    ),
    Group(
        "stock",
        (
            Page("shelf", "/shelf"),
            Page("batches", "/batches", also=("/batch",)),
            Page("orders", "/orders"),
            Page("fleet", "/fleet"),
            Page("goods", "/goods"),
            Page("stock_health", "/stock-health"),
            Page("reorder", "/reorder"),
            Page("master_data", "/master-data"),
        ),
    ),
    Group(
        "quality",
        (
            Page("holds", "/holds"),
            Page("tickets", "/tickets", also=("/signing-keys",)),
            Page("lessons", "/lessons"),
            Page("labelling", "/labelling", roles=("operator", "quality")),
            Page("read_rates", "/read-rates", roles=("operator", "quality", "ops")),
        ),
    ),
    Group(
        "sensors",
        (
            Page("sensors", "/sensors"),
            Page("alarms", "/alarms"),
            Page("fences", "/fences"),
            Page("excursions", "/excursions"),
            Page("gateway", "/sensors/gateway"),
        ),
    ),
    Group(
        "updates",
        (
            Page("ota", "/ota"),
            Page("ota_rollouts", "/ota/rollouts"),
            Page("ota_sets", "/ota/sets"),
            Page("ota_acceptance", "/ota/acceptance"),
            Page("ota_approvals", "/ota/approvals"),
            Page("ota_audit", "/ota/audit"),
        ),
    ),
    Group(
        "system",
        (
            Page("health", "/health"),
            Page("exchange", "/exchange"),
            Page("phones", "/phones"),
            Page("trust", "/trust"),
        ),
    ),
)


def navigation(viewer: Viewer | None, path: str) -> tuple[Group, ...]:
    """The groups that this person sees, with the entry marked whose page `path` is."""
    if viewer is None:
        return ()
    shown = [
        replace(group, pages=tuple(p for p in group.pages if not p.roles or viewer.may(*p.roles)))
        for group in GROUPS
    ]
    best = max((page.match(path) for group in shown for page in group.pages), default=0)
    return tuple(
        replace(
            group,
            pages=tuple(replace(p, here=bool(best) and p.match(path) == best) for p in group.pages),
        )
        for group in shown
        if group.pages
    )


def _under(path: str, address: str) -> bool:
    return path == address or path.startswith(f"{address}/")
