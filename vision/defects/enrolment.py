"""From the measures of good pictures to a profile: bank, threshold, and what is usual."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.errors import BadInputError
from vision.defects.bank import ROWS, distances, image_score, thin
from vision.defects.conformal import strictest_bound, threshold
from vision.defects.drift import learn_drift
from vision.defects.facts import FORMAT, Enrolled, ProfileFacts, Range
from vision.defects.flaws import kept_items, strangest
from vision.defects.looks import Look, scene_distance, shift_share
from vision.defects.packing import packed, unpacked
from vision.defects.places import learn
from vision.defects.profile import Profile
from vision.defects.scale import Scale, scale_of

MOST_SCENES = 32
ODD = 6.0
"""Deviations beyond which a good item is called unlike the rest."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One enrolled picture: which item it shows, how it looks, the (n, 152) patches of each of
    its variants, itself first, and its (r, c, 152) cells.
    """

    item: str
    look: Look
    patches: tuple[NDArray[np.float32], ...]
    places: NDArray[np.float32]


def distinct(
    images: Sequence[NDArray[np.uint8]], items: Sequence[str] | None
) -> list[tuple[str, NDArray[np.uint8]]]:
    """Item and picture, the same picture only once: a copy would count as evidence twice.

    Raises BadInputError for no picture, for sizes that differ, and for a wrong number of items.
    """
    if not images:
        raise BadInputError("No good picture to learn from", mend="Give at least one picture")
    names = [f"#{number}" for number in range(1, len(images) + 1)] if items is None else items
    if len(names) != len(images):
        raise BadInputError(
            f"{len(images)} pictures but {len(names)} items", mend="Name one item for each picture"
        )
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        told = ", ".join(sorted(f"{width} x {height}" for height, width in sizes))
        raise BadInputError(
            f"The good pictures have different sizes: {told}",
            mend="Enrol from the station's own camera at one resolution",
        )
    found: dict[bytes, tuple[str, NDArray[np.uint8]]] = {}
    for name, image in zip(names, images, strict=True):
        found.setdefault(
            hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest(), (name, image)
        )
    return list(found.values())


def build(
    shown: Sequence[Shown], *, product: str, backbone: str, width_px: int, height_px: int
) -> Profile:
    """The profile of a product from its good pictures (at least one)."""
    items = list(dict.fromkeys(one.item for one in shown))
    # With a single item its own variants stand in for other items: enough for a scale, and no
    # threshold is stated from it.
    alone = len(items) == 1
    groups: list[list[NDArray[np.float32]]] = (
        [[patches] for one in shown for patches in one.patches]
        if alone
        else [
            [patches for one in shown if one.item == item for patches in one.patches]
            for item in items
        ]
    )
    share = max(1, ROWS // len(groups))
    parts = [thin(np.concatenate(group), share) for group in groups]
    bank = unpacked(packed(np.concatenate(parts)))
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])

    scores: list[float] = []
    typical: list[float] = []
    looks: list[Look] = []
    owners: list[str] = []
    strange: list[NDArray[np.float32]] = []
    for number, item in enumerate(items):
        others = bank[owner != number] if len(parts) > 1 else bank
        own = [one for one in shown if one.item == item]
        far = [distances(one.patches[0], others) for one in own]
        strange.append(_strangest_of(own, far))
        scores.append(max(image_score(one) for one in far))
        typical += [float(np.median(one)) for one in far]
        looks += [one.look for one in shown if one.item == item]
        owners += [item] * len(far)

    thumb = np.mean([look.thumb for look in looks], axis=0)
    shifts = [shift_share(look.thumb, thumb) for look in looks]
    scenes = np.stack([look.scene for look in looks])[:MOST_SCENES]
    bound = strictest_bound(len(items))
    patch_scale = scale_of(scores)
    place_scale: Scale | None = None
    place_counts, strangest_cells = False, [0.0]
    fused = [patch_scale.of(score) for score in scores]
    usual, spread = np.empty((0, 0, bank.shape[1]), np.float32), np.empty((0, 0), np.float32)
    if bound is not None:
        usual, spread, strangest_cells = learn(
            [[one.places for one in shown if one.item == item] for item in items]
        )
        place_scale = scale_of(strangest_cells)
        placed = [place_scale.of(value) for value in strangest_cells]
        # Where one good item lies far from the others' places, places would set the limit for
        # patches too, and broken goods would pass below it.
        place_counts = max(placed) <= max(ODD, *fused)
        if place_counts:
            fused = [max(pair) for pair in zip(fused, placed, strict=True)]
    facts = ProfileFacts(
        format=FORMAT,
        product=product,
        backbone=backbone,
        width_px=width_px,
        height_px=height_px,
        good_items=len(items),
        good_images=len(shown),
        patch_scale=patch_scale,
        place_scale=place_scale,
        place_counts=place_counts,
        place=_range(strangest_cells),
        scores=tuple(fused),
        bound_percent=bound,
        threshold=None if bound is None else threshold(fused, bound),
        enrolled=Enrolled(
            items=tuple(items),
            scores=tuple(fused),
            odd=tuple(item for item, score in zip(items, fused, strict=True) if score > ODD),
        ),
        brightness=_range([look.brightness for look in looks]),
        sharpness=_range([look.sharpness for look in looks]),
        typical=_range(typical),
        scene=Range(0.0, _scene_spread(shown, scenes)),
        shift_x=_range([x for x, _ in shifts]),
        shift_y=_range([y for _, y in shifts]),
        drift=learn_drift(looks, typical, items=owners),
    )
    return Profile.of(
        facts,
        bank=bank,
        scenes=scenes,
        thumb=thumb,
        usual=usual,
        spread=spread,
        flaws=np.empty((0, bank.shape[1]), np.float32),
        strange=np.stack([strange[number] for number in kept_items(len(items))]),
    )


def _strangest_of(own: Sequence[Shown], far: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The strangest patches (k, 152) of an item's strangest picture."""
    worst = max(range(len(own)), key=lambda number: image_score(far[number]))
    rows, columns = own[worst].places.shape[:2]
    return own[worst].patches[0][strangest(far[worst], (2 * rows, 2 * columns))]


def _range(values: Sequence[float]) -> Range:
    return Range(min(values), max(values))


def _scene_spread(shown: Sequence[Shown], scenes: NDArray[np.float32]) -> float:
    """The greatest distance of a good scene to the nearest scene of another item."""
    owners = np.array([one.item for one in shown[: len(scenes)]])
    spread = 0.0
    for one in shown:
        others = scenes[owners != one.item]
        if len(others):
            spread = max(spread, scene_distance(one.look.scene, others))
    return spread
