"""What people said of cartons that a candidate judged beside the running set. A question only: both
halves are append-only or written once, so asking again counts the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, select

from erp_link.adapters import judging_tables as j
from erp_link.adapters import profile_tables as p
from erp_link.adapters import read_tables as r
from erp_link.service.store import Store

_TAUGHT = "defect_taught"
_AT_ONCE = 500
"""Names in one question: databases take a bounded number."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`said` is the shadow's decision, `stood` the running set's; `answer` is how a review was
    settled (contracts.events.CartonSettled.how) or what was taught (DefectTaught.lesson).
    """

    device: str
    model_set: str
    carton_id: str
    said: str
    stood: str
    answer: str


def answers_to(core: Store, rollout: str) -> list[Answer]:
    """Every answer about a carton of this rollout's shadows."""
    return core.read(
        lambda connection: [*_settled(connection, rollout), *_taught(connection, rollout)]
    )


def _settled(connection: Connection, rollout: str) -> list[Answer]:
    query = (
        select(j.shadow_result, r.carton_read.c.how)
        .join(r.carton_read, r.carton_read.c.carton_id == j.shadow_result.c.carton_id)
        .where(j.shadow_result.c.rollout == rollout, r.carton_read.c.how != "")
        .order_by(j.shadow_result.c.device, j.shadow_result.c.seq)
    )
    return [
        Answer(row.device, row.model_set, row.carton_id, row.said, row.stood, row.how)
        for row in connection.execute(query)
    ]


def _taught(connection: Connection, rollout: str) -> list[Answer]:
    first = select(j.shadow_result.c.at).where(j.shadow_result.c.rollout == rollout)
    began = connection.execute(first.order_by(j.shadow_result.c.at).limit(1)).scalar_one_or_none()
    if began is None:
        return []
    lessons = select(p.profile_event.c.body).where(
        p.profile_event.c.kind == _TAUGHT, p.profile_event.c.at >= began
    )
    taught: dict[str, str] = {}
    for (body,) in connection.execute(lessons):
        said = json.loads(body)
        taught[str(said.get("carton_id", ""))] = str(said.get("lesson", ""))
    found: list[Answer] = []
    cartons = sorted(taught)
    for at in range(0, len(cartons), _AT_ONCE):
        query = select(j.shadow_result).where(
            j.shadow_result.c.rollout == rollout,
            j.shadow_result.c.carton_id.in_(cartons[at : at + _AT_ONCE]),
        )
        found += [
            Answer(
                row.device, row.model_set, row.carton_id, row.said, row.stood, taught[row.carton_id]
            )
            for row in connection.execute(query)
        ]
    return found
