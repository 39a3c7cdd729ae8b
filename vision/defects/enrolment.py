"""From the measures of good pictures to a profile: bank, threshold, and what is usual."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from contracts.errors import BadInputError
from vision.defects.bank import ROWS, distances, image_score, thin
from vision.defects.crack_channel import channel_of, crack_facts, fused
from vision.defects.drift import learn_drift
from vision.defects.facts import FORMAT, Channel, CrackFacts, Enrolled, ProfileFacts, Range
from vision.defects.flaws import kept_items, strangest
from vision.defects.limits import ODD, bound_for, limits_of, odd_of
from vision.defects.looks import Look, scene_distance
from vision.defects.packing import packed, unpacked
from vision.defects.places import learn
from vision.defects.profile import Profile
from vision.defects.scale import Scale, scale_of

MOST_SCENES = 32


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


@dataclass(frozen=True, slots=True)
class Request:
    """What a profile is to be made for. `wanted_percent`: no stricter bound than this; `left_out`:
    items that a person left out as odd.
    """

    product: str
    backbone: str
    width_px: int
    height_px: int
    camera: str = ""
    at: str = ""
    wanted_percent: int | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cracks:
    """What the base crack network, by digest, says of each item: its highest score."""

    network: str
    values: Mapping[str, float]


def build(shown: Sequence[Shown], request: Request, cracks: Cracks | None = None) -> Profile:
    """The profile of a product from its good pictures (at least one)."""
    items = list(dict.fromkeys(one.item for one in shown))
    memory = _remember(shown, items)
    looks = [one.look for one in memory.shown]
    scenes = np.stack([look.scene for look in looks])[:MOST_SCENES]
    patch_scale = scale_of(memory.scores)
    patch = [patch_scale.of(score) for score in memory.scores]
    places = _place(shown, items, patch, request)
    scores = dict(zip(items, places.fused, strict=True))
    facts = ProfileFacts(
        format=FORMAT,
        product=request.product,
        backbone=request.backbone,
        width_px=request.width_px,
        height_px=request.height_px,
        good_items=len(items),
        good_images=len(shown),
        patch_scale=patch_scale,
        place_scale=places.scale,
        place_counts=places.counts,
        place=_range(places.strangest),
        scores=(),
        bound_percent=None,
        threshold=None,
        enrolled=Enrolled(
            at=request.at,
            items=tuple(items),
            scores=tuple(places.fused),
            channels=(Channel("bank", on=True, why="channel_always"), places.channel),
            left_out=request.left_out,
            wanted_percent=request.wanted_percent,
        ),
        brightness=_range([look.brightness for look in looks]),
        sharpness=_range([look.sharpness for look in looks]),
        typical=_range(memory.typical),
        scene=Range(0.0, _scene_spread(shown, scenes)),
        drift=learn_drift(looks, memory.typical, items=[one.item for one in memory.shown]),
        camera=request.camera,
    )
    values = cracks.values if cracks else {}
    found = crack_facts(values, scores, network=cracks.network) if cracks else None
    return Profile.of(
        calibrated(facts, found, values),
        bank=memory.bank,
        scenes=scenes,
        usual=places.usual,
        spread=places.spread,
        flaws=np.empty((0, memory.bank.shape[1]), np.float32),
        strange=np.stack([memory.strange[number] for number in kept_items(len(items))]),
    )


def calibrated(
    facts: ProfileFacts, cracks: CrackFacts | None, values: Mapping[str, float]
) -> ProfileFacts:
    """The facts with their limits, from the scores of the items in the quality record and the
    crack scores of those that may speak.
    """
    known = facts.enrolled
    scores = fused(dict(zip(known.items, known.scores, strict=True)), values, cracks)
    odd = odd_of(scores)
    limits = limits_of(scores, odd=odd, wanted_percent=known.wanted_percent)
    channels = (*(one for one in known.channels if one.name != "cracks"), channel_of(cracks))
    # Items that taught the crack network have no whole score; how odd they are is known already.
    odd = tuple(item for item in known.items if item in {*odd, *known.odd})
    return replace(
        facts,
        scores=tuple(scores.values()),
        bound_percent=limits.bound_percent,
        threshold=limits.threshold,
        review_limit=limits.review_limit,
        cracks=cracks,
        enrolled=replace(known, odd=odd, channels=channels),
    )


@dataclass(frozen=True, slots=True)
class _Memory:
    """`scores` by item, `typical` by picture, in the order of `shown`, which goes item by item."""

    bank: NDArray[np.float32]
    scores: list[float]
    shown: list[Shown]
    typical: list[float]
    strange: list[NDArray[np.float32]]
    """By item: what stands for it when the taught flaws are looked for."""


def _remember(shown: Sequence[Shown], items: Sequence[str]) -> _Memory:
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
    memory = _Memory(bank, [], [], [], [])
    for number, item in enumerate(items):
        others = bank[owner != number] if len(parts) > 1 else bank
        of_item = [one for one in shown if one.item == item]
        far = [distances(one.patches[0], others) for one in of_item]
        memory.scores.append(max(image_score(one) for one in far))
        memory.shown.extend(of_item)
        memory.typical.extend(float(np.median(one)) for one in far)
        memory.strange.append(_strangest_of(of_item, far))
    return memory


def _strangest_of(own: Sequence[Shown], far: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The strangest patches (k, 152) of an item's strangest picture."""
    worst = max(range(len(own)), key=lambda number: image_score(far[number]))
    rows, columns = own[worst].places.shape[:2]
    return own[worst].patches[0][strangest(far[worst], (2 * rows, 2 * columns))]


@dataclass(frozen=True, slots=True)
class _Places:
    """What belongs where, and each item's score with it."""

    usual: NDArray[np.float32]
    spread: NDArray[np.float32]
    scale: Scale | None
    strangest: list[float]
    fused: list[float]
    channel: Channel

    @property
    def counts(self) -> bool:
        return self.channel.on


def _place(
    shown: Sequence[Shown], items: Sequence[str], patch: list[float], request: Request
) -> _Places:
    if bound_for(len(items), request.wanted_percent) is None:
        nowhere = np.empty((0, 0, shown[0].patches[0].shape[1]), np.float32)
        channel = Channel("places", on=False, why="channel_few_items")
        return _Places(nowhere, np.empty((0, 0), np.float32), None, [0.0], patch, channel)
    usual, spread, strangest_cells = learn(
        [[one.places for one in shown if one.item == item] for item in items]
    )
    scale = scale_of(strangest_cells)
    placed = [scale.of(value) for value in strangest_cells]
    # Where one good item lies far from the others' places, places would set the limit for patches
    # too, and broken goods would pass below it.
    if max(placed) > max(ODD, *patch):
        channel = Channel("places", on=False, why="channel_goods_vary")
        return _Places(usual, spread, scale, strangest_cells, patch, channel)
    both = [max(pair) for pair in zip(patch, placed, strict=True)]
    channel = Channel("places", on=True, why="channel_harmless")
    return _Places(usual, spread, scale, strangest_cells, both, channel)


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
