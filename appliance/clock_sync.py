"""Does a time service keep this machine's clock? Linux knows (adjtimex(2), STA_UNSYNC).

I4: a clock that nobody keeps may be behind, and goods that have expired would be accepted on it.
"""

from __future__ import annotations

import ctypes
import sys
import time

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
# struct timex of <sys/timex.h> is 208 bytes on 64-bit Linux; `modes` is its first field and
# `status` its fourth (two ints with padding, then offset, freq, maxerror, esterror before it).
_SIZE = 208
_STATUS_AT = 40
_ASK_EVERY_S = 5.0

_known: tuple[float, bool] = (float("-inf"), True)


def is_synchronised() -> bool:
    """False while the kernel reports an unsynchronised clock; True where it cannot be asked."""
    global _known  # noqa: PLW0603 -- one machine, one clock, asked at most every five seconds
    at, answer = _known
    now = time.monotonic()
    if now - at > _ASK_EVERY_S:
        answer = _ask()
        _known = (now, answer)
    return answer


def _ask() -> bool:
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return True
    buffer = ctypes.create_string_buffer(_SIZE)
    state = ctypes.CDLL(None).adjtimex(buffer)
    status = int.from_bytes(buffer.raw[_STATUS_AT : _STATUS_AT + 4], sys.byteorder)
    return state != _TIME_ERROR and not status & _STA_UNSYNC
