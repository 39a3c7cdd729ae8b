"""What the virtual sensors leave on the pages of a first start."""

from pathlib import Path

from appliance.demo.sensors import FENCE, introduce_sensors
from appliance.fences.store import FenceStore
from appliance.layout import Layout


def test_a_first_start_has_a_fence_to_try_out_that_nobody_signed(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert introduce_sensors(layout, tmp_path / "sensors.json") is not None
    fences = FenceStore(layout.sensor_book / "fences.db")
    (story,) = fences.stories()
    assert (story.newest.fence, story.newest.is_draft) == (FENCE, True)
    assert fences.signed() == ()

    # Thrown away it stays away.
    fences.drop_draft(FENCE.fence)
    introduce_sensors(layout, tmp_path / "sensors.json")
    assert fences.stories() == []
    fences.close()
