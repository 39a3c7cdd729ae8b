"""`tallyman inspect`: learn a product's good look, teach a mistake, judge pictures."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import ArtefactRefusedError, BadFrameError, BadInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from contracts.inspection import Inspection
    from vision.defects.inspector import DefectInspector
    from vision.defects.profile import Profile

inspect = typer.Typer(
    help="See defects: learn a product's good look, judge new pictures.", no_args_is_help=True
)

_Images = Annotated[
    list[Path], typer.Argument(metavar="IMAGE|FOLDER...", help="JPEG, PNG or BMP, or folders.")
]
_ProfileFile = Annotated[Path, typer.Option("--profile", help="The product's profile file.")]
_Models = Annotated[
    Path | None, typer.Option("--models", help="Folder of the backbone; default: ours.")
]
_Threads = Annotated[int, typer.Option("--threads", min=1, help="Threads of the engine.")]


class Kind(StrEnum):
    """Which mistake an operator confirmed."""

    MISS = "miss"
    FALSE_ALARM = "false-alarm"


@inspect.command()
def enrol(
    images: _Images,
    *,
    profile: _ProfileFile,
    product: Annotated[
        str, typer.Option("--product", help="The product's name or GTIN; default: the file's name.")
    ] = "",
    item_pattern: Annotated[
        str,
        typer.Option(
            "--item-pattern",
            help="Regular expression whose first group in a file name is the physical item; "
            "default: every picture shows another item.",
        ),
    ] = "",
    models: _Models = None,
    threads: _Threads = 1,
) -> None:
    """Learn a product's good look from good pictures and write its profile."""
    pictures, failed = _decode(images)
    if failed:
        raise BadInputError(
            f"{failed} of the pictures cannot be used, no profile was written",
            mend="Leave them out or send them again",
        )
    names = [name for name, _ in pictures]
    items = _items(names, item_pattern) if item_pattern else names
    made = open_inspector(models, threads=threads).enrol(
        [image for _, image in pictures], product=product or profile.stem, items=items
    )
    made.save(profile)
    facts = made.facts
    says = (
        f"at most {facts.bound_percent} % of good items will be called defective"
        if facts.bound_percent
        else "too few for a threshold: everything will be review, 19 good items are needed"
    )
    for item in facts.odd:
        sys.stderr.write(f"tallyman: {item} looks unlike the other good ones; is it good?\n")
    typer.echo(f"{profile}: {facts.good_items} good items, {says} ({made.digest})")


@inspect.command()
def teach(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The picture judged wrongly.")],
    *,
    profile: _ProfileFile,
    kind: Annotated[Kind, typer.Option("--kind", help="What the judgement was.")],
    models: _Models = None,
    threads: _Threads = 1,
) -> None:
    """Teach one confirmed mistake; the profile file becomes the taught one."""
    picture = _read(image)
    inspector = open_inspector(models, threads=threads)
    known = _profile(profile, inspector)
    made = inspector.teach(known, picture, kind="miss" if kind is Kind.MISS else "false_alarm")
    made.save(profile)
    typer.echo(f"{profile}: taught {image.name} as {kind} ({known.digest} -> {made.digest})")


