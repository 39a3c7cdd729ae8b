"""Which tickets name a carton: its own, those that name several, and no other's."""

from __future__ import annotations

from contracts.reason import Reason
from erp_link.domain.tickets import TicketKind
from erp_link.service.core import Core
from erp_link.service.quality.dossier import tickets_about
from erp_link.service.ticketing import open_ticket
from erp_link.service.work import Work, find_batch
from tests.erp_link.story import JUICE, WATER, Station


def test_by_its_own_name_among_others_and_without_a_batch(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C-1")
    station.accepts("C-2")
    station.accepts("C-9", JUICE)

    def act(work: Work) -> None:
        water = find_batch(work.connection, WATER).id
        for name, batch, carton, others in (
            ("T-own", water, "C-1", ()),
            ("T-among", water, "", ("C-1", "C-2")),
            ("T-no-batch", None, "", ("C-1",)),
            ("T-of-the-batch", water, "", ()),
            ("T-other", water, "C-2", ()),
        ):
            open_ticket(
                work,
                name,
                Reason("defect_seen"),
                kind=TicketKind.FINDING,
                batch_id=batch,
                carton_id=carton,
                cartons=others,
            )

    core.write(act, by="op")
    assert core.read(lambda c: tickets_about(c, ["C-1"])) == {"T-own", "T-among", "T-no-batch"}
    assert core.read(lambda c: tickets_about(c, ["C-9"])) == set()
    assert core.read(lambda c: tickets_about(c, [])) == set()
