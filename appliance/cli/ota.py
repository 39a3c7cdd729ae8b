"""`tallyman ota`: model sets, their rollouts and the boxes, from a shell."""

from __future__ import annotations

import typer

from appliance.cli import ota_keys, ota_rollout, ota_sets

ota = typer.Typer(
    help="Model sets, their rollouts and the boxes. Works on the hub's data folder, also while it runs.",
    no_args_is_help=True,
)
for _commands in (ota_keys, ota_sets, ota_rollout):
    _commands.register(ota)