@inspect.command()
def check(
    images: _Images,
    *,
    profile: _ProfileFile,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    heatmaps: Annotated[
        Path | None, typer.Option("--heatmaps", help="Folder for a heatmap of each picture.")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of the reasons: en or zh.")] = "en",
    models: _Models = None,
    threads: _Threads = 1,
) -> None:
    """Judge pictures: one line each. A picture that cannot be read is told and the rest go on."""
    inspector = open_inspector(models, threads=threads)
    known = _profile(profile, inspector)
    if heatmaps is not None:
        heatmaps.mkdir(parents=True, exist_ok=True)
    failed = 0
    drawn: set[str] = set()
    for path in _files(images):
        try:
            picture = _read(path)
        except BadFrameError as error:
            sys.stderr.write(f"tallyman: {error}\n")
            failed += 1
            continue
        found = inspector.inspect(picture, known, name=str(path))
        if heatmaps is not None:
            from vision.defects.evidence import heatmap_jpeg

            drawn.add(name := _heatmap_name(path, drawn))
            (heatmaps / name).write_bytes(heatmap_jpeg(picture, found.heatmap))
        typer.echo(_line(found.inspection, lang, as_json=as_json))
    if failed:
        raise typer.Exit(2)


@contextmanager
def _refusals() -> Iterator[None]:
    """A refused profile or backbone is a finding (exit 1), not bad usage."""
    try:
        yield
    except ArtefactRefusedError as error:
        from appliance.cli.main import Findings

        sys.stderr.write(f"tallyman: {error}\n")
        raise Findings from error


def inspection_json(inspection: Inspection, language: str) -> str:
    """One line of `inspect check --json`: the documented keys, no others."""
    import msgspec

    from appliance.words import words

    say = words(language)
    return msgspec.json.encode(
        {
            "image": inspection.image,
            "score": inspection.score,
            "threshold": inspection.threshold,
            "decision": inspection.decision.value,
            "reasons": [
                {"code": reason.code, "params": reason.params, "text": say.reason(reason)}
                for reason in inspection.reasons
            ],
            "regions": inspection.regions,
            "model_set": inspection.model_set,
            "elapsed_ms": inspection.elapsed_ms,
        }
    ).decode()


def _line(inspection: Inspection, language: str, *, as_json: bool) -> str:
    if as_json:
        return inspection_json(inspection, language)
    from appliance.words import words

    say = words(language)
    limit = "-" if inspection.threshold is None else f"{inspection.threshold:.2f}"
    why = "; ".join(say.reason(reason) for reason in inspection.reasons)
    return (
        f"{inspection.decision.value:<7} {inspection.score:7.2f} (limit {limit})  "
        f"{inspection.image}{'  ' + why if why else ''}"
    )


def open_inspector(models: Path | None, *, threads: int) -> DefectInspector:
    """The inspector over a named folder, or over the backbone that came with the appliance."""
    from appliance.model_sets import BACKBONE, carried
    from ota.model_set import open_model_set
    from vision.defects.inspector import DefectInspector

    with _refusals():
        found = open_model_set(models) if models else carried(BACKBONE)
        return DefectInspector.load(found.folder, model_set=found.digest, threads=threads)


def _profile(path: Path, inspector: DefectInspector) -> Profile:
    from vision.defects.profile import Profile

    with _refusals():
        profile = Profile.load(path)
        inspector.accept(profile)
    return profile


def _files(given: list[Path]) -> Iterator[Path]:
    """Pictures in the order given; a folder's pictures by name, its folders too."""
    from vision.frames import SUFFIXES

    for path in given:
        if not path.is_dir():
            yield path
            continue
        inside = [p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES]
        if not inside:
            raise BadInputError(
                f"{path} holds no pictures", mend="Name a folder of JPEG, PNG or BMP"
            )
        yield from sorted(inside)


def _read(path: Path) -> NDArray[np.uint8]:
    from vision.frames import decode_frame

    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadFrameError(
            f"{path} cannot be read: {error.strerror}", mend="Check the name"
        ) from error
    return decode_frame(data, name=str(path))


def _decode(given: list[Path]) -> tuple[list[tuple[str, NDArray[np.uint8]]], int]:
    """Every picture with its name, and how many were told to be unusable."""
    pictures: list[tuple[str, NDArray[np.uint8]]] = []
    failed = 0
    for path in _files(given):
        try:
            pictures.append((str(path), _read(path)))
        except BadFrameError as error:
            sys.stderr.write(f"tallyman: {error}\n")
            failed += 1
    return pictures, failed


def _items(names: list[str], pattern: str) -> list[str]:
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise BadInputError(
            f"--item-pattern {pattern!r} is no regular expression: {error}",
            mend="For example ^([^-]+)-",
        ) from error
    if not wanted.groups:
        raise BadInputError(
            f"--item-pattern {pattern!r} has no group",
            mend="Put the item in parentheses: ^([^-]+)-",
        )
    found = []
    for name in names:
        match = wanted.search(Path(name).name)
        if match is None:
            raise BadInputError(
                f"{name} does not match --item-pattern {pattern!r}", mend="Mend the pattern"
            )
        found.append(match.group(1))
    return found


def _heatmap_name(picture: Path, drawn: set[str]) -> str:
    """A name that no two pictures of one run share: the second of a name gets a number."""
    name, number = f"{picture.stem}.heatmap.jpg", 2
    while name in drawn:
        name, number = f"{picture.stem}.{number}.heatmap.jpg", number + 1
    return name
