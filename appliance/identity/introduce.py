"""A new device and its hub meet for the first time: by a claim that somebody brought."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import structlog

from appliance.identity.admission.records import AwaitingApprovalError
from appliance.identity.device import DeviceIdentity
from appliance.identity.enrol import enrol
from appliance.identity.facts import ClaimPaper
from appliance.identity.upkeep.renewal import door_url
from contracts.errors import BadInputError, UnavailableError

_ENROL_AGAIN_S = 2.0
log = structlog.get_logger()


async def introduce(
    identity: DeviceIdentity,
    *,
    hub_url: str,
    claim_file: str,
    setting: str,
    again_s: float = _ENROL_AGAIN_S,
) -> None:
    """A new device claims its certificate from the hub, once; it waits for the hub to be there and
    for the person there who approves it.

    `setting` is the one that names the claim's file. Raises BadInputError where no claim was given,
    and what the hub says against it.
    """
    if identity.is_enrolled:
        return
    try:
        raw = await asyncio.to_thread(Path(claim_file).read_bytes)
        claim = msgspec.json.decode(raw, type=ClaimPaper)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInputError(
            f"Device {identity.device} has no certificate and {setting} "
            f"({claim_file or 'empty'}) holds no claim",
            mend="Make a claim at the hub and give its file to the device",
        ) from error
    await asyncio.to_thread(identity.keep_door, claim.door_port)
    url = door_url(hub_url, claim.door_port)
    told = ""
    while True:
        try:
            await enrol(identity, url, token=claim.token, fingerprint=claim.fingerprint)
        except (UnavailableError, AwaitingApprovalError) as error:
            waits_for = "approval at the hub" if isinstance(error, AwaitingApprovalError) else "hub"
            # A person may take days: said once, and asked on.
            if waits_for != told:
                log.warning(
                    "not enrolled yet", waits_for=waits_for, why=str(error), key=identity.key_id
                )
            told = waits_for
        else:
            return
        await asyncio.sleep(again_s)
