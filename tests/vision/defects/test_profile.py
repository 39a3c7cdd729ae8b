"""A profile file: small, whole or refused, never code."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import ArtefactRefusedError, BadInputError
from tests.vision.defects.conftest import tile
from vision.defects.flaws import MOST_GOOD, STRANGEST
from vision.defects.inspector import DefectInspector
from vision.defects.profile import MOST_BYTES, Profile
from vision.defects.teaching import MOST_MISSES, ROWS_OF_A_MISS


def test_a_profile_survives_the_disk_and_judges_the_same(
    tmp_path: Path, inspector: DefectInspector, profile: Profile
):
    path = tmp_path / "tile.profile"
    profile.save(path)
    again = Profile.load(path)
    assert again == profile
    assert again.facts == profile.facts
    assert (again.product, again.good_items) == ("tile", 24)
    first, second = (inspector.inspect(tile(50), one, name="") for one in (profile, again))
    assert first.inspection.score == second.inspection.score
    assert list(tmp_path.iterdir()) == [path]


def test_a_profile_takes_at_most_a_megabyte(profile: Profile):
    assert len(profile.to_bytes()) <= MOST_BYTES


def test_a_profile_does_not_change(profile: Profile):
    with pytest.raises(ValueError, match="read-only"):
        profile.bank[0, 0] = 1


def test_any_flipped_byte_of_the_content_is_refused(profile: Profile):
    data = bytearray(profile.to_bytes())
    whole = profile.digest
    random = np.random.default_rng(3)
    for place in random.integers(0, len(data), 60):
        changed = bytearray(data)
        changed[place] ^= 0x40
        # The archive has bytes that mean nothing (a time stamp); what is accepted must be equal.
        try:
            accepted = Profile.from_bytes(bytes(changed), name="x").digest
        except ArtefactRefusedError:
            accepted = whole
        assert accepted == whole


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_cut_file_is_refused(profile: Profile, share):
    data = profile.to_bytes()
    with pytest.raises(ArtefactRefusedError):
        Profile.from_bytes(data[: int(len(data) * share)], name="cut.profile")


def test_edited_facts_are_refused(profile: Profile):
    """A threshold raised by hand would let defects pass."""
    parts = dict(np.load(io.BytesIO(profile.to_bytes())))
    text = parts["meta"].tobytes().replace(b'"good_items":24', b'"good_items":99')
    parts["meta"] = np.frombuffer(text, np.uint8)
    edited = io.BytesIO()
    np.savez_compressed(edited, **parts)
    with pytest.raises(ArtefactRefusedError, match="hash"):
        Profile.from_bytes(edited.getvalue(), name="edited.profile")


def test_a_pickle_is_never_opened():
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("code of a profile was run",))

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "|O", "fortran_order": False, "shape": (1,)}
        )
        archive.writestr("meta.npy", header.getvalue() + pickle.dumps(Trap()))
    with pytest.raises(ArtefactRefusedError):
        Profile.from_bytes(buffer.getvalue(), name="trap.profile")


def test_a_bomb_is_not_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bank.npy", b"\0" * (64 << 20))
    with pytest.raises(ArtefactRefusedError, match="unpacks to"):
        Profile.from_bytes(buffer.getvalue(), name="bomb.profile")


def test_a_missing_file_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(BadInputError, match="tallyman inspect enrol"):
        Profile.load(tmp_path / "none.profile")


def test_a_profile_of_an_earlier_format_says_to_enrol_anew(profile: Profile):
    parts = dict(np.load(io.BytesIO(profile.to_bytes())))
    text = parts["meta"].tobytes().replace(b'"format":2', b'"format":1')
    earlier = io.BytesIO()
    np.savez_compressed(earlier, meta=np.frombuffer(text, np.uint8), digest=parts["digest"])
    with pytest.raises(ArtefactRefusedError, match="profile format 1") as refused:
        Profile.from_bytes(earlier.getvalue(), name="earlier.profile")
    assert "Enrol the product anew" in str(refused.value.mend)


def test_the_largest_profile_fits(profile: Profile):
    """A whole bank with its false alarms, 32 scenes, all flaws, and weights of every head."""
    draw = np.random.default_rng(5)

    def unit(*shape: int) -> np.ndarray:
        rows = draw.normal(size=(*shape, 152)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=-1, keepdims=True)

    largest = profile.but(
        profile.facts,
        bank=unit(2048 + 320),
        scenes=unit(32, 16),
        usual=unit(16, 16),
        flaws=unit(MOST_MISSES * ROWS_OF_A_MISS),
        strange=unit(MOST_GOOD, STRANGEST),
        crack_weights=draw.normal(0, 0.1, 230_000).astype(np.float16),
        head=draw.normal(size=(20, 153)).astype(np.float32),
    )
    assert len(largest.to_bytes()) <= MOST_BYTES


def test_a_profile_has_no_other_parts(profile: Profile):
    with pytest.raises(ValueError, match="no bnak"):
        profile.but(profile.facts, bnak=profile.bank)
