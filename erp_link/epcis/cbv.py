"""The Core Business Vocabulary's own lists (CBV 2.0, section 7), and a word's full URI.

The JSON schema of EPCIS lets an invented disposition pass where it looks like a URI; a partner that
keeps to the vocabulary refuses it. So words are checked against these lists.
"""

from __future__ import annotations

CBV = "https://ref.gs1.org/cbv/"
GS1 = "https://gs1.org/voc/"

BIZ_STEPS = frozenset(
    (
        "accepting", "arriving", "assembling", "collecting", "commissioning",
        "consigning", "creating_class_instance", "cycle_counting", "decommissioning", "departing",
        "destroying", "disassembling", "dispensing", "encoding", "entering_exiting",
        "holding", "inspecting", "installing", "killing", "loading",
        "other", "packing", "picking", "receiving", "removing",
        "repackaging", "repairing", "replacing", "reserving", "retail_selling",
        "sampling", "sensor_reporting", "shipping", "staging_outbound", "stock_taking",
        "stocking", "storing", "transporting", "unloading", "unpacking",
        "void_shipping",
    )
)  # fmt: skip
DISPOSITIONS = frozenset(
    (
        "active", "available", "completeness_inferred", "completeness_verified", "conformant",
        "container_closed", "container_open", "damaged", "destroyed", "dispensed",
        "disposed", "encoded", "expired", "in_progress", "in_transit",
        "inactive", "mismatch_class", "mismatch_instance", "mismatch_quantity", "needs_replacement",
        "no_pedigree_match", "non_conformant", "non_sellable_other", "partially_dispensed", "recalled",
        "reserved", "retail_sold", "returned", "sellable_accessible", "sellable_not_accessible",
        "stolen", "unavailable", "unknown",
    )
)  # fmt: skip
TRANSACTIONS = frozenset(
    (
        "bol", "cert", "desadv", "inv", "pedigree",
        "po", "poc", "prodorder", "recadv", "rma",
        "testprd", "testres", "upevt",
    )
)  # fmt: skip
PARTIES = frozenset(("owning_party", "possessing_party", "location"))
ERROR_REASONS = frozenset(("did_not_occur", "incorrect_data"))
ACTIONS = frozenset(("ADD", "OBSERVE", "DELETE"))
EVENT_TYPES = frozenset(
    (
        "ObjectEvent",
        "AggregationEvent",
        "TransactionEvent",
        "TransformationEvent",
        "AssociationEvent",
    )
)

STEP, DISP, BTT, SDT = "BizStep-", "Disp-", "BTT-", "SDT-"
WORDS = {STEP: BIZ_STEPS, DISP: DISPOSITIONS, BTT: TRANSACTIONS, SDT: PARTIES}
_URNS = {
    "urn:epcglobal:cbv:bizstep:": CBV + STEP,
    "urn:epcglobal:cbv:disp:": CBV + DISP,
    "urn:epcglobal:cbv:btt:": CBV + BTT,
    "urn:epcglobal:cbv:sdt:": CBV + SDT,
    "urn:epcglobal:cbv:er:": CBV + "ER-",
}


def bare(text: str, kind: str) -> str:
    """A word of the vocabulary as the list writes it, whether it came bare, as CURIE, as web URI or
    as URN; another URI stays as it is.
    """
    uri = web_uri(text)
    for head in (CBV + kind, "cbv:" + kind):
        if uri.startswith(head):
            return uri.removeprefix(head)
    return text


def expanded(text: str, kind: str) -> str:
    """The web URI of a word of the vocabulary; anything else stays as it is."""
    word = bare(text, kind)
    return f"{CBV}{kind}{word}" if word in WORDS[kind] else web_uri(text)


def is_known(text: str, kind: str) -> bool:
    """True for a word of the list, and for a URI that lies outside the vocabulary."""
    word = bare(text, kind)
    return word in WORDS[kind] or (
        ":" in word and not word.startswith((CBV, "cbv:", "urn:epcglobal:cbv:"))
    )


def web_uri(text: str) -> str:
    """A URN of the older vocabulary as the web URI that replaced it (CBV 2.0, 8.9)."""
    for urn, uri in _URNS.items():
        if text.startswith(urn):
            return uri + text.removeprefix(urn)
    return text
