"""`tallyman inspect`: learn a product's good look, teach a mistake, judge pictures."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.cli.enrolling import (
    how_it_sees_cracks,
    learn_own_cracks,
    shows_something,
    tell_odd,
    what_it_promises,
)
from appliance.cli.language import Lang, Language
from appliance.cli.pictures import decode_all, files_of, items_of, read_cracked, read_picture
from contracts.errors import ArtefactRefusedError, BadFrameError, BadInputError
from contracts.inspection import DefectKind

if TYPE_CHECKING:
    from contracts.inspection import Inspection
    from vision.defects.cracks.network import CrackNetwork
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


CRACKS = "crack_network"


class Bound(StrEnum):
    """The bounds on false alarms, in percent."""

    ONE = "1"
    TWO = "2"
    FIVE = "5"


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
    camera: Annotated[
        str, typer.Option("--camera", help="The camera that the pictures are from.")
    ] = "",
    bound: Annotated[
        Bound | None,
        typer.Option(
            "--bound",
            help="False alarms in a hundred good items at most; default: the strictest that the "
            "items allow. A looser one lets an odd item lie beyond the threshold.",
        ),
    ] = None,
    leave_out_odd: Annotated[
        bool,
        typer.Option(
            "--leave-out-odd",
            help="Learn only from items that look like the rest; the bound then speaks of such.",
        ),
    ] = False,
    cracked: Annotated[
        list[Path] | None,
        typer.Option(
            "--cracked",
            help="A really cracked part, at least three of them, each with NAME_mask.png or "
            "NAME.txt (YOLO boxes) beside it.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not learn the product's own cracks.")
    ] = False,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, help="Longest time for learning cracks.")
    ] = 240.0,
    models: _Models = None,
    threads: _Threads = 1,
) -> None:
    """Learn a product's good look from good pictures and write its profile.

    The profile can be used within seconds. Then the product's own cracks are learned, and the
    file is replaced when that is done; Ctrl-C keeps the first one.
    """
    pictures, failed = decode_all(images, shows_something)
    if failed:
        raise BadInputError(
            f"{failed} of the pictures cannot be used, no profile was written",
            mend="Leave them out or send them again",
        )
    names = [name for name, _ in pictures]
    items = items_of(names, item_pattern) if item_pattern else names
    parts = [read_cracked(path) for path in files_of(cracked or [])]
    inspector = open_inspector(models, threads=threads)
    good = [image for _, image in pictures]
    made = inspector.enrol(
        good,
        product=product or profile.stem,
        items=items,
        camera=camera,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        wanted_percent=int(bound) if bound else None,
        leave_out_odd=leave_out_odd,
    )
    made.save(profile)
    typer.echo(f"{profile}: {what_it_promises(made)} ({made.digest})")
    tell_odd(made)
    if quick or inspector.cracks is None:
        return
    refined = learn_own_cracks(inspector, made, good, items, parts, seconds=seconds)
    if refined is not None:
        refined.save(profile)
        typer.echo(f"{profile}: {how_it_sees_cracks(refined)} ({refined.digest})")


@inspect.command()
def teach(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The picture judged wrongly.")],
    *,
    profile: _ProfileFile,
    kind: Annotated[Kind, typer.Option("--kind", help="What the judgement was.")],
    defect: Annotated[
        DefectKind | None,
        typer.Option("--defect", help="The class of a missed defect; regions like it are named."),
    ] = None,
    models: _Models = None,
    threads: _Threads = 1,
) -> None:
    """Teach one confirmed mistake; the profile file becomes the taught one."""
    seen = read_picture(image)
    inspector = open_inspector(models, threads=threads)
    known = _profile(profile, inspector)
    made = inspector.teach(
        known,
        seen,
        kind="miss" if kind is Kind.MISS else "false_alarm",
        defect=defect.value if defect else "",
        picture=hashlib.sha256(image.read_bytes()).hexdigest(),
    )
    made.save(profile)
    what = f"{kind}: {defect}" if defect else kind
    typer.echo(f"{profile}: taught {image.name} as {what} ({known.digest} -> {made.digest})")


@inspect.command()
def check(
    images: _Images,
    *,
    profile: _ProfileFile,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    heatmaps: Annotated[
        Path | None, typer.Option("--heatmaps", help="Folder for a heatmap of each picture.")
    ] = None,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch/--no-watch",
            help="Take the pictures for one run of one camera: where lamp, lens or camera changed, "
            "everything is review.",
        ),
    ] = True,
    mm_per_px: Annotated[
        float | None,
        typer.Option("--mm-per-px", min=1e-6, help="The camera's scale: regions in millimetres."),
    ] = None,
    lang: Lang = Language.EN,
    models: _Models = None,
    threads: _Threads = 1,
) -> None:
    """Judge pictures: one line each. A picture that cannot be read is told and the rest go on."""
    from vision.defects.drift import DriftWatch
    from vision.defects.evidence import heatmap_jpeg

    inspector = open_inspector(models, threads=threads)
    known = _profile(profile, inspector)
    if heatmaps is not None:
        heatmaps.mkdir(parents=True, exist_ok=True)
    drift = known.facts.drift
    run = DriftWatch(drift) if watch and drift else None
    failed = 0
    drawn: set[str] = set()
    for path in files_of(images):
        try:
            picture = read_picture(path)
        except BadFrameError as error:
            sys.stderr.write(f"tallyman: {error}\n")
            failed += 1
            continue
        found = inspector.inspect(picture, known, name=str(path), mm_per_px=mm_per_px)
        seen = run.settle(found.inspection, found.seen) if run else found.inspection
        if heatmaps is not None:
            drawn.add(name := _heatmap_name(path, drawn))
            jpeg = heatmap_jpeg(picture, found.heatmap, regions=seen.regions)
            (heatmaps / name).write_bytes(jpeg)
        typer.echo(_line(seen, lang, as_json=as_json))
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
    """The inspector over a named folder, or over the backbone that came with the appliance; with
    the crack network, where one came with it.
    """
    from appliance.model_sets import BACKBONE, carried
    from ota.model_set import open_model_set
    from vision.defects.inspector import DefectInspector

    with _refusals():
        found = open_model_set(models) if models else carried(BACKBONE)
        return DefectInspector.load(
            found.folder, model_set=found.digest, threads=threads, cracks=_crack_network(threads)
        )


def _crack_network(threads: int) -> CrackNetwork | None:
    from appliance.model_sets import carried
    from appliance.paths import models_root
    from vision.defects.cracks.network import CrackNetwork

    if not (models_root() / CRACKS).is_dir():
        return None
    found = carried(CRACKS)
    return CrackNetwork.load(found.folder, model_set=found.digest, threads=threads)


def _profile(path: Path, inspector: DefectInspector) -> Profile:
    from vision.defects.profile import Profile

    with _refusals():
        profile = Profile.load(path)
        inspector.accept(profile)
    return profile


def _heatmap_name(picture: Path, drawn: set[str]) -> str:
    """A name that no two pictures of one run share: the second of a name gets a number."""
    name, number = f"{picture.stem}.heatmap.jpg", 2
    while name in drawn:
        name, number = f"{picture.stem}.{number}.heatmap.jpg", number + 1
    return name
