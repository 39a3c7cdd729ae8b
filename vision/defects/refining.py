"""A product's own crack network, from its good pictures and any really cracked parts.

The quick profile judges while this runs, for minutes; what comes out is another profile that names
the quick one as its parent (I5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError, BadInputError
from vision.defects.crack_channel import CrackEye, crack_facts, shares_of
from vision.defects.cracks.learning import Cracked, learn_cracks
from vision.defects.cracks.network import CrackNetwork, crack_score
from vision.defects.enrolment import calibrated, distinct
from vision.defects.profile import Profile

SECONDS = 240.0
_FEWEST_CRACKED = 3
"""Really cracked parts: one does not help, three do."""


def refine(
    network: CrackNetwork,
    profile: Profile,
    images: Sequence[NDArray[np.uint8]],
    *,
    items: Sequence[str] | None,
    cracked: Sequence[Cracked],
    seconds: float,
    progress: Callable[[float], None],
    stop: Callable[[], bool],
    seed: int,
) -> Profile:
    """As DefectInspector.refine."""
    known = profile.facts.enrolled
    pictures = [
        (item, image) for item, image in distinct(images, items) if item not in known.left_out
    ]
    _check(profile, pictures, cracked)
    shares = shares_of(known.items, odd=known.odd, wanted_percent=known.wanted_percent)
    weights = learn_cracks(
        network,
        _spread([(item, image) for item, image in pictures if item in shares.learned]),
        cracked=cracked,
        seconds=seconds,
        progress=progress,
        stop=stop,
        seed=seed,
    )
    speaking = shares.held_out or shares.learned
    values = values_of(
        network, [(item, image) for item, image in pictures if item in speaking], weights
    )
    facts = crack_facts(
        values,
        dict(zip(known.items, known.scores, strict=True)),
        network=network.model_set,
        trained_on="cracked" if cracked else "good",
        held_out=shares.held_out,
        judges=shares.judges,
        cracked_parts=len(cracked),
    )
    return profile.but(
        replace(calibrated(profile.facts, facts, values), parent=profile.digest),
        crack_weights=weights,
    )


def values_of(
    eye: CrackEye,
    pictures: Sequence[tuple[str, NDArray[np.uint8]]],
    weights: NDArray[np.float16] | None = None,
) -> Mapping[str, float]:
    """Each item's highest crack score, a logit, over its pictures."""
    values: dict[str, float] = {}
    for item, image in pictures:
        score = crack_score(eye.see(image, weights))
        values[item] = max(score, values.get(item, score))
    return values


def _spread(pictures: Sequence[tuple[str, NDArray[np.uint8]]]) -> list[NDArray[np.uint8]]:
    """At most two pictures of each item: more of the same teach little."""
    most = 2
    taken: dict[str, int] = {}
    chosen = []
    for item, image in pictures:
        taken[item] = taken.get(item, 0) + 1
        if taken[item] <= most:
            chosen.append(image)
    return chosen


def _check(
    profile: Profile, pictures: Sequence[tuple[str, NDArray[np.uint8]]], cracked: Sequence[Cracked]
) -> None:
    facts = profile.facts
    if facts.lessons:
        raise ArtefactRefusedError(
            f"The profile of {profile.product} was taught since it was enrolled",
            mend="Learn cracks first and teach the profile that comes out",
        )
    if {item for item, _ in pictures} != set(facts.enrolled.items):
        raise BadInputError(
            f"The pictures are not those that {profile.product} was enrolled from",
            mend="Give the same pictures and items again, all of them",
        )
    size = (facts.width_px, facts.height_px)
    if any(image.shape[1::-1] != size for _, image in pictures):
        raise BadInputError(
            f"A picture does not have the profile's {size[0]} x {size[1]} px",
            mend="Give the pictures that the product was enrolled from",
        )
    if 0 < len(cracked) < _FEWEST_CRACKED:
        raise BadInputError(
            f"{len(cracked)} cracked parts are too few to learn from",
            mend=f"Give pictures of at least {_FEWEST_CRACKED} really cracked parts, or none",
        )
    for part in cracked:
        if part.mask.shape != part.image.shape[:2] or not part.mask.any():
            raise BadInputError(
                "A cracked part's mask is empty or has another size than its picture",
                mend="Mark where the part is cracked",
            )
