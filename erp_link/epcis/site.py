"""How this site names its places, goods and papers to partners.

With a Global Location Number places and parties are GS1 keys. What has no GS1 key (a carton without
SSCC, a supplier known by name, an order) is a URL below the site's own address (CBV 2.0, 8.2.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from contracts.errors import BadInputError
from contracts.gs1 import has_valid_check_digit
from contracts.stock import BatchKey
from erp_link.epcis import keys

_GLN = 13


@dataclass(frozen=True, slots=True)
class Site:
    """`gln` may be empty; `address` is a URL of the site's own, without a slash at its end."""

    gln: str = ""
    address: str = "https://tallyman.invalid"

    def __post_init__(self) -> None:
        """Raises BadInputError for a GLN or an address that is none."""
        if self.gln and not is_gln(self.gln):
            raise BadInputError(
                f"{self.gln!r} is not a GLN", mend="Give 13 digits with a right check digit"
            )
        if not self.address.startswith(("https://", "http://")) or self.address.endswith("/"):
            raise BadInputError(
                f"{self.address!r} cannot begin identifiers",
                mend="Give a URL of your own domain without a slash at its end",
            )

    def place(self, location: str) -> str:
        return keys.location_uri(self.gln, location) if self.gln else self._own("loc", location)

    def batch(self, key: BatchKey) -> str:
        """The class of a batch; goods without a right GTIN and lot are named by the site."""
        try:
            return keys.lot_uri(key.gtin, key.lot)
        except BadInputError:
            return self._own("class", f"{key.gtin}.{key.lot}")

    def unit(self, carton_id: str) -> str:
        """A carton: its SSCC where it has one."""
        return keys.sscc_uri(carton_id) or self._own("obj", carton_id)

    def party(self, name: str) -> str:
        return keys.party_uri(name) if is_gln(name) else self._own("party", name)

    def paper(self, kind: str, reference: str) -> str:
        return self._own("bt", f"{kind}.{reference}")

    def device(self, name: str) -> str:
        return self._own("obj", f"device.{name}")

    def _own(self, kind: str, name: str) -> str:
        return f"{self.address}/{kind}/{quote(name, safe='-._~')}"


def is_gln(text: str) -> bool:
    return len(text) == _GLN and has_valid_check_digit(text)
