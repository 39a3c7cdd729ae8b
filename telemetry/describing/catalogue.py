"""Templates and the site's sensor book together: which address is which device, decoded how (I5).

A catalogue never changes; another book or another template makes another catalogue, which is
exchanged between two groups and keeps the numbers of the series.
"""

from __future__ import annotations

from typing import Protocol

from telemetry.describing.binding import Binding
from telemetry.describing.series import SeriesBook


class Catalogue(Protocol):
    """What the endpoints, the rules and the tailer ask."""

    series: SeriesBook
    version: str
    """Hash of all templates and of the sensor book, 64 hexadecimal digits."""

    def bind(self, address: str) -> Binding:
        """The binding of an address, kept for the next message.

        Raises Refused: unknown_address, unknown_template.
        """
        ...
