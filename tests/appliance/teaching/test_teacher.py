"""Lessons at a station: journalled first, candidates only, one undo at a time (I2, I4, I5, I6)."""

from __future__ import annotations

import asyncio

import pytest

from appliance.teaching.history import StepState
from appliance.teaching.ports import Lesson
from contracts.errors import ArtefactRefusedError, BadInputError, ConflictError, NotFoundError
from contracts.events import DefectTaught, LessonUndone, ProfileActivated
from tests.appliance.teaching.conftest import CRACK, GOOD, GTIN, TaughtStation, jpeg, tile
from vision.defects.profile import Profile


async def test_a_lesson_makes_a_candidate_and_leaves_what_is_signed(
    taught: TaughtStation, enrolled: Profile
) -> None:
    heard: list[str] = []

    async def hear(gtin: str) -> None:
        heard.append(gtin)

    taught.teacher.listen(hear)
    card = taught.carton("C1", tile(7, cracked=True))
    said = await taught.teacher.teach(card, CRACK, operator="jo", session="RS-1")
    assert taught.profiles.get(GTIN) == enrolled
    candidate = taught.profiles.candidate(GTIN)
    assert candidate is not None
    assert candidate.facts.parent == enrolled.digest
    assert said.step.after == candidate.digest
    assert said.elapsed_ms < 10_000
    entry = taught.bodies()[-1]
    assert isinstance(entry, DefectTaught)
    assert (entry.before, entry.after) == (enrolled.digest, candidate.digest)
    assert (entry.lesson, entry.defect, entry.operator) == ("miss", "crack", "jo")
    assert entry.picture == card.evidence[0].sha256
    kept = [taught.evidence.get(item.sha256) for item in entry.evidence]
    assert kept == [jpeg(tile(7, cracked=True)), enrolled.to_bytes(), candidate.to_bytes()]
    assert heard == [GTIN]
    assert taught.teacher.lesson_of("C1") == said.step


async def test_lessons_build_on_each_other_and_are_taken_back_newest_first(
    taught: TaughtStation, enrolled: Profile
) -> None:
    first = await taught.teacher.teach(
        taught.carton("C1", tile(7, cracked=True)), CRACK, operator="jo"
    )
    second = await taught.teacher.teach(taught.carton("C2", tile(8)), GOOD, operator="jo")
    assert second.step.before == first.step.after
    with pytest.raises(ConflictError, match="meanwhile"):
        await taught.teacher.undo(GTIN, operator="jo", after=first.step.after)
    await taught.teacher.undo(GTIN, operator="li", after=second.step.after)
    candidate = taught.profiles.candidate(GTIN)
    assert candidate is not None
    assert candidate.digest == first.step.after
    await taught.teacher.undo(GTIN, operator="li", after=first.step.after)
    assert taught.profiles.candidate(GTIN) is None
    assert taught.profiles.get(GTIN) == enrolled
    undone = [body for body in taught.bodies() if isinstance(body, LessonUndone)]
    assert [(each.after, each.candidate) for each in undone] == [
        (first.step.after, first.step.file),
        (enrolled.digest, ""),
    ]
    with pytest.raises(NotFoundError):
        await taught.teacher.undo(GTIN, operator="li", after=first.step.after)
    assert [step.state for step in taught.teacher.history(GTIN).steps] == [StepState.UNDONE] * 2
    again = await taught.teacher.teach(taught.carton("C1", tile(7)), CRACK, operator="jo")
    assert again.step.before == enrolled.digest


async def test_the_lead_signs_a_candidate_and_goes_back(
    taught: TaughtStation, enrolled: Profile
) -> None:
    first = await taught.teacher.teach(
        taught.carton("C1", tile(7, cracked=True)), CRACK, operator="jo"
    )
    second = await taught.teacher.teach(taught.carton("C2", tile(8)), GOOD, operator="jo")
    assert await taught.sign(first.step.after, 2)
    active = taught.profiles.get(GTIN)
    assert active is not None
    assert active.digest == first.step.after
    waiting = taught.profiles.candidate(GTIN)
    assert waiting is not None
    assert waiting.digest == second.step.after
    with pytest.raises(ConflictError, match="is signed"):
        await taught.teacher.teach(taught.carton("C1", tile(7)), GOOD, operator="jo")
    assert await taught.sign(enrolled.digest, 3)
    assert taught.profiles.get(GTIN) == enrolled
    assert taught.profiles.candidate(GTIN) is None
    history = taught.teacher.history(GTIN)
    assert {step.state for step in history.steps} == {StepState.SET_ASIDE}
    assert not await taught.sign(first.step.after, 2), "an old signature played again"
    assert taught.profiles.get(GTIN) == enrolled
    activated = [body for body in taught.bodies() if isinstance(body, ProfileActivated)]
    assert [body.serial for body in activated] == [1, 2, 3]
    assert activated[1].before == enrolled.digest


