"""The desk of what people at a shelf ask beside the snapshot: what to find, what happened."""

from __future__ import annotations

from contracts.gs1 import normalise_gtin
from contracts.shelf import FindList, ProductHistory
from erp_link.service.shelf import finding, history
from erp_link.service.store import Store


class ShelfDesk:
    """Asked by many threads."""

    def __init__(self, core: Store) -> None:
        self._core = core

    def find_lists(self) -> list[FindList]:
        """Orders to pick, the oldest due first; places to count again; goods to fetch back."""
        return self._core.read(finding.find_lists)

    def history(self, gtin: str, *, limit: int = 50) -> ProductHistory:
        """What happened to a product's goods, newest first. Raises BadInputError for no GTIN."""
        wanted = normalise_gtin(gtin)
        return self._core.read(lambda c: history.product_history(c, wanted, limit=limit))
