"""A product from its first picture to a profile that has learned cracks, over faults and restarts."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import numpy as np
import pytest

from appliance.desk import CartonCard
from appliance.enrolling.draft import Phase, ladder, next_step
from appliance.enrolling.pictures import PictureRefusedError
from appliance.enrolling.ports import SeenCarton
from appliance.teaching.ports import Lesson
from appliance.teaching.signing import ProfileSignature, write_signed
from contracts.errors import BadInputError, JournalError, NotFoundError, UnavailableError
from contracts.reading import LabelFields
from contracts.reason import Reason
from contracts.stock import Evidence
from contracts.verdict import Decision, Verdict
from tests.support.enrolling import AT, GTIN, Station, cup, jpeg, refined


@pytest.fixture
async def running(station: Station):
    """Its side job runs."""
    job = asyncio.create_task(station.enrolling.cracks.run())
    yield station
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


def test_bounds_count_items_and_the_next_step_is_told() -> None:
    assert [(step.items, step.bound_percent) for step in ladder(19)] == [
        (1, None), (19, 5), (49, 2), (99, 1),
    ]  # fmt: skip
    assert [step.reached for step in ladder(19)] == [True, True, False, False]
    assert next_step(20).items == 49
    assert next_step(99) is None


def test_a_picture_of_the_same_carton_is_no_other_item(station) -> None:
    station.collect(2)
    upload = station.enrolling.collecting.upload
    twin = upload(GTIN, jpeg(cup(1), quality=70), name="b.jpg", by="mara", again=False)
    assert (twin.picture.item, twin.again) == (2, 2)
    joined = upload(GTIN, jpeg(cup(9)), name="c.jpg", by="mara", again=True)
    assert (joined.picture.item, joined.again) == (2, None)
    with pytest.raises(PictureRefusedError) as refused:
        upload(GTIN, jpeg(cup(9)), name="d.jpg", by="mara", again=False)
    assert refused.value.reason.code == "enrol_again_same"
    assert station.draft().items == (1, 2)
    assert station.again().draft().items == (1, 2), "also after a restart"


def test_pictures_come_from_the_camera_and_from_cartons_that_went_by(station) -> None:
    station.enrolling.begin(GTIN, "")
    collecting = station.enrolling.collecting
    with pytest.raises(UnavailableError, match="no picture now"):
        collecting.take(GTIN, by="mara", again=False)
    station.shown = jpeg(cup(1))
    assert collecting.take(GTIN, by="mara", again=False).picture.item == 1
    sha256 = station.evidence.put(jpeg(cup(2)))
    station.passed = [SeenCarton("C-1", sha256, AT, Decision.REVIEW, "inspect")]
    assert [one.carton_id for one in collecting.cartons(GTIN)] == ["C-1"]
    taken = collecting.take_carton(GTIN, sha256, by="mara").picture
    assert (taken.item, taken.name) == (2, "C-1")
    assert collecting.cartons(GTIN) == []
    with pytest.raises(NotFoundError):
        collecting.take_carton(GTIN, "0" * 64, by="mara")


def test_a_file_of_another_size_than_the_camera_is_refused_at_once(station) -> None:
    station.enrolling.begin(GTIN, "Cup")
    station.shown = jpeg(cup(1))
    with pytest.raises(PictureRefusedError) as refused:
        station.enrolling.collecting.upload(
            GTIN, jpeg(cup(2, side=256)), name="phone.jpg", by="mara", again=False
        )
    assert refused.value.reason.params == {"got": "256 x 256", "wanted": "192 x 192"}


def test_a_camera_in_the_dark_says_nothing_against_files(station) -> None:
    station.enrolling.begin(GTIN, "Cup")
    for shown in (jpeg(np.zeros((192, 192, 3), np.uint8)), b"no picture"):
        station.shown = shown
        collecting = station.enrolling.collecting
        name = f"{len(shown)}.jpg"
        sent = collecting.upload(GTIN, jpeg(cup(len(shown))), name=name, by="mara", again=False)
        assert sent.picture.name == name


async def test_the_quick_profile_is_a_candidate_with_its_pictures_and_judges_nothing(
    station,
) -> None:
    station.collect(3)
    profile = await station.enrolling.enrol(GTIN, by="mara")
    product = station.enrolling.product(GTIN)
    assert (product.state, product.bound_percent) == ("candidate", None)
    assert station.profiles.get(GTIN) is None, "nobody has signed it (I5)"
    (entry,) = station.enrolments()
    assert (entry.digest, entry.good_items, entry.operator) == (profile.digest, 3, "mara")
    assert [item.kind for item in entry.evidence] == ["profile", "good", "good", "good"]
    assert all(station.evidence.has(item.sha256) for item in entry.evidence)
    assert profile.facts.camera == "", "files may be of any camera"
    assert station.draft().phase is Phase.LEARNING


async def test_nothing_is_enrolled_where_nothing_can_be_recorded(station) -> None:
    station.collect(1)
    station.journal.close()
    with pytest.raises(JournalError):
        await station.enrolling.enrol(GTIN, by="mara")
    assert not station.profiles.candidate_path(GTIN).exists()
    assert station.draft().phase is Phase.COLLECTING


async def test_without_a_picture_there_is_nothing_to_enrol(station) -> None:
    station.enrolling.begin(GTIN, "Cup")
    with pytest.raises(BadInputError, match="no picture of Cup yet"):
        await station.enrolling.enrol(GTIN, by="mara")
    with pytest.raises(BadInputError, match="not enrolled yet"):
        await station.enrolling.learn(GTIN)


async def test_cracks_are_learned_in_the_background_and_replace_the_candidate(running) -> None:
    running.collect(2)
    quick = await running.enrolling.enrol(GTIN, by="mara")
    await running.learner.waiting.wait()
    learning = running.enrolling.product(GTIN).learning
    assert learning.share == 0.5
    assert learning.left_s is not None
    running.learner.go.set()
    await running.reaches(Phase.DONE)
    assert running.learner.begun == [(quick.digest, 2)]
    candidate = running.profiles.candidate(GTIN)
    assert candidate.digest == refined(quick).digest
    assert [entry.digest for entry in running.enrolments()] == [quick.digest, candidate.digest]
    assert running.enrolling.product(GTIN).learning is None


async def test_a_restart_begins_learning_again_and_a_crash_loop_ends(station) -> None:
    station.collect(1)
    await station.enrolling.enrol(GTIN, by="mara")
    for restart in range(1, 6):
        station = station.again()
        assert station.enrolling.product(GTIN).learning.share is None, "it waits"
        job = asyncio.create_task(station.enrolling.cracks.run())
        await station.learner.waiting.wait()
        assert station.draft().restarts == restart
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        assert station.learner.ended == 1, "the process ended with the station"
    station = station.again()
    job = asyncio.create_task(station.enrolling.cracks.run())
    async with asyncio.timeout(90):
        while station.draft().phase is Phase.LEARNING:
            await asyncio.to_thread(station.enrolling.product, GTIN)
    assert station.draft().trouble == Reason("enrol_cut_off")
    assert station.profiles.candidate(GTIN) is not None, "the quick profile stands"
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    station.journal.close()


async def test_learning_can_be_stopped_and_begun_again(running) -> None:
    running.collect(1)
    quick = await running.enrolling.enrol(GTIN, by="mara")
    await running.learner.waiting.wait()
    await running.enrolling.stop(GTIN)
    await running.reaches(Phase.QUICK)
    assert running.profiles.candidate(GTIN).digest == quick.digest
    await running.enrolling.learn(GTIN)
    running.learner.go.set()
    await running.reaches(Phase.DONE)


async def test_what_learning_breaks_is_told_and_the_quick_profile_stands(running) -> None:
    running.collect(1)
    running.learner.fails = Reason("enrol_failed", {"why": "no memory"})
    running.learner.go.set()
    quick = await running.enrolling.enrol(GTIN, by="mara")
    await running.reaches(Phase.QUICK)
    assert running.draft().trouble == running.learner.fails
    assert running.profiles.candidate(GTIN).digest == quick.digest


async def test_enrolling_anew_while_cracks_are_learned_begins_with_the_new_profile(
    running,
) -> None:
    running.collect(1)
    await running.enrolling.enrol(GTIN, by="mara")
    await running.learner.waiting.wait()
    running.collect(2, first=1)
    assert running.draft().changed
    second = await running.enrolling.enrol(GTIN, by="joao")
    running.learner.go.set()
    await running.reaches(Phase.DONE)
    assert running.learner.begun[-1] == (second.digest, 3)
    assert not running.draft().changed
    assert running.enrolments()[-1].operator == "joao"


async def test_a_lesson_taught_meanwhile_is_taught_to_what_has_learned_cracks(running) -> None:
    running.collect(2)
    await running.enrolling.enrol(GTIN, by="mara")
    await running.learner.waiting.wait()
    sha256 = running.evidence.put(jpeg(cup(30)))
    card = CartonCard(
        carton_id="C-7",
        station="dock-1",
        at=AT,
        verdict=Verdict(Decision.REVIEW, ()),
        fields=LabelFields(),
        evidence=(Evidence("inspect", sha256, camera="inspect", width_px=192, height_px=192),),
        product=GTIN,
    )
    await running.teacher.teach(card, Lesson("miss", "dent"), operator="mara")
    running.learner.go.set()
    await running.reaches(Phase.DONE)
    candidate = running.profiles.candidate(GTIN)
    assert [lesson.kind for lesson in candidate.facts.lessons] == ["miss"]
    assert candidate.facts.camera == "refined"


async def test_a_signed_profile_goes_on_while_a_newer_candidate_waits(station) -> None:
    station.collect(1)
    profile = await station.enrolling.enrol(GTIN, by="mara")
    data = profile.to_bytes()
    said = ProfileSignature(
        gtin=GTIN,
        digest=profile.digest,
        file=hashlib.sha256(data).hexdigest(),
        station="",
        serial=1,
        signed_by="lead",
        at_us=1,
        reason="looked",
    )
    write_signed(station.profiles.path(GTIN), data, station.trust.sign_here(said))
    station.profiles.candidate_path(GTIN).unlink()
    assert station.enrolling.product(GTIN).state == "signed"
    station.collect(1, first=1)
    await station.enrolling.enrol(GTIN, by="mara")
    assert station.enrolling.product(GTIN).state == "resigned"
    assert station.profiles.get(GTIN).digest == profile.digest


async def test_forgotten_pictures_leave_the_profile(station) -> None:
    station.collect(1)
    await station.enrolling.enrol(GTIN, by="mara")
    await station.enrolling.discard(GTIN)
    product = station.enrolling.product(GTIN)
    assert (product.draft, product.state) == (None, "candidate")
    assert not (station.folder / "enrolling" / GTIN).exists()


def test_announced_goods_without_a_profile_are_offered(station) -> None:
    station.announced = [(GTIN, "Cup 0.3 l"), ("06901234567892", "Green tea")]
    station.collect(1)
    assert station.enrolling.unknown() == [("06901234567892", "Green tea")]
    assert station.enrolling.begin("6901234567892", "").product == "Green tea"


@pytest.mark.parametrize("gtin", ["123", "4006381333932", "../../etc", ""])
def test_a_product_needs_a_real_gtin(station, gtin) -> None:
    with pytest.raises(BadInputError, match="GTIN"):
        station.enrolling.begin(gtin, "Cup")
    with pytest.raises(BadInputError, match="GTIN"):
        station.enrolling.product(gtin)


def test_a_draft_that_cannot_be_read_hides_no_other(station) -> None:
    station.collect(1)
    other = station.folder / "enrolling/06901234567892"
    other.mkdir()
    (other / "draft.json").write_text("{")
    assert [draft.gtin for draft in station.drafts.all()] == [GTIN]
    assert station.draft().pictures[0].at - AT < timedelta(days=1)
