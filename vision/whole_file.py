"""Files that are either wholly there or not at all, in a folder that a person named."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from contracts.errors import BadInputError


def write_whole(path: Path, data: bytes) -> None:
    """An earlier file stays until the new one is on disk; nothing else is left when that fails.

    Readable for others as the umask says, since a station seldom runs as who enrolled.
    Raises BadInputError naming what stands in the way.
    """
    if path.is_dir():
        raise BadInputError(f"{path} is a folder", mend="Name a file in it")
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be written: {error.strerror}",
            mend="Name a file in a folder that is there and may be written to",
        ) from error
    finally:
        part.unlink(missing_ok=True)
