"""`tallyman inspect conform`: does this machine's engine judge as the usual one? (I3)"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import BadInputError

if TYPE_CHECKING:
    from vision.defects.inspector import DefectInspector
    from vision.defects.parity import Golden


def conform(
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[IMAGE|FOLDER...]", help="Default: pictures that we draw."),
    ] = None,
    *,
    engine: Annotated[str, typer.Option("--engine", help="The engine to hold against the usual.")],
    profile: Annotated[
        Path | None, typer.Option("--profile", help="The product on the pictures given.")
    ] = None,
    models: Annotated[
        Path | None, typer.Option("--models", help="Folder of the backbone; default: ours.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Judge the same pictures on both engines; exit 1 where fewer than 99.5 % agree.

    A set's own proof is made with models/recipes/defect/conform.py and stands in its manifest; this
    asks whether it holds on this machine.
    """
    import msgspec

    from appliance.cli.main import Findings
    from appliance.model_sets import BACKBONE, carried
    from ota.model_set import open_model_set
    from ota.proof import LEAST_ALIKE
    from vision.defects.inspector import DefectInspector
    from vision.defects.parity import compare
    from vision.engine import CPU, INSPECT_VARIANTS

    if engine not in INSPECT_VARIANTS:
        raise BadInputError(
            f"No engine is called {engine!r}", mend=f"Choose from {', '.join(INSPECT_VARIANTS)}"
        )
    found = open_model_set(models) if models else carried(BACKBONE)
    usual, this = (
        DefectInspector.load(found.folder, model_set=found.digest, variant=each)
        for each in (CPU, engine)
    )
    parity = compare(usual, {engine: this}, _goldens(usual, images or [], profile))[engine]
    said = {
        "model_set": found.digest,
        "engine": engine,
        "proven": engine in found.variants,
        "pictures": parity.pictures,
        "alike": parity.alike,
        "farthest_score": round(parity.farthest, 3),
        "differing": parity.differing,
    }
    if as_json:
        typer.echo(msgspec.json.encode(said).decode())
    else:
        for name in parity.differing:
            typer.echo(f"judged otherwise: {name}")
        typer.echo(
            f"{engine}: {parity.alike} of {parity.pictures} pictures judged as on {CPU} "
            f"({100 * parity.share:.2f} %)"
            + ("" if engine in found.variants else "; the set is not proven on it")
        )
    if parity.share < LEAST_ALIKE:
        raise Findings


def _goldens(usual: DefectInspector, images: list[Path], profile: Path | None) -> Iterator[Golden]:
    from appliance.golden import golden_pictures
    from vision.defects.parity import Golden
    from vision.defects.profile import Profile
    from vision.frames import SUFFIXES, decode_frame

    if not images:
        yield from golden_pictures(usual)
        return
    if profile is None:
        raise BadInputError(
            "Pictures were given without their product", mend="Name its profile with --profile"
        )
    known = Profile.load(profile)
    for given in images:
        inside = given.rglob("*") if given.is_dir() else [given]
        for path in sorted(each for each in inside if each.suffix.lower() in SUFFIXES):
            yield Golden(str(path), decode_frame(path.read_bytes(), name=str(path)), known)
