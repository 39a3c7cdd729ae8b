"""A message that is VDA 5050 but for its topic and its names, put into the standard's. Pure.

What the dialect does not name stays where it stands, so that fields of the vendor's own are kept.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agv_bridge.dialects.fields import (
    FieldError,
    Path,
    Scope,
    Template,
    as_text,
    fill,
    look,
    look_at_all,
    parse_path,
    parse_template,
    put,
)
from agv_bridge.dialects.file import Message, Scalar
from agv_bridge.vda5050.topics import VehicleAddress


@dataclass(frozen=True, slots=True)
class Renaming:
    """A [[message]], checked."""

    message: str
    version: str
    manufacturer: Template
    serial: Template
    fields: tuple[tuple[Path, Path], ...]
    words: tuple[tuple[Path, Mapping[str, Scalar]], ...]
    fixed: tuple[tuple[Path, object], ...]

    @classmethod
    def of(cls, said: Message) -> Renaming:
        """Raises FieldError."""
        major = said.version.partition(".")[0]
        if major not in {"2", "3"} or said.version.count(".") < 1:
            raise FieldError(f"version {said.version!r} is none of 2.0.0, 2.1.0, 3.0.0")
        fields = tuple((parse_path(to), parse_path(source)) for to, source in said.fields.items())
        for to, source in fields:
            if source.lists > to.lists:
                raise FieldError(
                    f"{source.text!r} goes through more lists than {to.text!r}: values would be lost"
                )
        return cls(
            said.message,
            said.version,
            parse_template(said.manufacturer),
            parse_template(said.serial),
            fields,
            tuple((parse_path(path), words) for path, words in said.words.items()),
            tuple((parse_path(path), value) for path, value in said.fixed.items()),
        )

    def rename(
        self, value: object, levels: Mapping[str, str], at: datetime | None
    ) -> tuple[str, dict[str, object]]:
        """Topic and payload of the standard, made of `value` itself, which is changed.

        Raises FieldError naming what is missing.
        """
        if not isinstance(value, dict):
            raise FieldError("an object")
        scope = Scope(value, levels)
        address = VehicleAddress(
            "uagv" if self.version.startswith("2") else "vda5050",
            f"v{self.version[0]}",
            _level(self.manufacturer, scope),
            _level(self.serial, scope),
        )
        out: dict[str, object] = value
        # All are read before any is written, so that two names may change places.
        read = [
            (to, indices, _own(found))
            for to, source in self.fields
            for indices, found in look_at_all(value, source)
        ]
        for to, indices, found in read:
            put(out, to, indices, found)
        for path, words in self.words:
            for indices, found in look_at_all(out, path):
                word = words.get(as_text(found))
                if word is not None and word != found:
                    put(out, path, indices, word)
        for path, fixed in self.fixed:
            _fix(out, path, fixed)
        out["version"] = self.version
        if at is not None:
            out["timestamp"] = at.astimezone(UTC).isoformat()
        return address.topic(self.message), out


def _fix(out: dict[str, object], path: Path, value: object) -> None:
    """A value where none stands; in every element of the lists on the way."""
    last = max((at for at, step in enumerate(path.steps) if step is None), default=-1)
    if last < 0:
        if look(out, path) is None:
            put(out, path, (), _own(value))
        return
    rest = Path(path.text, path.steps[last + 1 :])
    for indices, element in look_at_all(out, Path(path.text, path.steps[: last + 1])):
        if look(element, rest) is None:
            put(out, path, indices, _own(value))


def _own(value: object) -> object:
    """A value that may stand in two places: what is changed in one must not change in the other."""
    return copy.deepcopy(value) if isinstance(value, dict | list) else value


def _level(template: Template, scope: Scope) -> str:
    text = fill(template, scope)
    if text is None:
        raise FieldError(template.text)
    if set(text) & set("/+#") or any(sign.isspace() for sign in text):
        raise FieldError(f"{template.text}: {text[:40]!r} cannot stand in a topic")
    return text
