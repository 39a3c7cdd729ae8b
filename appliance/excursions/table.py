"""An excursion report as a table: one line a batch, each with what it was measured by."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.excursions.facts import SignedReport, stamp, text_of
from appliance.web.care.sheets import csv_text
from appliance.words import Words
from erp_link.service.excursions.report import ExcursionReport

COLUMNS = (
    "excursion", "state", "place", "begun", "ended", "sensor", "quantity_measured", "unit",
    "calibration_certificate", "calibration_due", "calibration", "fence", "fence_version",
    "supplier", "gtin", "lot", "units", "present_from", "present_until", "present_minutes",
    "outside_minutes", "unmeasured_minutes", "earlier_minutes", "least", "most", "mean_kinetic", "range_low",
    "range_high", "allowed_minutes", "verdict", "reason", "hold", "ticket", "decision",
    "report_sha256", "report_signature",
)  # fmt: skip


def rows(found: ExcursionReport, signed: SignedReport, t: Words) -> Iterator[tuple[object, ...]]:
    """Without a batch there is no line: nothing was there."""
    about = found.alarm
    for each in found.batches:
        spent, limits = each.exposure, each.limits
        yield (
            found.excursion_id,
            "open" if found.open else "closed",
            about.place,
            stamp(found.begun),
            stamp(found.ended),
            about.series.device + (f"/{about.series.channel}" if about.series.channel else ""),
            about.series.quantity,
            about.unit,
            about.calibration.certificate,
            about.calibration.due_on,
            found.calibration.value,
            about.fence,
            about.fence_version,
            each.batch.supplier,
            each.batch.gtin,
            each.batch.lot,
            each.quantity,
            stamp(each.first) if each.first else "",
            stamp(each.last) if each.last else "",
            round(spent.present_s / 60, 2),
            round(spent.outside_s / 60, 2),
            round(spent.unmeasured_s / 60, 2),
            round(spent.earlier_s / 60, 2),
            text_of(spent.least),
            text_of(spent.most),
            text_of(spent.kinetic),
            text_of(limits.low),
            text_of(limits.high),
            limits.allowed_minutes,
            "beyond" if each.beyond else "within",
            t.reason(each.reason),
            each.hold_id,
            each.ticket_id,
            each.decision.value if each.decision else "",
            signed.sha256,
            signed.signature,
        )


def as_csv(found: ExcursionReport, signed: SignedReport, t: Words) -> str:
    """The table as a file's text."""
    return csv_text(COLUMNS, rows(found, signed, t))
