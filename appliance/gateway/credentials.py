"""Which sensors may publish, and what: passwords that we made, and certificates of the device CA.

A sensor's name is its user name, or the name in its certificate. Without a rule of its own it may
publish below `sensors/<name>/`. Passwords are random and long, so a plain SHA-256 of each is kept, as
for API tokens; only this machine's owner may read the file.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from appliance.accounts.session import hash_secret
from appliance.services.address import write_private
from contracts.errors import BadInputError, ForbiddenError, NotSignedInError
from telemetry.ports import Admission, Caller

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_DEVICE_URI = "urn:tallyman:device:"


@dataclass(frozen=True, slots=True)
class Credential:
    """`sha256` of the password, hex; empty: a certificate only. `topics` are MQTT filters."""

    sha256: str = ""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    sensors: dict[str, Credential] = field(default_factory=dict)


def default_topics(name: str) -> tuple[str, ...]:
    return (f"sensors/{name}/#",)


class SensorCredentials:
    """Implements telemetry.ports.Doorman over one file, read again whenever it changes."""

    def __init__(self, path: Path, *, revoked: Callable[[], Collection[str]] = tuple) -> None:
        """`revoked`: names whose certificates are no longer good, asked each time."""
        self._path = path
        self._revoked = revoked
        self._stamp: tuple[int, int] | None = None
        self._known: dict[str, Credential] = {}

    async def admit(self, caller: Caller) -> Admission:
        """Raises NotSignedInError, ForbiddenError (certificate and user name differ, or it was revoked)."""
        known = self.all()
        named = _certified_name(caller)
        if named:
            if named in self._revoked():
                raise ForbiddenError(
                    f"{named[:60]} was revoked", mend="Enrol the sensor under a new name"
                )
            if caller.username and caller.username != named:
                raise ForbiddenError(
                    f"the certificate is {named[:60]}'s, the user name says "
                    f"{caller.username[:60]!r}",
                    mend="Sign in with the certificate's name, or without one",
                )
            return _admission(named, known.get(named, Credential()))
        credential = known.get(caller.username)
        if (
            credential is None
            or not credential.sha256
            or not hmac.compare_digest(
                credential.sha256, hash_secret(caller.password.decode(errors="replace"))
            )
        ):
            raise NotSignedInError(
                f"{caller.username[:60]!r} is no sensor of this site, or its password is wrong",
                mend="Make a password: tallyman gateway sensor NAME",
            )
        return _admission(caller.username, credential)

    def all(self) -> dict[str, Credential]:
        """Sensors by name. Raises BadInputError for a file that is not ours."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._known = None, {}
            return {}
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            try:
                read = msgspec.json.decode(self._path.read_bytes(), type=_File)
            except (OSError, msgspec.MsgspecError) as error:
                raise BadInputError(
                    f"{self._path} cannot be read: {error}", mend="Restore it or make it anew"
                ) from error
            self._stamp, self._known = stamp, read.sensors
        return self._known

    def add(self, name: str, topics: tuple[str, ...] = (), *, password: str = "") -> str:
        """Let a sensor publish; its password, shown once. A second call replaces the first.

        Raises BadInputError.
        """
        if not _NAME.fullmatch(name):
            raise BadInputError(
                f"{name[:80]!r} cannot be a sensor's name",
                mend="Use 1 to 64 letters, digits and . _ : -, a letter or digit first",
            )
        secret = password or secrets.token_urlsafe(24)
        for other in self.all():
            if other != name and other.lower() == name.lower():
                raise BadInputError(
                    f"{name} differs from {other} by its capital letters only",
                    mend="The sensor book takes them for one sensor: choose another name",
                )
        known = dict(self.all()) | {name: Credential(hash_secret(secret), topics)}
        text = json.dumps(msgspec.to_builtins(_File(known)), indent=1, sort_keys=True)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_private(self._path, text + "\n")
        return secret


def _certified_name(caller: Caller) -> str:
    if not caller.certificate:
        return ""
    ours = [uri.removeprefix(_DEVICE_URI) for uri in caller.uris if uri.startswith(_DEVICE_URI)]
    name = ours[0] if ours else caller.common_name
    if not _NAME.fullmatch(name):
        raise NotSignedInError(
            "the certificate names no sensor", mend="Give it a common name of letters and digits"
        )
    return name


def _admission(name: str, credential: Credential) -> Admission:
    return Admission(name, credential.topics or default_topics(name))
