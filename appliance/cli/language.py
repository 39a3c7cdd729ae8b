"""The option `--lang` of commands that give reasons."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Language(StrEnum):
    """The languages of the catalogue, `appliance/i18n`."""

    EN = "en"
    ZH = "zh"


Lang = Annotated[Language, typer.Option("--lang", help="Language of the reasons.")]
