"""Blobs in a bucket: S3 and what speaks its protocol, or another that obstore knows by URL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from contracts.errors import BadInputError, UnavailableError
from ota.registry.adapters.memory import no_blob

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_PART = 256 << 10
_IN_MEMORY = 16 << 20


class BucketBlobs:
    """`url` is s3://bucket/prefix (gs, az as obstore knows them); credentials, region and endpoint
    come from the environment, as for every program that speaks to such a store (AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL).
    """

    def __init__(self, url: str, *, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are obstore's own, over the environment's. Raises BadInputError."""
        self._url = url
        try:
            # An endpoint of the site's own, on loopback or in its network, may speak plain HTTP:
            # hashes guard every byte.
            self._store: ObjectStore = from_url(
                url,
                client_options={"allow_http": True, "timeout": "60s", "connect_timeout": "5s"},
                retry_config={"max_retries": 2},
                **cast("Any", dict(settings or {})),
            )
        except (BaseError, ValueError) as error:
            raise BadInputError(
                f"{url} cannot be used as a store of artefacts: {error}",
                mend="Use a folder, or a URL such as s3://bucket/prefix",
            ) from error

    def put(self, name: str, parts: Iterable[bytes]) -> int:
        # First everything, then the bucket: nothing of parts that raise at their end gets there.
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            written = sum(spool.write(part) for part in parts)
            spool.seek(0)
            with self._answering():
                obstore.put(self._store, name, cast("bytes", spool))
        return written

    def size(self, name: str) -> int | None:
        with self._answering():
            try:
                return int(obstore.head(self._store, name)["size"])
            except FileNotFoundError:
                return None

    def read(self, name: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        size = self.size(name)
        if size is None:
            raise no_blob(name)
        return self._parts(name, start, size if end is None else min(end, size))

    def names(self, prefix: str) -> Sequence[str]:
        with self._answering():
            pages = obstore.list(self._store, prefix.rstrip("/"))
            return sorted(str(each["path"]) for page in pages for each in page)

    def remove(self, name: str) -> None:
        with self._answering():
            try:
                obstore.delete(self._store, name)
            except FileNotFoundError:
                return

    def _parts(self, name: str, start: int, end: int) -> Iterator[bytes]:
        if start >= end:
            return
        with self._answering():
            got = obstore.get(self._store, name, options={"range": (start, end)})
            for part in got.stream(min_chunk_size=_PART):
                yield bytes(part)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as error:
            raise UnavailableError(
                f"The artefact store {self._url} does not answer: {str(error)[:200]}",
                mend="Look after the store and its credentials; boxes go on with what they have",
            ) from error
