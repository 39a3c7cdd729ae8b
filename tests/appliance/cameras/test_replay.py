"""A folder is replayed carton by carton."""

from pathlib import Path, PurePath

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.cameras.replay import pair
from appliance.cartons.replay import ReplayCartons
from contracts.clock import FixedClock
from contracts.errors import BadFrameError, BadInputError

CAMERAS = ("label", "inspect")


def decode(data: bytes, *, name: str):
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise BadFrameError(f"{name} is no picture")
    return image


def picture(grey: int) -> bytes:
    return cv2.imencode(".jpg", np.full((48, 64, 3), grey, np.uint8))[1].tobytes()


def test_files_of_one_carton_share_a_stem() -> None:
    names = ["carton-10.label.jpg", "carton-2.label.jpg", "carton-2.inspect.jpg", "notes.txt"]
    cartons = pair([PurePath(name) for name in names], CAMERAS)
    assert [carton.stem for carton in cartons] == ["carton-2", "carton-10"]
    assert cartons[0].files == {
        "label": (PurePath("carton-2.label.jpg"),),
        "inspect": (PurePath("carton-2.inspect.jpg"),),
    }


def test_a_second_picture_of_one_camera_joins_the_first() -> None:
    names = ["a.label.2.jpg", "a.label.jpg", "a.label.1.jpg"]
    (carton,) = pair([PurePath(name) for name in names], CAMERAS)
    assert len(carton.files["label"]) == 3


def test_subfolders_name_the_carton() -> None:
    (carton,) = pair([PurePath("c-1/label.jpg"), PurePath("c-1/inspect.png")], CAMERAS)
    assert carton.stem == "c-1"
    assert set(carton.files) == {"label", "inspect"}


def test_a_file_that_names_no_camera_is_the_first_cameras() -> None:
    (carton,) = pair([PurePath("dev_000.jpg")], CAMERAS)
    assert (carton.stem, list(carton.files)) == ("dev_000", ["label"])


@given(
    st.lists(st.from_regex(r"[a-c0-9.]{1,8}\.(jpg|label\.jpg|png)", fullmatch=True), unique=True)
)
def test_every_picture_belongs_to_exactly_one_carton(names: list[str]) -> None:
    files = [PurePath(name) for name in names]
    placed = [
        file for carton in pair(files, CAMERAS) for of in carton.files.values() for file in of
    ]
    assert sorted(placed) == sorted(files)


async def test_every_stem_is_a_carton_and_a_torn_picture_is_its_fault(
    tmp_path: Path, clock: FixedClock
) -> None:
    (tmp_path / "c-1.label.jpg").write_bytes(picture(100))
    (tmp_path / "c-1.inspect.jpg").write_bytes(picture(100))
    (tmp_path / "c-2.label.jpg").write_bytes(b"\xff\xd8\xff torn")
    (tmp_path / "c-2.inspect.jpg").write_bytes(picture(90))
    seen = []
    replay = ReplayCartons(
        tmp_path,
        station="dock-1",
        cameras=CAMERAS,
        clock=clock,
        decode=decode,
        on_frame=seen.append,
    )
    first, second = [carton async for carton in replay.cartons()]
    assert (first.name, second.name) == ("c-1", "c-2")
    assert first.carton_id != second.carton_id
    assert [len(first.frames[camera]) for camera in CAMERAS] == [1, 1]
    assert second.frames["label"] == ()
    assert [fault.code for fault in second.faults] == ["bad_frame"]
    assert len(seen) == 3


async def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path, clock: FixedClock) -> None:
    replay = ReplayCartons(tmp_path / "gone", station="dock-1", cameras=CAMERAS, clock=clock)
    with pytest.raises(BadInputError, match="gone does not exist"):
        await anext(aiter(replay.cartons()))