async def test_a_carton_teaches_once(taught: TaughtStation) -> None:
    card = taught.carton("C1", tile(7, cracked=True))
    outcomes = await asyncio.gather(
        taught.teacher.teach(card, CRACK, operator="jo"),
        taught.teacher.teach(card, CRACK, operator="jo"),
        return_exceptions=True,
    )
    assert [type(each) for each in outcomes].count(ConflictError) == 1
    assert len(taught.teacher.history(GTIN).steps) == 1


@pytest.mark.parametrize(
    ("lesson", "why"),
    [
        (Lesson("wrong"), "no lesson"),
        (Lesson("miss", "ugly"), "no defect"),
        (Lesson("false_alarm", "crack"), "no defect"),
    ],
)
async def test_what_is_no_lesson_changes_nothing(
    taught: TaughtStation, lesson: Lesson, why: str
) -> None:
    before = taught.journal.head()
    with pytest.raises(BadInputError, match=why) as caught:
        await taught.teacher.teach(taught.carton("C1", tile(7)), lesson, operator="jo")
    assert caught.value.mend
    assert taught.journal.head() == before


async def test_what_cannot_teach_says_why(taught: TaughtStation) -> None:
    other = taught.carton("C2", tile(3), product="06901234567892")
    with pytest.raises(NotFoundError, match="has no profile"):
        await taught.teacher.teach(other, CRACK, operator="jo")
    unknown = taught.carton("C3", tile(3), product="")
    with pytest.raises(BadInputError, match="product is not known"):
        await taught.teacher.teach(unknown, CRACK, operator="jo")
    gone = taught.carton("C4", tile(3))
    taught.evidence.path(gone.evidence[0].sha256).unlink()
    with pytest.raises(NotFoundError, match="not on this machine"):
        await taught.teacher.teach(gone, CRACK, operator="jo")
    assert taught.profiles.candidate(GTIN) is None
    assert not taught.teacher.can_teach("06901234567892")


async def test_an_unsigned_profile_neither_judges_nor_learns(
    station: TaughtStation, enrolled: Profile
) -> None:
    station.profiles.folder.mkdir()
    enrolled.save(station.profiles.path(GTIN))
    assert station.profiles.get(GTIN) is None
    assert "nobody has signed it" in station.profiles.trouble(GTIN)
    assert not station.teacher.can_teach(GTIN)


async def test_a_profile_of_other_networks_is_not_put_in_force(
    taught: TaughtStation, enrolled: Profile, inspector
) -> None:
    other = type(inspector)(inspector.backbone, "sha256:other")
    foreign = other.enrol([tile(1), tile(2)], product=GTIN)
    with pytest.raises(ArtefactRefusedError):
        await taught.sign(foreign, 2)
    assert taught.profiles.get(GTIN) == enrolled
    assert taught.teacher.history(GTIN).serial == 1


async def test_after_a_restart_everything_stands_and_torn_files_are_mended(
    taught: TaughtStation, enrolled: Profile
) -> None:
    first = await taught.teacher.teach(
        taught.carton("C1", tile(7, cracked=True)), CRACK, operator="jo"
    )
    # A power cut after the journal had the entry and before the candidate was in place.
    taught.profiles.candidate_path(GTIN).unlink()
    (taught.folder / "teaching/histories.json").write_bytes(b"torn")
    later = taught.again()
    await later.teacher.begin()
    candidate = later.profiles.candidate(GTIN)
    assert candidate is not None
    assert candidate.digest == first.step.after
    assert later.profiles.get(GTIN) == enrolled
    assert [step.carton_id for step in later.teacher.history(GTIN).pending] == ["C1"]
    await later.teacher.undo(GTIN, operator="jo", after=first.step.after)
    assert later.profiles.candidate(GTIN) is None
    later.journal.close()
