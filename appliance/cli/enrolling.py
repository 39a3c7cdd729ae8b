"""What `tallyman inspect enrol` tells of a profile, and the wait while cracks are learned."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from contracts.errors import BadFrameError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.defects.cracks.learning import Cracked
    from vision.defects.inspector import DefectInspector
    from vision.defects.profile import Profile


def shows_something(name: str, picture: NDArray[np.uint8]) -> None:
    """Raises BadFrameError, in words, for a black, white or empty picture: it teaches nothing."""
    from appliance.enrolling.pictures import PictureRefusedError, check_shows_something
    from appliance.words import words

    try:
        check_shows_something(picture, name)
    except PictureRefusedError as error:
        why = words("en").reason(error.reason)
        raise BadFrameError(f"{name}: {why.rstrip(chr(46))}", mend=error.mend) from error


def what_it_promises(made: Profile) -> str:
    """The bound that so many good items allow, in one sentence."""
    facts = made.facts
    says = (
        f"at most {facts.bound_percent} % of good items will be called defective"
        if facts.bound_percent
        else "too few for a threshold: everything will be review, 19 good items are needed"
    )
    out = len(facts.enrolled.left_out)
    like = f", of items like the {facts.good_items} kept ones; {out} left out" if out else ""
    items = "1 good item" if facts.good_items == 1 else f"{facts.good_items} good items"
    return f"{items}, {says}{like}"


def how_it_sees_cracks(made: Profile) -> str:
    """What the learned cracks may do, in one sentence."""
    facts = made.facts
    cracks = facts.cracks
    if cracks is None or not cracks.counts:
        return "cracks learned, they only ask for a review"
    limit = (
        f"{len(facts.scores)} items held out for the threshold, at most {facts.bound_percent} %"
        if facts.bound_percent
        else "no threshold yet"
    )
    return f"cracks learned from {cracks.trained_on} items; {limit}"


def tell_odd(made: Profile) -> None:
    """Odd items on standard error, and what a person can do about them."""
    odd = made.facts.enrolled.odd
    for item in odd:
        sys.stderr.write(f"tallyman: {item} looks unlike the other good ones; is it good?\n")
    if odd and made.facts.review_limit is not None:
        sys.stderr.write(
            "tallyman: it sets the threshold; what lies beyond the others is review until you "
            "enrol without it, with --leave-out-odd, or with --bound 5 and more items\n"
        )


def learn_own_cracks(
    inspector: DefectInspector,
    made: Profile,
    good: list[NDArray[np.uint8]],
    items: list[str],
    parts: list[Cracked],
    *,
    seconds: float,
) -> Profile | None:
    """The profile with cracks of its own, or None when a person stopped it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("learning cracks, Ctrl-C keeps the quick profile", total=1.0)
            return inspector.refine(
                made,
                good,
                items=items,
                cracked=parts,
                seconds=seconds,
                progress=lambda share: bar.update(task, completed=share),
            )
    except KeyboardInterrupt:
        sys.stderr.write("tallyman: stopped; the quick profile stays\n")
        return None
