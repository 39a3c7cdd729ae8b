"""Entries about judging, each to its own part."""

from __future__ import annotations

from contracts.events import CartonRejudged, JournalEntry, ModelSetsActivated, ShadowJudged
from erp_link.service.judging import rejudged, story
from erp_link.service.work import Work

JudgingEntry = CartonRejudged | ModelSetsActivated | ShadowJudged


def recorded(work: Work, entry: JournalEntry, body: JudgingEntry) -> None:
    """Book one."""
    match body:
        case CartonRejudged():
            rejudged.rejudged(work, entry, body)
        case ModelSetsActivated():
            story.activated(work, entry, body)
        case ShadowJudged():
            story.shadow(work, entry, body)
