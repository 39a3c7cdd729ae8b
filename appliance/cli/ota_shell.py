"""What the commands of `tallyman ota` share: who asks, passphrases, the registry of this folder."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import BadInputError

if TYPE_CHECKING:
    from appliance.ota.registry.desk import RegistryDesk

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file (TOML).")]
By = Annotated[str, typer.Option("--by", help="Who does it, for the record; default: this user.")]
Secrets = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="Passphrases, one a line, in the order they are asked."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def person(by: str) -> str:
    """The name given, or this machine's user."""
    return by or getpass.getuser()


@contextmanager
def registry_here(config: Path | None) -> Iterator[RegistryDesk]:
    """The registry of the data folder; the hub itself may be running."""
    from appliance.config import load_config
    from appliance.ota.registry.opening import open_registry
    from contracts.clock import SystemClock

    with open_registry(load_config(config), SystemClock()) as desk:
        yield desk


def asking(file: Path | None, *, twice: bool = False) -> Callable[[str], str]:
    """How a passphrase is had, named by what it opens: from the next line of a file, or typed."""
    if file is None:
        return lambda what: str(
            typer.prompt(f"Passphrase for {what}", hide_input=True, confirmation_prompt=twice)
        )
    try:
        lines = iter(file.read_text(encoding="utf-8").splitlines())
    except OSError as error:
        raise BadInputError(
            f"Cannot read {file}: {error.strerror}", mend="Check the path"
        ) from error

    def next_line(what: str) -> str:
        line = next(lines, "")
        if not line:
            raise BadInputError(
                f"{file} has no line for {what}", mend="One passphrase a line, in order"
            )
        return line

    return next_line
