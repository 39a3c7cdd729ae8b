"""The registry's stores, each in all its kinds: every kind passes the same suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ota.registry.adapters.bucket import BucketBlobs
from ota.registry.adapters.disk import DiskBlobs, DiskMetadata
from ota.registry.adapters.memory import MemoryBlobs, MemoryCatalogue, MemoryMetadata
from ota.registry.adapters.sqlite import SqliteCatalogue
from ota.registry.ports import Blobs, Catalogue, MetadataStore
from tests.support.buckets import BUCKET, bucket_server


@pytest.fixture(scope="session")
def bucket() -> Iterator[dict[str, str]]:
    with bucket_server() as settings:
        yield settings


@pytest.fixture(params=["memory", "disk", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path) -> Blobs:
    match request.param:
        case "memory":
            return MemoryBlobs()
        case "disk":
            return DiskBlobs(tmp_path / "blobs")
        case _:
            settings = request.getfixturevalue("bucket")
            return BucketBlobs(f"s3://{BUCKET}/{tmp_path.name}", settings=settings)


@pytest.fixture(params=["memory", "sqlite"])
def catalogue(request: pytest.FixtureRequest, tmp_path) -> Iterator[Catalogue]:
    if request.param == "memory":
        yield MemoryCatalogue()
        return
    made = SqliteCatalogue(tmp_path / "registry.db")
    yield made
    made.close()


@pytest.fixture(params=["memory", "disk"])
def metadata(request: pytest.FixtureRequest, tmp_path) -> MetadataStore:
    return MemoryMetadata() if request.param == "memory" else DiskMetadata(tmp_path / "tuf")
