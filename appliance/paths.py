"""Where files that ship with the code stand: in a checkout, an editable install and a wheel."""

from __future__ import annotations

from pathlib import Path

from contracts.errors import UnavailableError

SETS = {"read": "label_reader", "inspect": "defect_backbone", "cracks": "crack_network"}
"""Kinds of model sets, which are folders below models/, by what a station uses them for."""
_PACKAGE = Path(__file__).resolve().parent


def models_root() -> Path:
    """The folder of the model sets that came with this installation.

    A wheel carries them inside the package; a checkout has them beside it.
    """
    for folder in (_PACKAGE / "_models", _PACKAGE.parent / "models"):
        if folder.is_dir():
            return folder
    raise UnavailableError(
        f"No model sets came with this installation (looked beside {_PACKAGE})",
        mend="Install the wheel or the whole repository, not the package folder alone",
    )
