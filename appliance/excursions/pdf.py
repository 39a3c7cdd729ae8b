"""An excursion report as PDF/A in either language, set by Typst with a font of its own.

The template holds no words and decides nothing: it is given the text of every cell.
"""

from __future__ import annotations

import json
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import typst

from appliance.excursions.chart import drawn
from appliance.excursions.facts import SignedReport
from appliance.words import Words
from erp_link.domain.excursions.judging import minutes, number, unit_words
from erp_link.service.excursions.report import BatchReport, CalibrationState, ExcursionReport

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "report.typ"
FONTS = _HERE.parent / "fonts"
_PER_LINE = 64


def report_pdf(
    found: ExcursionReport, signed: SignedReport, t: Words, *, zone: tzinfo, site: str
) -> bytes:
    """The report; the same facts give the same bytes. Times are the site's, with their offset."""
    said = _said(found, signed, t, zone, site)
    made = typst.compile(
        _TEMPLATE,
        root=_HERE,
        font_paths=[FONTS],
        format="pdf",
        sys_inputs={"said": json.dumps(said, ensure_ascii=False)},
        pdf_standards="a-2b",
        timestamp=int(found.measured_at.timestamp()),
    )
    return bytes(made)


def _said(
    found: ExcursionReport, signed: SignedReport, t: Words, zone: tzinfo, site: str
) -> dict[str, Any]:
    about, told = found.alarm, found.alarm.calibration
    unit = unit_words(about.unit)
    uncertainty = "–" if told.uncertainty is None else f"± {told.uncertainty:g} {unit}"
    return {
        "language": t.language,
        "title": t("excursion.report"),
        "name": found.excursion_id,
        "site": site,
        "state": t("excursion.state.open" if found.open else "excursion.state.closed"),
        "facts": [
            [t("excursion.place"), about.place or "–"],
            [t("excursion.begun"), _local(found.begun, zone)],
            [t("excursion.ended"), _local(found.ended, zone)],
            [t("excursion.sensor"), str(about.series)],
            [t("excursion.certificate"), told.certificate or "–"],
            [
                t("excursion.calibrated"),
                f"{told.calibrated_on or '–'}; {t('excursion.due')} {told.due_on or '–'}",
            ],
            [t("excursion.uncertainty"), uncertainty],
            [
                t("excursion.fence"),
                f"{about.fence} v{about.fence_version}, {about.fence_sha256[:16]}",
            ],
            [
                t("excursion.worst"),
                f"{_shown(about.worst)} {unit} ({t('excursion.limit')} {_shown(about.limit)})",
            ],
        ],
        "warning": ""
        if found.calibration is CalibrationState.GOOD
        else t(f"excursion.calibration.{found.calibration.value}"),
        "summary": t("excursion.summary", beyond=found.beyond, within=found.within),
        "chart": drawn(found, zone),
        "chart_title": t("excursion.chart", unit=unit),
        "columns": [
            t(f"excursion.column.{name}")
            for name in ("batch", "there", "outside", "extremes", "kinetic", "verdict")
        ],
        "rows": [_row(each, t, zone) for each in found.batches],
        "nothing": t("excursion.no_batches"),
        "method": t("excursion.method"),
        "signed": t("excursion.signed"),
        "sha256": signed.sha256,
        "signature": [
            signed.signature[at : at + _PER_LINE]
            for at in range(0, len(signed.signature), _PER_LINE)
        ],
        "measured": f"{t('excursion.measured')} {_local(found.measured_at, zone)}",
    }


def _row(each: BatchReport, t: Words, zone: tzinfo) -> dict[str, Any]:
    spent = each.exposure
    there = [f"{each.quantity} {t('excursion.units')}"] if each.quantity else []
    if each.first is not None and each.last is not None:
        there += [_short(each.first, zone), f"→ {_short(each.last, zone)}"]
    outside = [f"{minutes(spent.outside_s)} / {each.limits.allowed_minutes}\N{NO-BREAK SPACE}min"]
    if spent.unmeasured_s:
        outside.append(t("excursion.unmeasured", minutes=minutes(spent.unmeasured_s)))
    if spent.earlier_s:
        outside.append(t("excursion.earlier", minutes=minutes(spent.earlier_s)))
    return {
        "batch": [each.batch.lot, each.batch.gtin, each.batch.supplier or "–", each.description],
        "there": there,
        "outside": outside,
        "extremes": [f"{_shown(spent.least)} … {_shown(spent.most)}"],
        "kinetic": ["–" if spent.kinetic is None else number(spent.kinetic, digits=2)],
        "verdict": [
            t("excursion.verdict.beyond" if each.beyond else "excursion.verdict.within"),
            t.reason(each.reason),
            each.ticket_id,
            t(f"usage.{each.decision.value}") if each.decision else "",
        ],
        "beyond": each.beyond or bool(each.hold_id),
    }


def _local(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")


def _short(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _shown(value: float | None) -> str:
    return "–" if value is None else number(value, digits=2)
