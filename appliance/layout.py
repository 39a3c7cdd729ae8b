"""Where everything stands in the data folder: one place that knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below the data folder. Nothing is made here."""

    root: Path

    @property
    def hub(self) -> Path:
        return self.root / "hub"

    @property
    def site_ca(self) -> Path:
        return self.hub / "ca"

    @property
    def devices_db(self) -> Path:
        return self.hub / "devices.db"

    @property
    def accounts_db(self) -> Path:
        return self.hub / "accounts.db"

    @property
    def phones_db(self) -> Path:
        """Phones that were enrolled for the shelf, and what happened to each."""
        return self.hub / "phones.db"

    @property
    def quality_db(self) -> Path:
        """The quality lead's locked keys and what they signed."""
        return self.hub / "quality.db"

    @property
    def exchange_key(self) -> Path:
        """What the secrets of webhooks are sealed with."""
        return self.hub / "exchange.key"

    @property
    def vehicles(self) -> Path:
        """Who may sign in at the broker as a vehicle or station."""
        return self.hub / "vehicles.json"

    @property
    def hub_ota(self) -> Path:
        """The registry's metadata, keys and records (appliance.ota)."""
        return self.hub / "ota"

    @property
    def sets(self) -> Path:
        """Model sets that this box fetched, and which of them run (appliance.agent)."""
        return self.root / "edge" / "sets"

    @property
    def hub_evidence(self) -> Path:
        return self.hub / "evidence"

    @property
    def hub_learning(self) -> Path:
        """Examples from all stations, runs of the recipe, and the candidates they made."""
        return self.hub / "learning"

    @property
    def edge(self) -> Path:
        return self.root / "edge"

    @property
    def identity(self) -> Path:
        return self.edge / "identity"

    @property
    def journal(self) -> Path:
        return self.edge / "journal.db"

    @property
    def edge_evidence(self) -> Path:
        return self.edge / "evidence"

    @property
    def uplink(self) -> Path:
        return self.edge / "uplink"

    @property
    def edge_learning(self) -> Path:
        """Examples that the hub has not taken yet."""
        return self.edge / "learning"

    @property
    def profiles(self) -> Path:
        return self.edge / "profiles"

    @property
    def teaching(self) -> Path:
        """Profiles that an undo may need, and how far the journal was read for them."""
        return self.edge / "teaching"

    @property
    def enrolling(self) -> Path:
        """Good pictures of products, and how far learning from them has come."""
        return self.edge / "enrolling"

    @property
    def trust(self) -> Path:
        """The keys under which a profile may judge here."""
        return self.edge / "trust"

    @property
    def batches(self) -> Path:
        """A shorter way to what the journal says of each batch (appliance.edge.book_file)."""
        return self.edge / "batches.json"

    @property
    def pins(self) -> Path:
        """Who judges which batch, as far as this station knows (appliance.pinning)."""
        return self.edge / "pins.json"

    @property
    def stopped_sets(self) -> Path:
        """Model sets that were stopped here (appliance.sets)."""
        return self.edge / "stopped.json"

    @property
    def watches(self) -> Path:
        """What the drift watches of the cameras know (appliance.edge.watches)."""
        return self.edge / "watches.json"

    @property
    def enrolment(self) -> Path:
        """How a new edge is introduced to its hub: fingerprint and single-use claim."""
        return self.edge / "enrolment.json"

    @property
    def broker(self) -> Path:
        return self.root / "broker"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def demo(self) -> Path:
        return self.root / "demo"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def gateway(self) -> Path:
        """Identity, journal and uplink of this machine's gateway."""
        return self.root / "gateway"

    @property
    def ingest(self) -> Path:
        """Segments, quarantine and the state of the rules (telemetry.ingest)."""
        return self.gateway / "ingest"

    @property
    def segments(self) -> Path:
        """Readings as they were acknowledged (telemetry.segments)."""
        return self.ingest / "readings"

    @property
    def quarantine(self) -> Path:
        """Messages that were acknowledged and not understood."""
        return self.ingest / "quarantine"

    @property
    def sensor_history(self) -> Path:
        """Parquet files made of segments (telemetry.history)."""
        return self.gateway / "history"

    @property
    def sensor_book(self) -> Path:
        """What the site says of its sensors: places, templates of its own, signed fences."""
        return self.hub / "sensors"
