"""Places that the site gives itself: a small CSV file beside the hub's data.

    map,place,x,y
    hall,A-01-1,12.5,4.0

Metres on the vehicles' own map. A file with a mistake is left out whole, and the page says where.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agv_bridge.fleet.places import PlaceAt, Source
from agv_bridge.fleet.spot import FARTHEST_M
from contracts.errors import BadInputError

COLUMNS: Final = ("map", "place", "x", "y")
_MOST_BYTES: Final = 5_000_000
_LONGEST: Final = 200


def read_given(path: Path) -> tuple[PlaceAt, ...]:
    """The places of the file; none where there is no file.

    Raises BadInputError naming file, line and column.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BadInputError(
            f"{path.name} cannot be read: {error.strerror}", mend="Let the hub read it"
        ) from error
    if len(raw) > _MOST_BYTES:
        raise BadInputError(
            f"{path.name} is larger than {_MOST_BYTES} bytes", mend="Leave out what is no place"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path.name} is not UTF-8 text", mend="Save it as UTF-8") from error
    return _parse(text, path.name)


def _parse(text: str, name: str) -> tuple[PlaceAt, ...]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = set(COLUMNS) - set(reader.fieldnames or ())
    if missing:
        raise BadInputError(
            f"{name}, line 1: no column {', '.join(sorted(missing))}",
            mend=f"Begin with the line {','.join(COLUMNS)}",
        )
    found: dict[tuple[str, str], PlaceAt] = {}
    try:
        for row in reader:
            one = _place(row, f"{name}, line {reader.line_num}")
            if (one.map_id, one.code) in found:
                raise BadInputError(
                    f"{name}, line {reader.line_num}: {one.code} stands there already",
                    mend="Give each place of a map once",
                )
            found[one.map_id, one.code] = one
    except csv.Error as error:
        raise BadInputError(
            f"{name}, line {reader.line_num}: {error}", mend="Write it as CSV with commas"
        ) from error
    return tuple(found.values())


def _place(row: Mapping[str, str | None], where: str) -> PlaceAt:
    code, map_id = (row["place"] or "").strip(), (row["map"] or "").strip()
    if not code or max(len(code), len(map_id)) > _LONGEST:
        raise BadInputError(
            f"{where}, place: {code[:40]!r} is no place", mend="Write the place's code"
        )
    return PlaceAt(map_id, code, _metres(row, "x", where), _metres(row, "y", where), Source.GIVEN)


def _metres(row: Mapping[str, str | None], column: str, where: str) -> float:
    text = (row[column] or "").strip()
    try:
        metres = float(text)
    except ValueError:
        metres = math.nan
    if not abs(metres) <= FARTHEST_M:
        raise BadInputError(
            f"{where}, {column}: {text[:40]!r} is no length in metres", mend="Write it as 12.5"
        )
    return metres
