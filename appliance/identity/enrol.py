"""A new device introduces itself to its hub with a claim token and the pinned CA fingerprint.

Rules: the token is sent only to a server that the pinned CA certified; the certificate that comes
back must be for this device's own key; nothing is kept before all of that holds.
"""

from __future__ import annotations

import ssl

import httpx
import msgspec

from appliance.identity.certificates import (
    HEAD_URI,
    certified_key,
    device_uri,
    load,
)
from appliance.identity.certificates import (
    fingerprint as fingerprint_of,
)
from appliance.identity.device import DeviceIdentity, SiteTrust
from appliance.identity.facts import Claim
from contracts.errors import BadInputError, ForbiddenError, UnavailableError

_TIMEOUT_S = 10.0


async def enrol(identity: DeviceIdentity, hub_url: str, *, token: str, fingerprint: str) -> None:
    """Claim a certificate and keep it with the identity.

    `fingerprint` is the SHA-256 of the site's device CA, hex, as the hub prints it. Raises
    UnavailableError while the hub does not answer (try again), ForbiddenError when the hub is not
    the pinned one or refuses the token.
    """
    ca_pem = await _pinned_ca(hub_url, fingerprint)
    claim = Claim(identity.device, token, identity.csr_pem())
    try:
        async with httpx.AsyncClient(
            base_url=hub_url, verify=trusting(ca_pem), timeout=_TIMEOUT_S
        ) as client:
            answer = await client.post("/device/v1/claim", content=msgspec.json.encode(claim))
    except httpx.TransportError as error:
        raise _away(hub_url, error) from error
    if answer.status_code != httpx.codes.OK:
        raise ForbiddenError(
            f"The hub at {hub_url} did not enrol {identity.device}: {_detail(answer)}",
            mend="Make a new claim token at the hub",
            status=answer.status_code,
        )
    identity.keep(checked_trust(identity, answer.content, ca_pem))


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


def trusting(ca_pem: str) -> ssl.SSLContext:
    """A client's context that trusts this CA and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=ca_pem)
    return context


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
        raise _away(hub_url, error) from error
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


def _away(hub_url: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        f"The hub at {hub_url} does not answer ({type(error).__name__})",
        mend="Start the hub; enrolling is tried again",
    )


def _detail(answer: httpx.Response) -> str:
    try:
        document = msgspec.json.decode(answer.content, type=dict[str, object])
    except msgspec.MsgspecError:
        return f"status {answer.status_code}"
    return str(document.get("detail", f"status {answer.status_code}"))
