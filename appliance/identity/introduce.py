"""A new device and its hub meet for the first time: by a claim that somebody brought."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import structlog

from appliance.identity.device import DeviceIdentity
from appliance.identity.enrol import enrol
from contracts.errors import BadInputError, UnavailableError

_ENROL_AGAIN_S = 2.0
log = structlog.get_logger()


async def introduce(
    identity: DeviceIdentity, *, hub_url: str, claim_file: str, setting: str
) -> None:
    """A new device claims its certificate from the hub, once; it waits for the hub to be there.

    `setting` is the one that names the claim's file. Raises BadInputError where no claim was given, and what the hub says against it.
    """
    if identity.is_enrolled:
        return
    try:
        claim = json.loads(await asyncio.to_thread(Path(claim_file).read_text, encoding="utf-8"))
        token, fingerprint = str(claim["token"]), str(claim["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"Device {identity.device} has no certificate and {setting} "
            f"({claim_file or 'empty'}) holds no claim",
            mend="Make a claim at the hub and give its file to the device",
        ) from error
    while True:
        try:
            await enrol(identity, hub_url, token=token, fingerprint=fingerprint)
        except UnavailableError as error:
            log.warning("waiting for the hub to enrol", error=str(error))
            await asyncio.sleep(_ENROL_AGAIN_S)
        else:
            return
