"""Read rates over HTTP: /api/v1/read-rates and the cartons behind its numbers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from appliance.readrates.intervals import Share
from appliance.readrates.rates import Bucket, Count, Row
from appliance.readrates.service import ReadRates
from appliance.readrates.window import question_of
from contracts.reason import Reason
from erp_link.domain.reads import Answer, Facet
from erp_link.service.read_queries import ReadFrame

READERS = ("viewer", "operator", "quality", "ops", "integrator")
_MOST = 500


@dataclass(frozen=True, slots=True)
class ShareOut:
    """`hits` of `total`; `value` is null where nothing was counted; 95 % lie between the bounds."""

    hits: int
    total: int
    value: float | None
    low: float
    high: float

    @classmethod
    def of(cls, share: Share) -> ShareOut:
        return cls(share.hits, share.total, share.value, share.low, share.high)


@dataclass(frozen=True, slots=True)
class RatesOut:
    """`misread` is of the cartons read whose truth a person said; `audited` of them by chance."""

    cartons: int
    read: ShareOut
    review: ShareOut
    misread: ShareOut
    audited: int
    proposed_wrong: ShareOut

    @classmethod
    def of(cls, count: Count) -> RatesOut:
        return cls(
            count.cartons,
            ShareOut.of(count.read_share),
            ShareOut.of(count.review_share),
            ShareOut.of(count.misread_share),
            count.audited,
            ShareOut.of(count.proposed_wrong_share),
        )


@dataclass(frozen=True, slots=True)
class RowOut:
    value: str
    rates: RatesOut

    @classmethod
    def of(cls, row: Row) -> RowOut:
        return cls(row.value, RatesOut.of(row.count))


@dataclass(frozen=True, slots=True)
class BucketOut:
    since: datetime
    until: datetime
    cartons: int
    read: int
    misread: int

    @classmethod
    def of(cls, bucket: Bucket) -> BucketOut:
        count = bucket.count
        return cls(bucket.since, bucket.until, count.cartons, count.read, count.misread)


@dataclass(frozen=True, slots=True)
class CalibrationOut:
    """`state`: ok, few, over (right less often than stated), under, or shifted (other confidences
    than in the set's first weeks). `error` is the expected calibration error, `chance` what true
    statements stay under in 95 of 100 cases.
    """

    model_set: str
    state: str
    reason: Reason
    settled: int
    error: float | None
    upper: float | None
    chance: float | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ReportOut:
    since: datetime
    until: datetime
    total: RatesOut
    by: dict[str, list[RowOut]]
    causes: list[RowOut]
    timeline: list[BucketOut]
    calibration: list[CalibrationOut]


@dataclass(frozen=True, slots=True)
class CartonOut:
    """`right` is null while nobody has said what the label says."""

    carton_id: str
    at: datetime
    facet: Facet
    read: bool
    audited: bool
    cause: str
    confidence: float | None
    answer: Answer
    truth: Answer | None
    right: bool | None
    reasons: tuple[Reason, ...]
    pictures: tuple[str, ...]

    @classmethod
    def of(cls, frame: ReadFrame) -> CartonOut:
        cell = frame.cell
        return cls(
            frame.carton_id,
            frame.at,
            cell.facet,
            cell.accepted,
            cell.audited,
            cell.cause,
            frame.confidence,
            frame.answer,
            frame.truth,
            cell.was_right,
            frame.reasons,
            frame.pictures,
        )


@dataclass(frozen=True, slots=True)
class CartonsOut:
    total: int
    cartons: list[CartonOut]


def _filters(  # noqa: PLR0917 -- FastAPI reads a query's values from them
    since: Annotated[str, Query(alias="from", description="First day, or a local time")] = "",
    to: Annotated[str, Query(description="Last day, or a local time")] = "",
    days: Annotated[str, Query(description="Instead: so many days back from today")] = "",
    camera: str = "",
    supplier: str = "",
    carrier: str = "",
    print_style: str = "",
    source: str = "",
    model_set: str = "",
    cause: str = "",
    hour: Annotated[str, Query(description="An hour of the site's day, 0 to 23")] = "",
) -> None:
    """What a question may hold, for the OpenAPI text; `question_of` reads it from the request."""


def router(rates: ReadRates, auth: Callable[..., Callable[[Request], Awaitable[Any]]]) -> APIRouter:
    """The routes; `auth(*roles)` is a dependency that refuses others."""
    api = APIRouter(
        prefix="/api/v1",
        tags=["read rates"],
        dependencies=[Depends(auth(*READERS)), Depends(_filters)],
    )

    @api.get("/read-rates")
    def read_rates(request: Request) -> ReportOut:
        """Read, review and misread rates with 95 % bounds; the last seven days unless asked."""
        question = question_of(request.query_params, now=rates.now(), zone=rates.zone)
        report = rates.report(question)
        watched = rates.watched or rates.look()
        return ReportOut(
            since=question.since,
            until=question.until,
            total=RatesOut.of(report.total),
            by={name: [RowOut.of(row) for row in rows] for name, rows in report.tables.items()},
            causes=[RowOut.of(row) for row in report.causes],
            timeline=[BucketOut.of(bucket) for bucket in report.timeline],
            calibration=[
                CalibrationOut(
                    each.model_set,
                    each.state,
                    each.reason,
                    each.settled,
                    each.error.error if each.error else None,
                    each.error.upper if each.error else None,
                    each.error.chance if each.error else None,
                    each.since,
                )
                for each in watched.sets
            ],
        )

    @api.get("/read-rates/cartons")
    def cartons(
        request: Request,
        what: Annotated[str, Query(description="all, read, review, known, misread, ...")] = "all",  # noqa: ARG001 -- read by question_of, here for the OpenAPI text
        most: Annotated[int, Query(ge=1, le=_MOST)] = 100,
        skip: Annotated[int, Query(ge=0, le=10**9)] = 0,
    ) -> CartonsOut:
        """The cartons behind a number, newest first."""
        question = question_of(request.query_params, now=rates.now(), zone=rates.zone)
        total, frames = rates.frames(question, most=most, skip=skip)
        return CartonsOut(total, [CartonOut.of(frame) for frame in frames])

    return api
