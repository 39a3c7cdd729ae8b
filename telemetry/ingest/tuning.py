"""What the process of an ingest needs of its interpreter."""

from __future__ import annotations

import gc
import sys
from typing import Final

_SWITCH_S: Final = 0.001
_MADE: Final = 50_000
"""Objects made before garbage is looked for: each reading makes some, none of which is in a circle."""


def prepare_process() -> None:
    """Call once, when everything that lives as long as the process is made.

    The thread that writes asks for the interpreter again after each sync, and the loop would let
    it wait for five milliseconds; what was made so far need not be looked through for garbage.
    """
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MADE, 20, 20)
