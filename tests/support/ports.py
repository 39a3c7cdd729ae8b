"""Loopback ports for servers that a test starts itself.

Below the range that the kernel hands out and beside the one of our embedded servers
(appliance.services.address), each worker with its own share: nothing else takes a port between the
moment it was found free and the moment the test's server listens.
"""

from __future__ import annotations

import secrets
from itertools import cycle

from appliance.services.address import LOOPBACK, is_free
from tests.support import workers

_SHARE = 2_000
_WORKERS = 5
_FIRST = 10_000 + _SHARE * (workers.number() % _WORKERS)
# From anywhere in it: other checkouts on this machine run tests as well.
_BEGIN = secrets.randbelow(_SHARE)
_TURN = cycle([*range(_FIRST + _BEGIN, _FIRST + _SHARE), *range(_FIRST, _FIRST + _BEGIN)])


def free_port() -> int:
    """A port that is free now, and given to nobody else for a long while."""
    return next(port for port in _TURN if is_free(port))


def free_address() -> str:
    return f"{LOOPBACK}:{free_port()}"
