"""One product picture -> what was seen of the goods.

The order of a judgement: does the picture look like the enrolled ones at all (gate), is there a
calibrated threshold, is the score beyond it, is there something that an operator once taught as
missed. Only a picture that passes all four is a pass; whatever cannot be answered is a review with
its reason (I7). A profile judges only under the backbone it was made with (I3, I5).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError, BadInputError
from contracts.geometry import Region
from contracts.inspection import InspectDecision, Inspection
from contracts.reason import Reason
from vision.defects import teaching
from vision.defects.backbone import CHANNELS, Backbone, analysis_size
from vision.defects.bank import distances, image_score, variants, variants_for
from vision.defects.conformal import BOUNDS_PERCENT, needed_items
from vision.defects.drift import measures_of
from vision.defects.enrolment import Shown, build, distinct
from vision.defects.gate import Seen, gate
from vision.defects.heat import heatmap, regions
from vision.defects.looks import look_at, scene_distance, shift_share
from vision.defects.places import cells, strangeness
from vision.defects.profile import Profile, ProfileFacts
from vision.defects.recall import recalled
from vision.engine import CPU


@dataclass(frozen=True, slots=True)
class Inspected:
    """`heatmap` (h, w) in 0..1, 0.5 where a patch is as strange as the limit allows; `seen` is
    what the drift watch needs (vision.defects.drift).
    """

    inspection: Inspection
    heatmap: NDArray[np.float32]
    seen: Seen


@dataclass(frozen=True, slots=True)
class DefectInspector:
    """Holds the backbone; profiles are handed in. Safe to call from several threads at once."""

    backbone: Backbone
    model_set: str
    variant: ClassVar[str] = CPU

    @classmethod
    def load(cls, folder: Path, *, model_set: str, threads: int = 1) -> DefectInspector:
        """`folder` holds backbone.onnx, `model_set` is its verified digest.

        Raises ArtefactRefusedError for a file that is no network.
        """
        return cls(Backbone.load(folder, threads=threads), model_set)

    def enrol(
        self,
        images: Sequence[NDArray[np.uint8]],
        *,
        product: str,
        items: Sequence[str] | None = None,
    ) -> Profile:
        """Learn a product's good look from (h, w, 3) BGR pictures of one size.

        `items` names the physical item on each picture (default: every picture another one);
        bounds count items, not pictures. Raises BadInputError.
        """
        pictures = distinct(images, items)
        height, width = pictures[0][1].shape[:2]
        size = analysis_size(width, height)
        count = variants_for(len(pictures))
        shown = []
        for item, image in pictures:
            maps = [self.backbone.patches(one, size) for one in variants(image, count)]
            flat = tuple(one.reshape(-1, CHANNELS) for one in maps)
            shown.append(Shown(item, look_at(image, maps[0]), flat, cells(maps[0])))
        return build(
            shown, product=product, backbone=self.model_set, width_px=width, height_px=height
        )

    def inspect(self, image: NDArray[np.uint8], profile: Profile, *, name: str) -> Inspected:
        """Judge one (h, w, 3) BGR picture.

        Raises ArtefactRefusedError for a profile of another backbone.
        """
        started = time.perf_counter()
        self.accept(profile)
        facts = profile.facts
        height, width = image.shape[:2]
        patches = self.backbone.patches(image, analysis_size(facts.width_px, facts.height_px))
        flat = patches.reshape(-1, CHANNELS)
        far = distances(flat, profile.bank)
        look = look_at(image, patches)
        grid = facts.patch_scale.over(far.reshape(patches.shape[:2]))
        score = facts.patch_scale.of(image_score(far))
        place: float | None = None
        if facts.place_scale is not None:
            strange = strangeness(
                cells(patches),
                profile.usual,
                profile.spread,
            )
            place = float(strange.max())
            if facts.place_counts:
                score = max(score, facts.place_scale.of(place))
                places = facts.place_scale.over(strange)
                grid = np.maximum(grid, places.repeat(2, axis=0).repeat(2, axis=1))
        seen = Seen(
            width_px=width,
            height_px=height,
            brightness=look.brightness,
            sharpness=look.sharpness,
            typical=float(np.median(far)),
            scene=scene_distance(look.scene, profile.scenes),
            shift=shift_share(look.thumb, profile.thumb),
            place=None if facts.place_counts else place,
            measures=measures_of(look, float(np.median(far)), facts.drift.usual)
            if facts.drift and (width, height) == (facts.width_px, facts.height_px)
            else None,
        )
        limit = facts.threshold if facts.threshold is not None else max(facts.scores)
        like = recalled(profile, flat, far, patches.shape[:2], limit=limit)
        decision, reasons = decide(
            score, facts, changed=gate(seen, facts), like_a_miss=like is not None and like.found
        )
        if like is not None:
            score, grid = max(score, like.score), like.over(grid)
        shown = regions(grid, limit, width, height)
        if like is not None:
            shown = like.named(shown, width, height)
        return Inspected(
            Inspection(
                image=name,
                score=round(score, 3),
                threshold=None if facts.threshold is None else round(facts.threshold, 3),
                decision=decision,
                reasons=reasons,
                regions=() if decision is InspectDecision.PASS else shown,
                model_set=self.model_set,
                elapsed_ms=round((time.perf_counter() - started) * 1000, 3),
                profile=profile.digest,
            ),
            heatmap(grid, limit, width, height),
            seen,
        )

    def teach(
        self,
        profile: Profile,
        image: NDArray[np.uint8],
        *,
        kind: Literal["miss", "false_alarm"],
        defect: str = "",
        picture: str = "",
        where: Region | None = None,
    ) -> Profile:
        """A new candidate profile that has learned from one confirmed mistake (I5).

        `defect`, `picture` and `where` as in vision.defects.teaching.taught.

        Raises ArtefactRefusedError for another backbone's profile, BadInputError for a picture of
        another size or when the profile can learn no more.
        """
        self.accept(profile)
        facts = profile.facts
        height, width = image.shape[:2]
        if (width, height) != (facts.width_px, facts.height_px):
            raise BadInputError(
                f"The picture is {width} x {height} px, the profile's are "
                f"{facts.width_px} x {facts.height_px} px",
                mend="Teach with a picture of the station's own camera",
            )
        patches = self.backbone.patches(image, analysis_size(width, height))
        return teaching.taught(
            profile, patches, kind=kind, defect=defect, picture=picture, where=where
        )

    def accept(self, profile: Profile) -> None:
        """Raises ArtefactRefusedError for a profile of another backbone."""
        if profile.facts.backbone != self.model_set:
            raise ArtefactRefusedError(
                f"The profile of {profile.product} was made with the model set "
                f"{profile.facts.backbone}, this is {self.model_set}",
                mend="Enrol the product anew under this model set, or run the profile's own",
            )


def decide(
    score: float, facts: ProfileFacts, *, changed: tuple[Reason, ...], like_a_miss: bool
) -> tuple[InspectDecision, tuple[Reason, ...]]:
    """The decision and why. `score` is in deviations; `changed` is what the gate found."""
    if changed:
        return InspectDecision.REVIEW, changed
    if facts.threshold is None:
        needed = needed_items(BOUNDS_PERCENT[-1])
        return InspectDecision.REVIEW, (
            Reason("few_good_items", {"items": facts.good_items, "needed": needed}),
        )
    if score > facts.threshold:
        return InspectDecision.DEFECT, (
            Reason(
                "defect_beyond",
                {
                    "score": round(score, 1),
                    "limit": round(facts.threshold, 1),
                    "percent": facts.bound_percent or 0,
                },
            ),
        )
    if like_a_miss:
        return InspectDecision.REVIEW, (Reason("like_taught_defect"),)
    return InspectDecision.PASS, ()
