"""What is wrong with a camera is noticed within two seconds, and a sound one is left alone."""

import cv2
import numpy as np
import pytest

from appliance.cameras.statistics import look_at, shift_between, small_grey
from appliance.cameras.watch import CameraState, CameraWatch, WatchPolicy

FPS = 10


class Story:
    """Time passes frame by frame; `until` says when a state was first seen."""

    def __init__(self, belt, policy: WatchPolicy | None = None) -> None:
        self.belt = belt
        self.watch = CameraWatch(policy or WatchPolicy(), since=0.0)
        self.now = 0.0

    def play(self, seconds: float, picture=None, *, fps: float = FPS, **how):
        states = []
        for _ in range(round(seconds * fps)):
            self.now += 1 / fps
            frame = self.belt.frame(picture, **how)
            states.append(self.watch.see(look_at(frame, seconds=self.now)).state)
        return states

    def silence(self, seconds: float):
        states = []
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            states.append(self.watch.health(self.now).state)
        return states


@pytest.fixture
def story(belt) -> Story:
    told = Story(belt)
    assert set(told.play(2)) == {CameraState.OK}
    return told


def within_two_seconds(states: list[CameraState], wanted: CameraState) -> bool:
    return wanted in states[: 2 * FPS] and states[-1] is wanted


def test_a_still_belt_with_sensor_noise_is_in_order(story: Story) -> None:
    assert set(story.play(10)) == {CameraState.OK}


def test_cartons_passing_by_are_no_fault(story: Story) -> None:
    states = []
    for step in range(-300, 640, 12):
        states += story.play(0.1, carton_at=step)
    assert set(states) == {CameraState.OK}


def test_a_carton_that_stands_still_is_no_fault(story: Story) -> None:
    assert set(story.play(5, carton_at=150)) == {CameraState.OK}


@pytest.mark.parametrize(
    ("wanted", "how"),
    [
        (CameraState.DARK, {"light": 0.06}),
        (CameraState.DARK, {"light": 0.35}),
        (CameraState.BLURRED, {"defocus": 5.0}),
        (CameraState.MOVED, {"shift": (40, 0)}),
        (CameraState.MOVED, {"shift": (-25, 18)}),
    ],
)
def test_a_fault_is_noticed_within_two_seconds_and_gone_when_mended(
    story: Story, wanted: CameraState, how: dict
) -> None:
    assert within_two_seconds(story.play(3, **how), wanted)
    back = story.play(3)
    assert back[0] is wanted
    assert back[-1] is CameraState.OK


def test_a_flash_of_darkness_is_not_told(story: Story) -> None:
    assert set(story.play(0.3, light=0.1) + story.play(1)) == {CameraState.OK}


def test_a_slowly_ageing_lamp_is_not_told(story: Story) -> None:
    assert set(story.play(5, light=0.8)) == {CameraState.OK}


def test_the_same_bytes_again_are_a_frozen_camera(story: Story) -> None:
    same = story.belt.picture()
    assert within_two_seconds(story.play(3, same), CameraState.FROZEN)
    assert story.play(2)[-1] is CameraState.OK


def test_a_slow_camera_that_repeats_itself_is_frozen_too(story: Story) -> None:
    story.play(1, fps=1)
    assert CameraState.FROZEN in story.play(3, story.belt.picture(), fps=1)


def test_silence_is_a_stalled_camera(story: Story) -> None:
    states = story.silence(2)
    assert states[5] is CameraState.OK
    assert states[-1] is CameraState.STALLED
    assert story.play(2)[-1] is CameraState.OK


def test_a_camera_that_never_spoke_is_stalled(belt) -> None:
    assert Story(belt).silence(2)[-1] is CameraState.STALLED


def test_a_view_moved_on_purpose_is_learned_anew(story: Story) -> None:
    assert story.play(2, shift=(60, 0))[-1] is CameraState.MOVED
    story.watch.forget()
    assert story.play(4, shift=(60, 0))[-1] is CameraState.OK
    assert story.play(3)[-1] is CameraState.MOVED


def test_a_reference_kept_from_before_sees_a_move_while_off(story: Story, belt) -> None:
    later = Story(belt)
    later.watch = CameraWatch(WatchPolicy(), since=0.0, reference=story.watch.reference)
    assert later.play(2, shift=(50, 0))[-1] is CameraState.MOVED


def test_uploads_are_never_stalled_and_a_dark_one_is_told_at_once(belt) -> None:
    uploads = Story(belt, WatchPolicy(live=False))
    assert set(uploads.silence(60)) == {CameraState.OK}
    assert uploads.play(0.1, light=0.01) == [CameraState.DARK]
    assert uploads.play(0.1) == [CameraState.OK]


def test_the_same_upload_again_and_again_is_frozen(belt) -> None:
    uploads = Story(belt, WatchPolicy(live=False))
    assert uploads.play(0.4, belt.picture())[-1] is CameraState.FROZEN
    assert uploads.play(0.1) == [CameraState.OK]


def test_a_shift_is_measured_in_both_directions(belt) -> None:
    reference = small_grey(belt.picture())
    dx, dy, proof = shift_between(reference, small_grey(belt.picture(shift=(20, -12))))
    assert (round(dx), round(dy)) == (10, -6)
    assert proof > 0.5


@pytest.mark.data
def test_real_photos_of_one_fixed_station_blur_and_move(data_dir, belt) -> None:
    """A real cookie photo as background: what holds for rendered belts holds for it."""
    photo = min((data_dir / "defects" / "cookies").rglob("*.jpg"))
    image = cv2.resize(cv2.imread(str(photo)), (640, 480), interpolation=cv2.INTER_AREA)
    belt.background = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    told = Story(belt)
    assert set(told.play(3)) == {CameraState.OK}
    assert within_two_seconds(told.play(2, shift=(30, 0)), CameraState.MOVED)
    assert told.play(3)[-1] is CameraState.OK
    assert within_two_seconds(told.play(2, defocus=4.0), CameraState.BLURRED)
