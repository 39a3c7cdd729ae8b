"""A camera's view in order, kept over restarts: a camera that was knocked while nobody looked is
`moved` when the station comes back, not the new normal.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import structlog

from appliance.cameras.statistics import GREY_HEIGHT, GREY_WIDTH, TILES
from appliance.cameras.watch import Reference
from appliance.durable import write_atomic

log = structlog.get_logger()
_SHAPES = {
    "grey": (GREY_HEIGHT, GREY_WIDTH),
    "means": (TILES, TILES),
    "sharpness": (TILES, TILES),
}


class KeptView:
    """One file for each camera and address: another camera under the same name has its own view.

    The address may hold a password; the file's name holds only a hash of it.
    """

    def __init__(self, folder: Path, *, camera: str, address: str) -> None:
        mark = hashlib.sha256(f"{camera}\0{address}".encode()).hexdigest()[:16]
        self._file = folder / f"view-{mark}.npz"

    def load(self) -> Reference | None:
        """None where nothing usable was kept: the view is then learned from the first frames."""
        try:
            packed = io.BytesIO(self._file.read_bytes())
            with np.load(packed, allow_pickle=False) as kept:
                arrays = {name: kept[name].astype(np.float32) for name in _SHAPES}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            log.warning("kept view not usable", file=self._file.name, why=str(error))
            return None
        if any(
            arrays[name].shape != shape or not np.isfinite(arrays[name]).all()
            for name, shape in _SHAPES.items()
        ):
            log.warning("kept view not usable", file=self._file.name, why="wrong shape or values")
            return None
        return Reference(**arrays)

    def save(self, reference: Reference) -> None:
        """Wholly or not at all. Raises OSError."""
        packed = io.BytesIO()
        np.savez_compressed(
            packed,
            grey=reference.grey,
            means=reference.means,
            sharpness=reference.sharpness,
        )
        write_atomic(self._file, packed.getvalue())
