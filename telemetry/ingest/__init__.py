"""The one durable path: decode, rules, segment, sync, acknowledge, alarms out (I2).

Every endpoint hands its messages to one `Intake` and acknowledges when it is called back.
"""

from telemetry.ingest.counts import Counts
from telemetry.ingest.intake import Intake
from telemetry.ingest.limits import Limits

__all__ = ["Counts", "Intake", "Limits"]
