"""What may be done with a set, and what becomes of its record. Pure (I5).

Rules: whatever speaks against a set keeps it from being published; where the site wants a second
person, one who did not propose it says yes first; a withdrawn set never comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from contracts.errors import ArtefactRefusedError, BadInputError, ConflictError, ForbiddenError
from contracts.reason import Reason
from ota.publishing import FREE, LicenceDecision
from ota.registry.records import Approval, GoldenResult, SetRecord, SetState

MOST_REASON = 1000
SECOND_PERSON = "set_second_person"


@dataclass(frozen=True, slots=True)
class PublishPolicy:
    """`second_person`: publishing needs a yes of somebody who did not propose the set;
    `golden_lanes`: those where golden frames must have been judged right.
    """

    second_person: bool = False
    golden_lanes: frozenset[str] = frozenset()


def check_reason(reason: str) -> str:
    """Raises BadInputError where nothing is said or too much."""
    reason = reason.strip()
    if not reason or len(reason) > MOST_REASON:
        raise BadInputError(
            f"A decision needs its reason, in {MOST_REASON} signs at most", mend="Say why"
        )
    return reason


def approved(record: SetRecord, approval: Approval) -> SetRecord:
    """Raises ConflictError where the set is no longer proposed or they approved it already,
    ForbiddenError for whoever proposed it.
    """
    _still_proposed(record)
    if approval.by == record.proposed_by:
        raise ForbiddenError(
            f"{approval.by} proposed {_named(record)}", mend="Somebody else approves it"
        )
    if approval.by in {each.by for each in record.approvals}:
        raise ConflictError(f"{approval.by} approved {_named(record)} already")
    return replace(record, approvals=(*record.approvals, approval))


def objections(record: SetRecord, policy: PublishPolicy) -> tuple[Reason, ...]:
    """Everything that keeps a set from being published now."""
    found = [*record.findings, *_licence(record)]
    found += [_differs(each) for each in record.golden if not each.passed]
    if record.lane in policy.golden_lanes and not record.golden:
        found.append(Reason("set_golden_missing"))
    if policy.second_person and not record.approvals:
        found.append(Reason(SECOND_PERSON, {"by": record.proposed_by}))
    return tuple(found)


def check_may_be_published(record: SetRecord, policy: PublishPolicy) -> None:
    """Raises ConflictError for a set that is not proposed, ForbiddenError where only the second
    person is missing, else ArtefactRefusedError; data has `objections`.
    """
    _still_proposed(record)
    found = objections(record, policy)
    codes = tuple(dict.fromkeys(each.code for each in found))
    if codes == (SECOND_PERSON,):
        raise ForbiddenError(
            f"Nobody but {record.proposed_by} has looked at {_named(record)}",
            mend="A second person approves it first (tallyman ota approve)",
            objections=found,
        )
    if found:
        raise ArtefactRefusedError(
            f"{_named(record)} does not pass the gate: {', '.join(codes)}",
            mend="tallyman ota sets shows each in words; mend it in a set of a new version",
            objections=found,
        )


def published(record: SetRecord, policy: PublishPolicy, *, by: str, at_us: int) -> SetRecord:
    """Raises as check_may_be_published."""
    check_may_be_published(record, policy)
    return replace(record, state=SetState.PUBLISHED, published_by=by, published_at_us=at_us)


def licence_decided(record: SetRecord, decision: LicenceDecision) -> SetRecord:
    """Raises ConflictError where the decision is about another set or licence."""
    _still_proposed(record)
    if (decision.model_set, decision.licence) != (record.digest, record.licence):
        raise ConflictError(
            f"The decision is about {decision.model_set} under {decision.licence}, this is "
            f"{record.digest} under {record.licence}",
            mend="Decide about this very set",
        )
    return replace(record, licence_decision=decision)


def withdrawn(record: SetRecord, *, by: str, at_us: int, why: str, named: bool) -> SetRecord:
    """Proposed ones too; `named`: the image plane still names it. Raises ConflictError where it is withdrawn already."""
    if record.state is SetState.WITHDRAWN:
        raise ConflictError(f"{_named(record)} was withdrawn already by {record.withdrawn_by}")
    return replace(
        record,
        state=SetState.WITHDRAWN,
        withdrawn_by=by,
        withdrawn_at_us=at_us,
        withdrawn_why=why,
        signed_out=not named,
    )


def proved(record: SetRecord, result: GoldenResult) -> SetRecord:
    """A further golden result; one of the same engine takes the place of the earlier."""
    kept = tuple(each for each in record.golden if each.engine != result.engine)
    return replace(record, golden=(*kept, result))


def check_assignable(record: SetRecord, lane: str) -> None:
    """Whether boxes may be told to run it. Raises ArtefactRefusedError."""
    if record.state is not SetState.PUBLISHED:
        raise ArtefactRefusedError(
            f"{_named(record)} is {record.state}, so no box is told to run it",
            mend="Publish it first"
            if record.state is SetState.PROPOSED
            else "Choose a published set; a withdrawn one never comes back",
        )
    if record.lane != lane:
        raise ArtefactRefusedError(
            f"{_named(record)} is for the lane {record.lane}, not {lane}",
            mend="Choose a set of that lane",
        )


def _differs(result: GoldenResult) -> Reason:
    return result.trouble or Reason(
        "set_golden_differs",
        {"engine": result.engine, "alike": result.alike, "frames": result.frames},
    )


def _licence(record: SetRecord) -> Iterator[Reason]:
    decided = record.licence_decision
    if record.licence in FREE:
        return
    if decided is None:
        yield Reason("set_licence_undecided", {"licence": record.licence or "-"})
    elif (decided.model_set, decided.licence) != (record.digest, record.licence):
        yield Reason("set_licence_other", {"licence": record.licence or "-"})


def _still_proposed(record: SetRecord) -> None:
    if record.state is not SetState.PROPOSED:
        raise ConflictError(
            f"{_named(record)} is {record.state} already", mend="Nothing is left to do for it"
        )


def _named(record: SetRecord) -> str:
    return f"{record.name} {record.version}"
