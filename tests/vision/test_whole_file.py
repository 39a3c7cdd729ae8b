"""A profile's file is there whole or not at all, and what stands in the way is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from contracts.errors import BadInputError
from vision.whole_file import write_whole


def test_the_new_content_replaces_the_old_and_others_may_read_it_as_the_umask_says(tmp_path: Path):
    path = tmp_path / "goods.profile"
    path.write_bytes(b"old")
    before = os.umask(0o022)
    try:
        write_whole(path, b"new")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_its_place_is_told_and_nothing_is_left(tmp_path: Path):
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(BadInputError, match="is a folder"):
        write_whole(place, b"new")
    assert list(tmp_path.iterdir()) == [place]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(BadInputError, match=r"cannot be written.*folder that is there"):
        write_whole(tmp_path / "nowhere" / "goods.profile", b"new")
