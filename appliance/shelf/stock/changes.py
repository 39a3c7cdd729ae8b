"""Which parts of a snapshot changed since which answer. Pure.

An answer is known by its tag (the ETag), which stands for its content: what changed since then is
told exactly, and to whoever comes with a tag that is not known here everything is told.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

_TAGS = 1024


@dataclass(frozen=True, slots=True)
class Change:
    """Keys of the parts to send, and of those that are no longer there."""

    parts: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    revision: int
    version: int


@dataclass(slots=True)
class Parts:
    """The parts of a snapshot by key (`product:GTIN`, `hold:ID`, `ticket:ID`), each as JSON bytes,
    in the order in which they are told. `frame` is the JSON of all that is told whole each time.
    """

    parts: Mapping[str, bytes] = field(default_factory=dict)
    frame: bytes = b""
    tag: str = ""
    _revision: int = 0
    _changed: dict[str, int] = field(default_factory=dict)
    _gone: dict[str, int] = field(default_factory=dict)
    _answers: OrderedDict[str, _Answer] = field(default_factory=OrderedDict)

    def replace(self, parts: Mapping[str, bytes], frame: bytes, version: int) -> None:
        """The snapshot as it stands now, at the core's position `version`."""
        self._revision += 1
        for key, value in parts.items():
            if self.parts.get(key) != value:
                self._changed[key] = self._revision
                self._gone.pop(key, None)
        for key in self.parts.keys() - parts.keys():
            self._changed.pop(key, None)
            self._gone[key] = self._revision
        self.parts, self.frame = parts, frame
        self.tag = f"{version:x}-{_digest(parts, frame)}"
        self._answers[self.tag] = _Answer(self._revision, version)
        self._answers.move_to_end(self.tag)
        while len(self._answers) > _TAGS:
            self._answers.popitem(last=False)
        oldest = min(each.revision for each in self._answers.values())
        self._gone = {key: at for key, at in self._gone.items() if at > oldest}

    def since(self, tag: str) -> tuple[int, Change] | None:
        """The core's position of the answer with this tag, and what changed since; None where the
        tag is not known.
        """
        answer = self._answers.get(tag)
        if answer is None:
            return None
        return answer.version, Change(
            tuple(key for key in self.parts if self._changed[key] > answer.revision),
            tuple(sorted(key for key, at in self._gone.items() if at > answer.revision)),
        )


def _digest(parts: Mapping[str, bytes], frame: bytes) -> str:
    """Of the content and its order: equal content has an equal tag, at whatever hub it is told."""
    total = hashlib.blake2b(frame, digest_size=12)
    for key, value in parts.items():
        total.update(key.encode())
        total.update(len(value).to_bytes(4, "big"))
        total.update(value)
    return total.hexdigest()
