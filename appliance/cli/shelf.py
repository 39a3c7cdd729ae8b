"""`tallyman shelf IMAGE...`: the codes in pictures of shelves; and the site's lists for its shelves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from contracts.errors import BadFrameError, BadInputError

if TYPE_CHECKING:
    from appliance.shelf.stock_file import FileList
    from erp_link.service.shelf.lists import ShelfLists
    from vision.shelf import DamagedReader, ReadCode, ShelfReading

_BAD_INPUT = 2
_DEFAULT = "read"


class _ReadsByDefault(TyperGroup):
    """`tallyman shelf IMAGE` is `tallyman shelf read IMAGE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = args and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named or not args else [_DEFAULT, *args])


shelf = typer.Typer(
    cls=_ReadsByDefault,
    help="Codes in pictures of shelves (`tallyman shelf IMAGE...`); lists for the site's shelves.",
    no_args_is_help=True,
)

_Config = Annotated[
    Path | None, typer.Option("--config", help="The hub's configuration file (TOML).")
]
_File = Annotated[Path, typer.Argument(metavar="FILE.csv")]


@shelf.command()
def read(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE|FOLDER...", help="JPEG, PNG or BMP, or folders.")
    ],
    *,
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list", help="The stock list, CSV: gtin and optional name, product, units, places."
        ),
    ] = None,
    place: Annotated[
        str, typer.Option("--place", help="Where the pictures were taken: its goods are likelier.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    drawn: Annotated[
        Path | None, typer.Option("--overlay", help="Folder for the pictures with codes framed.")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Without damaged codes against the list.")
    ] = False,
) -> None:
    """Read the codes in pictures of shelves; damaged ones are weighed against the list."""
    from appliance.shelf.stock_file import read_stock_file

    stock = read_stock_file(listed)
    damaged = None if fast or listed is None else _damaged()
    if drawn is not None:
        drawn.mkdir(parents=True, exist_ok=True)
    failed = 0

    def tell(error: BadInputError) -> None:
        nonlocal failed
        failed += 1
        sys.stderr.write(f"tallyman: {error}\n")

    for path in _pictures(images, tell):
        try:
            reading = _read_one(path, stock, place, damaged, drawn)
        except BadFrameError as error:
            tell(error)
            continue
        sys.stdout.write(_as_line(path, reading) if as_json else _as_text(path, reading, stock))
        sys.stdout.flush()
    if failed:
        raise typer.Exit(_BAD_INPUT)


def _pictures(images: Sequence[Path], tell: Callable[[BadInputError], None]) -> Iterator[Path]:
    """The pictures that are there; what is not there is told, and the others are read."""
    from appliance.cli.read import find_pictures

    for named in images:
        try:
            yield from find_pictures([named])
        except BadInputError as error:
            tell(error)


def _damaged() -> DamagedReader:
    from appliance.cli.read import open_reader
    from vision.shelf import DamagedReader

    return DamagedReader(open_reader(None, 1))


def _read_one(
    path: Path,
    stock: FileList,
    place: str,
    damaged: DamagedReader | None,
    drawn: Path | None,
) -> ShelfReading:
    import cv2

    from vision.frames import decode_frame
    from vision.shelf import overlay, read_shelf

    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadFrameError(
            f"{path.name} cannot be read: {error.strerror}", mend="Check the file"
        ) from error
    frame = decode_frame(data, name=path.name)
    reading = read_shelf(frame, stock.codes, place=place, damaged=damaged)
    if drawn is not None:
        target = drawn / f"{path.stem}.png"
        encoded, png = cv2.imencode(".png", overlay(frame, reading, stock.names))
        if not encoded:
            raise BadFrameError(f"{path.name} cannot be drawn", mend="Leave --overlay out")
        target.write_bytes(png.tobytes())
    return reading


def _as_line(path: Path, reading: ShelfReading) -> str:
    import msgspec

    shown = {
        "frame": path.name,
        "codes": [_shown(each) for each in reading.codes],
        "unread": [_shown(each) for each in reading.unread],
        "elapsed_ms": reading.elapsed_ms,
    }
    return msgspec.json.encode(shown).decode() + "\n"


def _shown(each: ReadCode) -> dict[str, Any]:
    import msgspec

    told: dict[str, Any] = msgspec.to_builtins(each)
    return told


def _as_text(path: Path, reading: ShelfReading, stock: FileList) -> str:
    lines = [f"{path.name}: {len(reading.codes)} codes, {len(reading.unread)} not read"]
    for each in reading.codes:
        name = stock.names.get(each.product, "")
        lines.append(
            f"  {each.state.value:<10} {each.format:<12} {each.text:<24} "
            f"{each.how.value:<9} {name}".rstrip()
        )
    for each in reading.unread:
        perhaps = ", ".join(
            f"{maybe.text} {100 * maybe.share:.0f} % {stock.names.get(maybe.gtin, '')}".rstrip()
            for maybe in each.candidates
        )
        lines.append(f"  unread     {f'perhaps {perhaps}' if perhaps else ''}".rstrip())
    return "\n".join(lines) + "\n"


@shelf.command()
def lists(config: _Config = None) -> None:
    """Which lists the site has: kind, rows, file, when and by whom, separated by tabs."""
    with _lists(config) as kept:
        for each in kept.lists():
            at = each.imported_at.isoformat(timespec="seconds") if each.imported_at else ""
            typer.echo(f"{each.kind}\t{each.rows}\t{each.name}\t{at}\t{each.imported_by}".rstrip())


@shelf.command("contacts")
def take_contacts(file: _File, config: _Config = None) -> None:
    """Import suppliers' contacts in the place of those before."""
    _take("contacts", file, config)


@shelf.command("prices")
def take_prices(file: _File, config: _Config = None) -> None:
    """Import what products cost last in the place of the list before."""
    _take("prices", file, config)


@shelf.command("codes")
def take_codes(file: _File, config: _Config = None) -> None:
    """Import cartons' codes in the place of those before."""
    _take("codes", file, config)


@shelf.command("planogram")
def take_planogram(file: _File, config: _Config = None) -> None:
    """Import which product belongs in which place in the place of the list before."""
    _take("planogram", file, config)


@shelf.command("places")
def take_places(file: _File, config: _Config = None) -> None:
    """Import places in walking order, with the site's own names, in the place of those before."""
    _take("places", file, config)


def _take(kind: str, file: Path, config: Path | None) -> None:
    from erp_link.domain.shelf.lists import ListKind

    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInputError(f"{file} cannot be read: {error.strerror}", mend="Check it") from error
    with _lists(config) as kept:
        try:
            taken = kept.take_file(ListKind(kind), data, name=file.name, by="command line")
        except BadInputError as error:
            findings = error.data.get("findings")
            for finding in findings if isinstance(findings, list) else []:
                typer.echo(finding, err=True)
            raise
        typer.echo(f"{taken.kind}: {taken.rows} rows from {taken.name}")


@contextmanager
def _lists(config: Path | None) -> Iterator[ShelfLists]:
    """The hub's lists; the hub itself may be running."""
    from appliance.cli.decision import open_core
    from erp_link.service.shelf.lists import ShelfLists

    with open_core(config) as core:
        yield ShelfLists(core)
