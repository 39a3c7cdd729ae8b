"""A device's certificate signing request: made by the holder of its key, in its own name."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from appliance.identity.keys import check_device_id
from contracts.errors import BadInputError

MOST_SERIAL = 64
"""Characters, as X.520 bounds a serialNumber."""


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """`serial` is the machine's own word for itself; empty where it told none."""

    key: Ed25519PublicKey
    serial: str


def make_request(key: Ed25519PrivateKey, device: str, serial: str) -> str:
    """PKCS #10 in PEM: the device's id as common name, the machine's serial as serialNumber."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, device)]
    if serial:
        names.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial[:MOST_SERIAL]))
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    return request.sign(key, None).public_bytes(Encoding.PEM).decode()


def read_request(csr_pem: str, device: str) -> SigningRequest:
    """The key and serial in a request that its holder made in the name of `device`.

    Raises BadInputError.
    """
    check_device_id(device)
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
        good = request.is_signature_valid
        names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        serials = request.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
        key = request.public_key()
    except (ValueError, TypeError) as error:
        raise BadInputError("the signing request is not readable", mend="Send PEM") from error
    if not good or [name.value for name in names] != [device]:
        raise BadInputError(
            f"the signing request is not {device}'s own", mend="Make it on the device"
        )
    if not isinstance(key, Ed25519PublicKey):
        raise BadInputError("the device's key is not Ed25519", mend="Make it on the device")
    return SigningRequest(key, str(serials[0].value) if serials else "")
