"""`tallyman condition`: learn a carton's reference sides, judge what state cartons are in."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.cli.language import Lang, Language
from appliance.cli.pictures import decode_all, files_of, items_of, read_picture
from contracts.errors import ArtefactRefusedError, BadFrameError, BadInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from contracts.condition import CartonCondition
    from vision.condition.profile import ConditionProfile

condition = typer.Typer(
    help="See crushed, torn, wet and opened cartons against the sides of good ones.",
    no_args_is_help=True,
)

_Images = Annotated[
    list[Path], typer.Argument(metavar="IMAGE|FOLDER...", help="JPEG, PNG or BMP, or folders.")
]
_ProfileFile = Annotated[Path, typer.Option("--profile", help="The condition profile's file.")]
_CORNERS = 4


@condition.command()
def enrol(
    images: _Images,
    *,
    profile: _ProfileFile,
    product: Annotated[
        str, typer.Option("--product", help="The supplier's carton; default: the file's name.")
    ] = "",
    side_pattern: Annotated[
        str,
        typer.Option(
            "--side-pattern",
            help="Regular expression whose first group in a file name is the side shown; "
            "default: all pictures show the top.",
        ),
    ] = "",
    carton_pattern: Annotated[
        str,
        typer.Option(
            "--carton-pattern",
            help="Regular expression whose first group in a file name is the physical carton; "
            "default: every picture shows another one.",
        ),
    ] = "",
    corners: Annotated[
        str,
        typer.Option(
            "--corners",
            help='The side in every picture, "x,y x,y x,y x,y" clockwise from its top left, or '
            '"all" where it fills the picture; default: found by itself.',
        ),
    ] = "",
) -> None:
    """Learn the reference sides from pictures of good cartons: 20 a side for a bound of 5 %."""
    from vision.condition.enrolment import Shown
    from vision.condition.inspector import ConditionInspector

    pictures, failed = decode_all(images)
    if failed:
        raise BadInputError(
            f"{failed} of the pictures cannot be used, no profile was written",
            mend="Leave them out or send them again",
        )
    names = [name for name, _ in pictures]
    cartons = items_of(names, carton_pattern) if carton_pattern else names
    sides = items_of(names, side_pattern) if side_pattern else ["top"] * len(names)
    made = ConditionInspector().enrol(
        [
            Shown(image, carton, side, _corners(corners, image))
            for (_, image), carton, side in zip(pictures, cartons, sides, strict=True)
        ],
        product=product or profile.stem,
    )
    made.save(profile)
    for side_facts in made.facts.sides:
        for carton in side_facts.odd:
            sys.stderr.write(
                f"tallyman: {carton} looks unlike the other good cartons ({side_facts.name}); "
                "is it good?\n"
            )
        says = (
            f"at most {side_facts.bound_percent} % of good ones will be called damaged"
            if side_facts.bound_percent
            else "too few for a limit: everything will be review, 20 good cartons are needed"
        )
        typer.echo(
            f"{profile}: {side_facts.name}: {side_facts.good_cartons} good cartons, {says}; "
            f"{side_facts.ignored_share:.0%} not looked at (labels)"
        )
    typer.echo(made.digest)


@condition.command()
def check(
    images: _Images,
    *,
    profile: _ProfileFile,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    lang: Lang = Language.EN,
) -> None:
    """Judge label-camera frames: one line each. A picture that cannot be read is told."""
    from vision.condition.inspector import ConditionInspector

    known = _profile(profile)
    failed = 0
    for path in files_of(images):
        try:
            frame = read_picture(path)
        except BadFrameError as error:
            sys.stderr.write(f"tallyman: {error}\n")
            failed += 1
            continue
        found = ConditionInspector().check(frame, known)
        typer.echo(_json(path, found, lang) if as_json else _line(path, found, lang))
    if failed:
        raise typer.Exit(2)


def _profile(path: Path) -> ConditionProfile:
    """A refused profile is a finding (exit 1), not bad usage."""
    from appliance.cli.main import Findings
    from vision.condition.profile import ConditionProfile

    try:
        return ConditionProfile.load(path)
    except ArtefactRefusedError as error:
        sys.stderr.write(f"tallyman: {error}\n")
        raise Findings from error


def _corners(given: str, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    import numpy as np

    if not given:
        return None
    height, width = image.shape[:2]
    if given == "all":
        return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    numbers = re.fullmatch(
        r"\s*" + r"\s+".join([r"(-?[\d.]+),(-?[\d.]+)"] * _CORNERS) + r"\s*", given
    )
    if numbers is None:
        raise BadInputError(
            f'--corners "{given}" does not name four corners',
            mend='Write "x,y x,y x,y x,y" in px, clockwise from the top left of the side, or all',
        )
    return np.array([float(number) for number in numbers.groups()], np.float32).reshape(4, 2)


def _json(path: Path, found: CartonCondition, language: str) -> str:
    import msgspec

    from appliance.words import words

    say = words(language)
    return msgspec.json.encode(
        {
            "image": str(path),
            "decision": found.decision.value,
            "compared": found.compared,
            "findings": found.findings,
            "reasons": [
                {"code": reason.code, "params": reason.params, "text": say.reason(reason)}
                for reason in found.reasons
            ],
            "bound_percent": found.bound_percent,
            "profile": found.profile,
            "elapsed_ms": found.elapsed_ms,
        }
    ).decode()


def _line(path: Path, found: CartonCondition, language: str) -> str:
    from appliance.words import words

    say = words(language)
    why = "; ".join(say.reason(reason) for reason in found.reasons)
    return f"{found.decision.value:<7} {path}{'  ' + why if why else ''}"
