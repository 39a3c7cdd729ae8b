"""The root that a box begins to trust with, before it is kept for ever."""

from __future__ import annotations

from tuf.api.exceptions import RepositoryError
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
from tuf.ngclient.config import EnvelopeType


def is_root(data: bytes) -> bool:
    """Whether this is a whole root that enough of the holders whom it names signed. Who they are is
    for whoever brought it to vouch.
    """
    try:
        TrustedMetadataSet(data, EnvelopeType.METADATA)
    except RepositoryError:
        return False
    return True
