"""`tallyman token`: keys for programs, such as a photo-eye, a phone or an ERP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

token = typer.Typer(
    help="API tokens of this hub. Works on its data folder, also while it runs.",
    no_args_is_help=True,
)

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file (TOML).")]
_DOORS = ("trigger", "camera")


@token.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is for, as records show it.")],
    scope: Annotated[
        list[str], typer.Option(help="trigger, camera, or a role's name; may be repeated.")
    ],
    config: ConfigFile = None,
) -> None:
    """Make a token and print it, this once."""
    from appliance.accounts.user import Role
    from appliance.config import load_config
    from appliance.hub.folder import open_accounts
    from contracts.errors import BadInputError

    known = (*_DOORS, *(role for role in Role if role is not Role.DEVICE))
    unknown = [each for each in scope if each not in known]
    if unknown:
        raise BadInputError(
            f"{unknown[0]!r} is no scope of an API token", mend=f"Use {', '.join(known)}"
        )
    with open_accounts(load_config(config)) as accounts:
        typer.echo(accounts.new_token(name, scope))


@token.command("list")
def list_tokens(config: ConfigFile = None) -> None:
    """Id, name and scopes of each token, separated by tabs; never the token itself."""
    from appliance.config import load_config
    from appliance.hub.folder import open_accounts

    with open_accounts(load_config(config)) as accounts:
        for each in accounts.tokens():
            typer.echo("\t".join((each.token_id, each.name, ",".join(sorted(each.scopes)))))


@token.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="The id that `token list` shows.")],
    config: ConfigFile = None,
) -> None:
    """End a token now; an edge box learns of it within seconds of hearing from the hub."""
    from appliance.config import load_config
    from appliance.hub.folder import open_accounts

    with open_accounts(load_config(config)) as accounts:
        accounts.revoke_token(token_id)
