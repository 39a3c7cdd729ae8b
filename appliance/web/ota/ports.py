"""What the pages of updates ask of the rest of the house.

The hub hands in appliance.ota.console, tests hand in a fleet in memory. Calls block unless said
otherwise; routes run them in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from appliance.identity.admission.records import Waiting
from appliance.ota.console.acceptance import BoxFigures, Sides
from appliance.web.ota.rows import (
    BoxPage,
    BoxRow,
    Happening,
    Point,
    Preview,
    RolloutPage,
    RolloutRow,
    SetName,
    SetPage,
)
from contracts.reason import Reason
from erp_link.service.judging.compared import Disagreement
from ota.registry.records import SetRecord
from ota.rollout.plan import Plan


class Fleet(Protocol):
    """Who runs what."""

    def boxes(self) -> Sequence[BoxRow]: ...

    def box(self, device: str) -> BoxPage:
        """Raises NotFoundError."""
        ...

    def names(self) -> Mapping[str, SetName]:
        """What people call the digests that are known here."""
        ...

    def stopped(self) -> Happening | None:
        """The emergency stop that stands, None where none does."""
        ...

    def stop(self, *, by: str, why: str) -> None:
        """Every box back to what it ran before the rollouts under way; nothing new starts."""
        ...

    def clear_stop(self, *, by: str, why: str) -> None: ...

    def place(self, device: str, *, cell: str, site: str, by: str) -> None:
        """Say where a box stands. Raises NotFoundError."""
        ...

    def lock_out(self, device: str, *, by: str, why: str) -> None:
        """For ever, within one poll. Raises NotFoundError, ForbiddenError."""
        ...

    def readmit(self, device: str, *, by: str, why: str) -> None:
        """A person has looked into a quarantined box. Raises NotFoundError, ForbiddenError."""
        ...


class Admissions(Protocol):
    """Boxes that ask to come in, and the person's word (appliance.identity.admission)."""

    def asking(self) -> Sequence[Waiting]:
        """Oldest first, and those whom somebody refused."""
        ...

    def let_in(self, device: str, key_id: str, *, by: str, new_machine: bool) -> None:
        """The key's id was compared with what the box shows. Raises NotFoundError, ConflictError."""
        ...

    def turn_away(self, device: str, key_id: str, *, by: str, why: str) -> None:
        """Raises NotFoundError, ConflictError."""
        ...


class Audit(Protocol):
    """What was done, by whom, when and why."""

    def audit(self) -> Sequence[Happening]:
        """The newest first."""
        ...

    def ran_at(self, at: datetime) -> Mapping[str, Mapping[str, str]]:
        """What each box ran at a moment: device -> lane -> digest, as far as it told."""
        ...


class Site(Fleet, Admissions, Audit, Protocol):
    """All of it about boxes, as one part gives it (appliance.ota.console.fleet.FleetConsole)."""


class Rollouts(Protocol):
    """Rollouts and what people do with them. Errors say what may not be and why."""

    def listed(self) -> Sequence[RolloutRow]:
        """The newest first, those under way before the others."""
        ...

    def one(self, rollout: str) -> RolloutPage:
        """Raises NotFoundError."""
        ...

    def preview(self, plan: Plan) -> Preview:
        """Raises BadInputError where it cannot be carried out."""
        ...

    def create(self, plan: Plan, *, by: str) -> str:
        """The rollout's id."""
        ...

    def act(self, rollout: str, command: str, *, by: str, why: str) -> None:
        """One of `RolloutPage.may`. Raises ConflictError, ForbiddenError, NotFoundError."""
        ...

    def points(self, rollout: str, *, gate: int) -> Sequence[Point]:
        """How one of its gates went, oldest first."""
        ...

    def version(self) -> str:
        """Changes whenever anything that a page shows does; answers at once, from memory."""
        ...


class Sets(Protocol):
    """Model sets and what people decide about them. Errors say what may not be and why."""

    def listed(self) -> Sequence[SetRecord]:
        """The newest proposal first."""
        ...

    def one(self, digest: str) -> SetPage:
        """Raises NotFoundError."""
        ...

    def approve(self, digest: str, *, by: str, why: str) -> None: ...

    def publish(self, digest: str, *, by: str, why: str, passphrase: str) -> None: ...

    def withdraw(self, digest: str, *, by: str, why: str, passphrase: str) -> None: ...

    def decide_licence(self, digest: str, *, by: str, why: str) -> None:
        """A person's recorded yes to a licence that obliges others."""
        ...

    def warnings(self) -> Sequence[Reason]:
        """Signatures that expired or will soon, keys that nobody made."""
        ...


class Acceptance(Protocol):
    """What candidates and boxes show on this site's own frames."""

    def sides(self, rollout: str, candidate: str) -> Sides: ...

    def boxes(self) -> Sequence[BoxFigures]:
        """What each box said of goods lately."""
        ...

    def disagreements(
        self, rollout: str, *, device: str, said: str, stood: str, skip: int, most: int
    ) -> tuple[int, Sequence[tuple[Disagreement, str]]]:
        """How many, and some with the SHA-256 of a picture that the hub holds, "" for none."""
        ...
