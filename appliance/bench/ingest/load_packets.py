"""PUBLISH packets by the thousand: built once, and only their digits changed from batch to batch.

A generator that shares two cores with what it measures must cost next to nothing: numpy writes the
sequence and the time of a whole batch at once, about 0.1 us a message.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from telemetry.mqtt.encoding import encode
from telemetry.mqtt.packets import Publish

_FIRST_SEQUENCE = 1_000_000_000
_SEQUENCE_DIGITS = 10
_TIME_DIGITS = 13
_MOST_IDS = 65_535
_WARM = 9.5
_FOUR = 10_000
_TEXT = np.array([list(b"%04d" % number) for number in range(_FOUR)], np.uint8)
"""All numbers of four digits, shape (10000, 4)."""


class Packets:
    """QoS 1 readings of one connection's sensors in turn, `rows` at once, all of one length.

    The text is that of `stream.messages`, with fixed widths. Sequences start at 1,000,000,000 and
    never repeat, so nothing is a duplicate.
    """

    def __init__(
        self,
        sensors: Sequence[int],
        rows: int,
        version: int,
        *,
        warm_one_in: int = 1_000,
        first_sequence: int = _FIRST_SEQUENCE,
    ) -> None:
        """`rows` must be a multiple of the number of sensors and fit into the packet identifiers
        (65,535). Raises ValueError.
        """
        if rows % len(sensors) or not 0 < rows <= _MOST_IDS:
            raise ValueError(f"{rows} rows are no multiple of {len(sensors)} sensors up to 65,535")
        self.rows = rows
        self._each = rows // len(sensors)
        rng = np.random.default_rng(sensors[0])
        warm = rng.integers(0, warm_one_in, rows) == 0 if warm_one_in else np.zeros(rows, bool)
        temperature = np.where(warm, _WARM, np.clip(rng.normal(4.0, 0.4, rows), 2.5, 5.5))
        humidity = np.clip(rng.normal(62.0, 4.0, rows), 50.0, 75.0)
        packets = []
        for row in range(rows):
            sensor = sensors[row % len(sensors)]
            text = (
                f'{{"device":"cold-{sensor:04d}","seq":{_FIRST_SEQUENCE},"time":1000000000000,'
                f'"temperature":{temperature[row]:.2f},"humidity":{humidity[row]:.1f},'
                f'"battery":3.6,"firmware":"1.4","rssi":-{71 + sensor % 20}}}'
            )
            topic = f"sensors/cold-{sensor:04d}/reading"
            packets.append(encode(Publish(topic, text.encode(), 1, row + 1), version))
        self.packet_bytes = len(packets[0])
        self._table = np.frombuffer(b"".join(packets), np.uint8).reshape(rows, -1).copy()
        at = packets[0].index(b'"seq":') + 6
        self._sequence = slice(at, at + _SEQUENCE_DIGITS)
        at = packets[0].index(b'"time":') + 7
        self._time = slice(at, at + _TIME_DIGITS)
        self._next = first_sequence + np.arange(rows, dtype=np.int64) // len(sensors)

    def batch(self, now_ms: int) -> bytes:
        """The next `rows` readings; `now_ms` is the time that they tell, milliseconds since 1970."""
        digits = self._table[:, self._sequence]
        upper, lower = np.divmod(self._next, _FOUR)
        top, middle = np.divmod(upper, _FOUR)
        digits[:, 6:], digits[:, 2:6] = _TEXT[lower], _TEXT[middle]
        digits[:, :2] = _TEXT[top][:, 2:]
        self._table[:, self._time] = np.frombuffer(str(now_ms).encode(), np.uint8)
        self._next += self._each
        return self._table.tobytes()
