"""`tallyman user`: who may sign in, and in which roles."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

user = typer.Typer(
    help="People of this hub. Works on its data folder, also while it runs.", no_args_is_help=True
)

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file (TOML).")]
Name = Annotated[str, typer.Argument(help="The name to sign in with.")]
Roles = Annotated[
    list[str],
    typer.Option("--role", help="operator, quality, ops, integrator, viewer; may be repeated."),
]


@user.command()
def add(
    name: Name,
    role: Roles,
    display_name: Annotated[str, typer.Option(help="As pages show it.")] = "",
    config: ConfigFile = None,
) -> None:
    """Add a person. The password is asked for, or read from standard input."""
    from appliance.config import load_config
    from appliance.hub.folder import open_accounts

    with open_accounts(load_config(config)) as accounts:
        accounts.add_user(name, _password(), role, display_name=display_name)


@user.command("list")
def list_people(config: ConfigFile = None) -> None:
    """Name, roles, state and display name of each person, separated by tabs."""
    from appliance.config import load_config
    from appliance.hub.folder import open_accounts

    with open_accounts(load_config(config)) as accounts:
        for each in accounts.users():
            state = "disabled" if each.disabled else "enabled"
            roles = ",".join(sorted(each.roles))
            typer.echo(f"{each.name}\t{roles}\t{state}\t{each.display_name}")


@user.command()
def roles(name: Name, role: Roles, config: ConfigFile = None) -> None:
    """Give a person exactly these roles; it ends that person's sessions."""
    from appliance.config import load_config
    from appliance.hub.folder import open_accounts

    with open_accounts(load_config(config)) as accounts:
        accounts.set_roles(name, role)


@user.command()
def disable(name: Name, config: ConfigFile = None) -> None:
    """Let a person in no more, from now on."""
    from appliance.config import load_config
    from appliance.hub.folder import open_accounts

    with open_accounts(load_config(config)) as accounts:
        accounts.disable(name)


@user.command()
def enable(name: Name, config: ConfigFile = None) -> None:
    """Let a person in again."""
    from appliance.config import load_config
    from appliance.hub.folder import open_accounts

    with open_accounts(load_config(config)) as accounts:
        accounts.enable(name)


@user.command()
def password(name: Name, config: ConfigFile = None) -> None:
    """Set a new password, asked for or read from standard input; it ends open sessions."""
    from appliance.config import load_config
    from appliance.hub.folder import open_accounts

    with open_accounts(load_config(config)) as accounts:
        accounts.set_password(name, _password())


def _password() -> str:
    """Never an argument: those stand in the shell's history and in every process list."""
    if sys.stdin.isatty():
        text: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return text
    return sys.stdin.readline().rstrip("\r\n")
