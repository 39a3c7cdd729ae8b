"""What an excursion report states, as one canonical text that the hub signs (I4).

Strings and integers only (RFC 8785): a number with a fraction is a text with three digits. The same
excursion, measured at the same moment, gives the same text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from appliance.identity.certificates import HEAD_URI, certified_key, fingerprint, load
from appliance.identity.keys import verifies_hex
from contracts.canonical import canonical, read_canonical
from contracts.errors import BadInputError
from erp_link.service.excursions.report import BatchReport, ExcursionReport
from erp_link.service.excursions.whereabouts import moment

PURPOSE = b"tallyman excursion report v1\0"
_SIGNED = ("statement", "sha256", "signature", "certificate", "ca")


@dataclass(frozen=True, slots=True)
class SignedReport:
    """`statement` is what was signed, `sha256` of it is what page, CSV and PDF name."""

    statement: str
    sha256: str
    signature: str
    certificate: str
    """The hub's signing key, certified by the site's authority; PEM."""
    ca: str

    def file(self) -> bytes:
        """As it is kept and checked elsewhere."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Signer:
    """The hub's key and what vouches for it."""

    sign: Callable[[bytes], bytes]
    certificate: str
    ca: str
    site: str

    def report(self, found: ExcursionReport) -> SignedReport:
        """The report of this site, signed."""
        text = canonical(facts_of(found, site=self.site))
        return SignedReport(
            text.decode(),
            hashlib.sha256(text).hexdigest(),
            self.sign(PURPOSE + text).hex(),
            self.certificate,
            self.ca,
        )


def read_signed(data: bytes) -> dict[str, Any]:
    """What a report's file states, if its signature holds. Raises BadInputError saying what does
    not. That the authority in the file is the site's own, the reader compares.
    """
    try:
        kept = json.loads(data)
        signed = SignedReport(**{name: str(kept[name]) for name in _SIGNED})
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            "This is no signed report", mend="Take the .json file of an excursion's page"
        ) from error
    key = certified_key(signed.certificate, signed.ca, uri=HEAD_URI)
    if key is None:
        raise BadInputError(
            "The signer's certificate is not of the authority in the file",
            mend="Get the report from the hub again",
        )
    text = signed.statement.encode()
    holds = verifies_hex(key, PURPOSE, text, signed.signature)
    if not holds or hashlib.sha256(text).hexdigest() != signed.sha256:
        raise BadInputError(
            "The signature of the report does not hold", mend="Get it from the hub again"
        )
    return read_canonical(signed.statement)


def authority_of(data: bytes) -> str:
    """SHA-256 of the authority's certificate in a report's file, hex: to compare with the site's.

    `data` was read by `read_signed`.
    """
    pem = str(json.loads(data)["ca"])
    return fingerprint(load(pem, what="the authority's certificate"))


def facts_of(found: ExcursionReport, *, site: str) -> dict[str, Any]:
    """The statement: every fact of the report, none of its words."""
    about = found.alarm
    told = about.calibration
    return {
        "v": 1,
        "what": "excursion report",
        "site": site,
        "excursion": found.excursion_id,
        "state": "open" if found.open else "closed",
        "begun": stamp(found.begun),
        "ended": stamp(found.ended),
        "measured_at": stamp(found.measured_at),
        "place": about.place,
        "alarm": {
            "id": about.alarm_id,
            "gateway": about.gateway,
            "fence": about.fence,
            "fence_version": about.fence_version,
            "fence_sha256": about.fence_sha256,
            "kind": about.kind,
            "severity": about.severity,
            "limit": text_of(about.limit),
            "worst": text_of(about.worst),
        },
        "also_told_by": [
            {
                "device": each.series.device,
                "alarm": each.alarm_id,
                "certificate": each.calibration.certificate,
                "due_on": each.calibration.due_on,
            }
            for each in found.others
        ],
        "sensor": {
            "device": about.series.device,
            "quantity": about.series.quantity,
            "channel": about.series.channel,
            "unit": about.unit,
            "certificate": told.certificate,
            "calibrated_on": told.calibrated_on,
            "due_on": told.due_on,
            "uncertainty": text_of(told.uncertainty),
            "calibration": found.calibration.value,
        },
        "batches": [_batch(each) for each in found.batches],
        "trace": [
            [stamp_us(p.at_us), text_of(p.least), text_of(p.most), text_of(p.mean), p.count]
            for p in found.trace
        ],
    }


def _batch(each: BatchReport) -> dict[str, Any]:
    spent, limits = each.exposure, each.limits
    return {
        "supplier": each.batch.supplier,
        "gtin": each.batch.gtin,
        "lot": each.batch.lot,
        "expiry": each.expiry.isoformat() if each.expiry else "",
        "quantity": each.quantity,
        "first": stamp(each.first) if each.first else "",
        "last": stamp(each.last) if each.last else "",
        "present_s": spent.present_s,
        "outside_s": spent.outside_s,
        "unmeasured_s": spent.unmeasured_s,
        "earlier_s": spent.earlier_s,
        "least": text_of(spent.least),
        "most": text_of(spent.most),
        "kinetic": text_of(spent.kinetic),
        "kinetic_assumed_s": spent.assumed_s,
        "limits": {
            name: value if isinstance(value, int) else text_of(value)
            for name, value in asdict(limits).items()
        },
        "verdict": "beyond" if each.beyond else "within",
        "reason": each.reason.code,
        "reason_values": {name: str(value) for name, value in each.reason.params.items()},
        "hold": each.hold_id,
        "ticket": each.ticket_id,
        "decision": each.decision.value if each.decision else "",
    }


def text_of(value: float | None) -> str:
    """A number as it is signed; empty where nobody measured it."""
    return "" if value is None else f"{value:.3f}"


def stamp(at: datetime) -> str:
    """A moment in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def stamp_us(at_us: int) -> str:
    """As `stamp`, of microseconds since 1970."""
    return stamp(moment(at_us))
