"""GS1 keys as URIs: written as GS1 Digital Link, and any standard form brought to that one.

The canonical form has the domain id.gs1.org, numeric keys and only the finest level of
identification (GS1 Digital Link URI syntax 1.2, 4.11; CBV 2.0, 8.9 rules 17 and 18).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from contracts.errors import BadInputError
from contracts.gs1 import check_digit, has_valid_check_digit, is_lot, normalise_gtin

GS1_ID = "https://id.gs1.org"
# Unreserved and sub-delimiters that Digital Link leaves as they are (table 7-1 encodes the rest).
_SAFE = "-._'\"<>?;="
_SSCC = 18


@dataclass(frozen=True, slots=True)
class ItemKey:
    """What a URI of goods names: a GTIN, with its lot or serial where the URI has one."""

    gtin: str
    lot: str = ""
    serial: str = ""


def lot_uri(gtin: str, lot: str) -> str:
    """A batch as `/01/GTIN/10/lot`. Raises BadInputError for what is no GTIN or lot."""
    number = normalise_gtin(gtin)
    if not is_lot(lot):
        raise BadInputError(f"{lot!r} is no GS1 lot", mend="Check the lot on the label", lot=lot)
    return f"{GS1_ID}/01/{number}/10/{encoded(lot)}"


def sscc_uri(text: str) -> str | None:
    """A logistic unit as `/00/SSCC`; None where the text is no SSCC."""
    digits = text.removeprefix("00") if len(text) == _SSCC + 2 else text
    if len(digits) == _SSCC and has_valid_check_digit(digits):
        return f"{GS1_ID}/00/{digits}"
    return None


def location_uri(gln: str, extension: str = "") -> str:
    """A place of a site as `/414/GLN/254/extension` (SGLN)."""
    return f"{GS1_ID}/414/{gln}" + (f"/254/{encoded(extension)}" if extension else "")


def party_uri(gln: str) -> str:
    """A party as `/417/GLN`."""
    return f"{GS1_ID}/417/{gln}"


def encoded(text: str) -> str:
    """Percent-encoded for one step of a Digital Link path."""
    return quote(text, safe=_SAFE)


def item_of(uri: str) -> ItemKey | None:
    """The goods that a URI names, in whatever standard form; None for anything else."""
    found = re.fullmatch(
        re.escape(GS1_ID) + r"/01/(\d{14})(?:/(10|21)/([^/]+))?", canonical(uri), re.ASCII
    )
    if found is None or not has_valid_check_digit(found[1]):
        return None
    value = unquote(found[3] or "")
    return ItemKey(found[1], value if found[2] == "10" else "", value if found[2] == "21" else "")


def sscc_of(uri: str) -> str | None:
    """The SSCC that a URI names; None for anything else."""
    found = re.fullmatch(re.escape(GS1_ID) + r"/00/(\d{18})", canonical(uri), re.ASCII)
    return found[1] if found else None


def canonical(uri: str) -> str:
    """The canonical Digital Link of an EPC URI, class or pattern, or of another Digital Link;
    whatever is none of them stays as it is.
    """
    if uri.startswith("urn:epc:"):
        return _from_epc(uri) or uri
    if uri.startswith(("http://", "https://")):
        return _from_link(uri) or uri
    return uri


# EPC Tag Data Standard: the key's application identifier, the digits of prefix and reference
# together, whether the first digit of the reference comes first, and the serial's identifier.
_SCHEMES: dict[str, tuple[str, int, bool, str]] = {
    "id:sgtin": ("01", 13, True, "/21/"),
    "id:upui": ("01", 13, True, "/235/"),
    "class:lgtin": ("01", 13, True, "/10/"),
    "id:itip": ("8006", 13, True, "/21/"),
    "idpat:sgtin": ("01", 13, True, ""),
    "idpat:upui": ("01", 13, True, ""),
    "id:sscc": ("00", 17, True, ""),
    "id:sgln": ("414", 12, False, "/254/"),
    "id:pgln": ("417", 12, False, ""),
    "id:grai": ("8003", 12, False, "-"),
    "idpat:grai": ("8003", 12, False, ""),
    "id:gsrn": ("8018", 17, False, ""),
    "id:gsrnp": ("8017", 17, False, ""),
    "id:gdti": ("253", 12, False, "-"),
    "idpat:gdti": ("253", 12, False, ""),
    "id:sgcn": ("255", 12, False, "-"),
    "idpat:sgcn": ("255", 12, False, ""),
    "id:gsin": ("402", 16, False, ""),
}
_EPC = re.compile(r"urn:epc:((?:id|idpat|class):[a-z]+):(\d{6,12})\.([^.]*)(?:\.(.*))?", re.ASCII)


def _from_epc(uri: str) -> str | None:
    found = _EPC.fullmatch(uri)
    if found is None:
        return None
    scheme, prefix, reference, rest = found[1], found[2], found[3], found[4] or ""
    if scheme in _SCHEMES:
        return _numbered(_SCHEMES[scheme], prefix, reference, rest)
    tail = _escaped(reference + (f".{rest}" if rest else ""))
    match scheme:
        case "id:giai":
            return f"{GS1_ID}/8004/{prefix}{tail}"
        case "id:ginc":
            return f"{GS1_ID}/401/{prefix}{tail}"
        case "id:cpi" | "idpat:cpi":
            serial = f"/8011/{rest}" if scheme == "id:cpi" else ""
            return f"{GS1_ID}/8010/{_escaped(prefix + reference)}{serial}"
        case _:
            return None


def _numbered(
    scheme: tuple[str, int, bool, str], prefix: str, reference: str, rest: str
) -> str | None:
    key, length, front, serial_key = scheme
    if len(prefix) + len(reference) != length or not (prefix + reference).isdigit():
        return None
    number = _digits(prefix, reference, front=front)
    if key == "8003":
        number = "0" + number[:-1] + check_digit("0" + number[:-1])
    if not serial_key or rest in ("", "*") or (key == "414" and rest == "0"):
        return f"{GS1_ID}/{key}/{number}"
    if key == "8006":
        piece, total, serial = [*rest.split(".", 2), "", ""][:3]
        return f"{GS1_ID}/{key}/{number}{piece}{total}/21/{_escaped(serial)}"
    return f"{GS1_ID}/{key}/{number}{serial_key.removeprefix('-')}{_escaped(rest)}"


def _digits(prefix: str, reference: str, *, front: bool) -> str:
    raw = reference[:1] + prefix + reference[1:] if front else prefix + reference
    return raw + check_digit(raw)


def _escaped(text: str) -> str:
    """EPC URIs escape some characters already; Digital Link wants a few more of them."""
    return "".join(f"%{ord(c):02X}" if c in "!()*+,:" else c for c in text)


_NAMES = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017",
    "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402",
    "grai": "8003", "giai": "8004", "cpv": "22", "lot": "10", "ser": "21",
}  # fmt: skip
# A key, and the qualifiers that count, the finest first.
_KEYS: dict[str, tuple[str, ...]] = {
    "01": ("21", "10", "235"),
    "00": (),
    "253": (),
    "255": (),
    "401": (),
    "402": (),
    "414": ("254",),
    "417": (),
    "8003": (),
    "8004": (),
    "8006": ("21", "10"),
    "8010": ("8011",),
    "8017": (),
    "8018": (),
}


def _from_link(uri: str) -> str | None:
    path = re.split(r"[?#]", uri.split("://", 1)[1], maxsplit=1)[0]
    steps = [_NAMES.get(step, step) for step in path.split("/")[1:]]
    for at, step in enumerate(steps[:-1]):
        value = steps[at + 1]
        if step in _KEYS and re.match(r"\d{4}", value, re.ASCII):
            if step == "01" and value.isdigit():
                value = value.zfill(14)
            pairs = dict(zip(steps[at + 2 :: 2], steps[at + 3 :: 2], strict=False))
            finest = next((q for q in _KEYS[step] if pairs.get(q)), "")
            tail = f"/{finest}/{pairs[finest]}" if finest else ""
            return f"{GS1_ID}/{step}/{value}{tail}"
    return None
