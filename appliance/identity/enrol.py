"""A new device introduces itself to its hub with a claim token and the pinned CA fingerprint.

Rules: the token is sent only to a server that the pinned CA certified; the certificate that comes
back must be for this device's own key; nothing is kept before all of that holds.
"""

from __future__ import annotations

import ssl

import httpx
import msgspec

from appliance.identity.admission.records import AwaitingApprovalError
from appliance.identity.certificates import (
    HEAD_URI,
    certified_key,
    device_uri,
    load,
)
from appliance.identity.certificates import (
    fingerprint as fingerprint_of,
)
from appliance.identity.device import DeviceIdentity, SiteTrust, trusting
from appliance.identity.facts import Claim
from contracts.errors import BadInputError, ForbiddenError, UnavailableError

_TIMEOUT_S = 10.0


async def enrol(identity: DeviceIdentity, hub_url: str, *, token: str, fingerprint: str) -> None:
    """Claim a certificate and keep it with the identity.

    `fingerprint` is the SHA-256 of the site's device CA, hex, as the hub prints it. Raises
    UnavailableError while the hub does not answer and AwaitingApprovalError while no person there
    has said yes (try again), ForbiddenError when the hub is not the pinned one or refuses.
    """
    ca_pem = await _pinned_ca(hub_url, fingerprint)
    claim = Claim(identity.device, token, identity.csr_pem())
    try:
        async with httpx.AsyncClient(
            base_url=hub_url, verify=trusting(ca_pem), timeout=_TIMEOUT_S
        ) as client:
            answer = await client.post("/device/v1/claim", content=msgspec.json.encode(claim))
    except httpx.TransportError as error:
        raise away(hub_url, error) from error
    check_answer(answer, identity, hub_url)
    identity.keep(checked_trust(identity, answer.content, ca_pem))


def check_answer(answer: httpx.Response, identity: DeviceIdentity, hub_url: str) -> None:
    """Raises AwaitingApprovalError, and ForbiddenError for any other answer than yes."""
    if answer.status_code == httpx.codes.OK:
        return
    problem = _problem(answer)
    if problem.get("code") == AwaitingApprovalError.code:
        raise AwaitingApprovalError(
            f"{identity.device} waits for a person's approval at {hub_url}",
            mend=f"Compare its key {identity.key_id} with what the hub shows, and approve it there",
            key_id=identity.key_id,
        )
    raise ForbiddenError(
        f"The hub at {hub_url} did not certify {identity.device}: "
        f"{problem.get('detail', f'status {answer.status_code}')}",
        mend=str(problem.get("mend", "Make a new claim token at the hub")),
        status=answer.status_code,
    )


def checked_trust(identity: DeviceIdentity, raw: bytes, ca_pem: str) -> SiteTrust:
    """What the hub sent, once it fits this device's key and the CA that is trusted already.

    Raises ForbiddenError.
    """
    try:
        trust = msgspec.json.decode(raw, type=SiteTrust)
    except msgspec.MsgspecError as error:
        raise ForbiddenError("The hub's answer is not readable", mend="Update both") from error
    own = certified_key(trust.certificate_pem, ca_pem, uri=device_uri(identity.device))
    head = certified_key(trust.head_certificate_pem, ca_pem, uri=HEAD_URI)
    if own != identity.public_key or head is None:
        raise ForbiddenError(
            "The hub's answer does not hold against the site's CA", mend="Check the hub's address"
        )
    return SiteTrust(trust.certificate_pem, ca_pem, trust.head_certificate_pem)


async def _pinned_ca(hub_url: str, pinned: str) -> str:
    # Nothing secret is sent on this connection, and what comes back counts only if it is the
    # certificate whose hash was pinned.
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    try:
        async with httpx.AsyncClient(
            base_url=hub_url, verify=unverified, timeout=_TIMEOUT_S
        ) as client:
            answer = await client.get("/device/v1/ca")
    except httpx.TransportError as error:
        raise away(hub_url, error) from error
    try:
        found = fingerprint_of(load(answer.text, what="the hub's CA"))
    except BadInputError as error:
        raise ForbiddenError(f"{hub_url} is no hub", mend="Check the address") from error
    if found != pinned.strip().lower().replace(":", ""):
        raise ForbiddenError(
            f"The hub at {hub_url} is not the one pinned (its CA is {found[:16]}...)",
            mend="Check the address, and the fingerprint that the hub prints",
        )
    return answer.text


def away(hub_url: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        f"The hub at {hub_url} does not answer ({type(error).__name__})",
        mend="Start the hub; it is tried again",
    )


def _problem(answer: httpx.Response) -> dict[str, object]:
    try:
        return msgspec.json.decode(answer.content, type=dict[str, object])
    except msgspec.MsgspecError:
        return {}
