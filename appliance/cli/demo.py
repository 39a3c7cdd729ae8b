"""`tallyman demo samples FOLDER`: the sample delivery, rendered."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import BadInputError

demo = typer.Typer(
    help="A delivery to try things with, of our own rendering.", no_args_is_help=True
)


@demo.callback()
def group() -> None:
    """A delivery to try things with, of our own rendering."""


@demo.command()
def samples(
    folder: Annotated[Path, typer.Argument(help="Where to put it; made if it is not there.")],
    *,
    today: Annotated[str, typer.Option(help="Day of the delivery, ISO 8601; default today.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same pictures.")] = 7,
) -> None:
    """Write twelve cartons, their notice, pictures to enrol from, and the truth."""
    from appliance.demo.samples import write_samples

    try:
        day = datetime.strptime(today, "%Y-%m-%d").replace(tzinfo=UTC) if today else _now()
    except ValueError as error:
        raise BadInputError(f"{today!r} is not a date", mend="Write it as 2026-11-21") from error
    try:
        delivery = write_samples(folder, today=day.date(), seed=seed)
    except OSError as error:
        raise BadInputError(
            f"cannot write samples to {folder}: {error.strerror}",
            mend="Name a folder that can be written",
        ) from error
    typer.echo(f"notice   {delivery.asn_csv}")
    typer.echo(f"cartons  {delivery.cartons}")
    for gtin, pictures in delivery.enrol.items():
        typer.echo(f"enrol    {pictures[0].parent} ({len(pictures)} pictures, GTIN {gtin})")
    for truth in delivery.truth:
        typer.echo(f"{truth.stem}  {' or '.join(truth.expected):16} {truth.tells}")


@demo.command()
def prepare(
    folder: Annotated[Path, typer.Argument(help="Where the samples stand or go.")],
    *,
    profiles: Annotated[Path, typer.Option(help="Folder of product profiles.")],
    trust: Annotated[Path, typer.Option(help="Folder of the keys that this machine trusts.")],
    today: Annotated[str, typer.Option(help="Day of the delivery, ISO 8601.")],
) -> None:
    """Write the samples and enrol their products, as `tallyman up` does at its first start."""
    from appliance.demo.prepare import prepare as make_ready
    from appliance.profiles import ProfileFolder
    from appliance.teaching.trust import TrustedKeys

    day = date.fromisoformat(today)
    make_ready(folder, ProfileFolder(profiles), TrustedKeys(trust), today=day)


@demo.command(hidden=True)
def sensors(
    passwords: Annotated[Path, typer.Argument(help="What they sign in with.")],
    *,
    mqtt: Annotated[str, typer.Option(help="The gateway's door, HOST:PORT.")],
    coap: Annotated[str, typer.Option(help="The gateway's door, HOST:PORT.")],
) -> None:
    """Virtual sensors that publish once a second, as `tallyman up` starts them."""
    import asyncio

    from appliance.config import host_port
    from appliance.demo.sensors import SensorAccess, run_sensors

    access = SensorAccess.read(passwords)
    doors = host_port(mqtt, "--mqtt"), host_port(coap, "--coap")
    asyncio.run(run_sensors(access, *doors))


def _now() -> datetime:
    return datetime.now(UTC)
