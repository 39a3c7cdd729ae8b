"""The entry point: registers the command groups and turns errors into exit codes.

0 done, 1 findings that fail, 2 bad usage or unreadable input with one line on standard error.
"""

from __future__ import annotations

import os
import sys

import typer

from contracts.errors import ArtefactRefusedError, JournalBrokenError, TallymanError

# numpy's BLAS spins a thread on every core for matrices of a few kilobytes: on two cores that
# doubles the time of a reading. Read once, when numpy is first imported; children inherit it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_FINDINGS = (ArtefactRefusedError, JournalBrokenError)

app = typer.Typer(
    name="tallyman",
    help="The person at the dock who checks what arrives.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
bench = typer.Typer(help="Measured figures, with peers beside them.", no_args_is_help=True)
app.add_typer(bench, name="bench")


class Findings(typer.Exit):
    """Exit 1: the command worked and what it found fails (a broken journal, a refused artefact)."""

    def __init__(self) -> None:
        super().__init__(code=1)


def main() -> None:
    """Run the command line. A TallymanError becomes one line on standard error: exit 1 for what was
    examined and does not hold, 2 for everything else.
    """
    from appliance.cli import register

    register.register(app, bench)
    try:
        app()
    except TallymanError as error:
        sys.stderr.write(f"tallyman: {error}\n")
        sys.exit(1 if isinstance(error, _FINDINGS) else 2)
    except KeyboardInterrupt:
        sys.exit(130)
