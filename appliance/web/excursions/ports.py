"""What these pages ask of the stock core. Calls may block; errors are TallymanErrors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from erp_link.domain.excursions.limits import Limits
from erp_link.service.excursions.report import ExcursionLine, ExcursionReport


class ExcursionDesk(Protocol):
    """erp_link.service.excursions.desk.Excursions."""

    def excursions(
        self, *, open_only: bool = False, before: tuple[int, str] | None = None, limit: int = 100
    ) -> Sequence[ExcursionLine]: ...

    def report(self, excursion_id: str) -> ExcursionReport:
        """Raises NotFoundError."""
        ...

    def limits(self) -> Mapping[str, Limits]: ...

    def set_limits(self, subject: str, limits: Limits | None, *, by: str) -> None:
        """Raises BadInputError."""
        ...


class ZoneDesk(Protocol):
    """erp_link.service.excursions.whereabouts.Whereabouts."""

    def zones(self) -> Mapping[str, str]: ...

    def name_zone(self, zone: str, locations: Collection[str], *, by: str) -> None:
        """Raises BadInputError."""
        ...
