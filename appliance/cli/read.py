"""`tallyman read`: read the labels in pictures, one line a frame."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import ArtefactRefusedError, BadFrameError, BadInputError

if TYPE_CHECKING:
    from contracts.asn import ExpectedLine
    from contracts.reading import FieldValue, LabelReading
    from vision.reading.reader import LabelReader

_BAD_INPUT = 2


def read(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE|FOLDER...", help="JPEG, PNG or BMP, or folders.")
    ],
    *,
    asn: Annotated[
        Path | None, typer.Option("--asn", help="The announced list, CSV or X12.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    lang: Annotated[str, typer.Option("--lang", help="Language of the reasons: en or zh.")] = "en",
    models: Annotated[
        Path | None, typer.Option("--models", help="Folder of the label reader; default: ours.")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of the engine.")] = 2,
    engine: Annotated[
        str, typer.Option("--engine", help="onnxruntime-cpu, openvino-cpu, ... as reader.engine.")
    ] = "onnxruntime-cpu",
) -> None:
    """Read GTIN, batch and expiry from pictures of cartons, against a list where one is given."""
    from appliance.words import LANGUAGES

    if lang not in LANGUAGES:
        raise BadInputError(f"No language {lang!r}", mend=f"Use one of {', '.join(LANGUAGES)}")
    files = find_pictures(images)
    expected = _expected(asn)
    reader = open_reader(models, threads, engine)
    failed = 0
    # One carton a frame here; a station brings several frames of one carton together.
    for path in _with_progress(files, shown=not as_json and len(files) > 1):
        try:
            reading = _read_one(reader, path, expected)
        except BadFrameError as error:
            failed += 1
            sys.stderr.write(f"tallyman: {error}\n")
            continue
        sys.stdout.write((as_line(reading, lang) if as_json else _as_text(reading, lang)) + "\n")
        sys.stdout.flush()
    if failed:
        raise typer.Exit(_BAD_INPUT)


def find_pictures(images: Sequence[Path]) -> list[Path]:
    """The files named, and the pictures directly in the folders named, in order of name.

    Raises BadInputError for a path that does not exist or a folder without pictures.
    """
    from vision.frames import SUFFIXES

    files = []
    for path in images:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            if not inside:
                raise BadInputError(
                    f"{path} holds no pictures", mend=f"Pictures end in {', '.join(SUFFIXES)}"
                )
            files += inside
        elif path.exists():
            files.append(path)
        else:
            raise BadInputError(f"{path} does not exist", mend="Check the path")
    return files


def open_reader(folder: Path | None, threads: int, engine: str = "onnxruntime-cpu") -> LabelReader:
    """The label reader in `folder`, or the one the appliance carries; every file verified. For
    trying: a set may be read on an engine that it is not proven on.
    """
    from appliance.model_sets import READER, carried
    from ota.model_set import open_model_set
    from vision.engine import PADDLE
    from vision.reading.reader import LabelReader

    model_set = open_model_set(folder) if folder else carried(READER)
    if model_set.kind != "label-reader":
        raise ArtefactRefusedError(
            f"{model_set.folder} is a {model_set.kind}, not a label reader",
            mend="Name the folder of a label reader",
        )
    if PADDLE in (engine, *model_set.variants):
        raise BadInputError(
            f"{PADDLE} reads on an edge only", mend="Set reader.engine, or choose another engine"
        )
    return LabelReader.load(
        model_set.folder, model_set=model_set.digest, threads=threads, variant=engine
    )


def as_line(reading: LabelReading, lang: str) -> str:
    """A reading as one line of JSON with the keys of the reference (docs/reference)."""
    import msgspec

    from appliance.words import words

    say = words(lang)
    fields = reading.fields
    shown = {
        "frame": reading.frame,
        "fields": {"gtin": fields.gtin, "batch": fields.batch, "expiry": fields.expiry},
        "symbols": reading.symbols,
        "asn_line": reading.asn_line,
        "confidence": reading.confidence,
        "decision": reading.decision,
        "reasons": [
            {"code": each.code, "params": each.params, "text": say.reason(each)}
            for each in reading.reasons
        ],
        "model_set": reading.model_set,
        "elapsed_ms": reading.elapsed_ms,
    }
    return msgspec.json.encode(shown).decode()


def _read_one(reader: LabelReader, path: Path, expected: Sequence[ExpectedLine]) -> LabelReading:
    from vision.frames import decode_frame

    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadFrameError(
            f"{path.name} cannot be read: {error.strerror}", mend="Check the file"
        ) from error
    return reader.read([decode_frame(data, name=path.name)], expected, name=path.name)


def _expected(asn: Path | None) -> tuple[ExpectedLine, ...]:
    if asn is None:
        return ()
    from contracts.asn import ExpectedLine
    from erp_link.asn.files import read_asn

    return tuple(ExpectedLine(line) for line in read_asn(asn).lines)


def _with_progress(files: Sequence[Path], *, shown: bool) -> Iterable[Path]:
    if not shown or not sys.stderr.isatty():
        return files
    from rich.console import Console
    from rich.progress import track

    return track(files, description="Reading", console=Console(stderr=True))


def _as_text(reading: LabelReading, lang: str) -> str:
    from appliance.words import words

    say = words(lang)
    fields = reading.fields

    def shown(value: FieldValue | None, width: int) -> str:
        return (value.value if value else "-").ljust(width)

    line = f"line {reading.asn_line}" if reading.asn_line else "-"
    why = "; ".join(say.reason(each) for each in reading.reasons)
    return (
        f"{reading.frame:<24} {reading.decision.upper():<6} {100 * reading.confidence:5.1f} %  "
        f"{shown(fields.gtin, 14)}  {shown(fields.batch, 20)}  {shown(fields.expiry, 10)}  "
        f"{line:<9} {why}"
    ).rstrip()
