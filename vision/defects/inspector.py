"""One product picture -> what was seen of the goods.

The order of a judgement: does the picture look like the enrolled ones at all (gate), is there a
calibrated threshold, is the score beyond it, is there something that an operator once taught as
missed. Only a picture that passes all four is a pass; whatever cannot be answered is a review with
its reason (I7). A profile judges only under the backbone it was made with (I3, I5).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError, BadInputError
from contracts.geometry import Region
from contracts.inspection import InspectDecision, Inspection
from vision.defects import teaching
from vision.defects.backbone import CHANNELS, Backbone, analysis_size
from vision.defects.bank import distances, image_score, variants, variants_for
from vision.defects.crack_channel import allowing, seen_in
from vision.defects.cracks.learning import Cracked
from vision.defects.cracks.network import CrackNetwork, crack_score
from vision.defects.deciding import decide, limit_of, of_camera
from vision.defects.enrolment import Cracks, Request, Shown, build, distinct
from vision.defects.gate import Seen, gate, see
from vision.defects.heat import heatmap, regions
from vision.defects.looks import look_at
from vision.defects.places import cells, strangeness
from vision.defects.profile import Profile
from vision.defects.recall import recalled
from vision.defects.refining import SECONDS, refine, values_of
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
    """Holds the networks; profiles are handed in. Safe to call from several threads at once."""

    backbone: Backbone
    model_set: str
    cracks: CrackNetwork | None = None
    """None: profiles are made without cracks, and those made with cracks are refused."""
    stands_for: frozenset[str] = frozenset()
    """Sets whose profiles these networks may judge too: proven to decide as they do."""

    def whose(self, made_with: str, mine: str = "") -> str:
        """Who judges a profile that was made with a set: `mine` (this backbone's where empty) where
        it may, else the set itself.
        """
        mine = mine or self.model_set
        return mine if made_with == mine or made_with in self.stands_for else made_with

    @property
    def variant(self) -> str:
        """The engine that it sees with."""
        return self.backbone.variant

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        model_set: str,
        threads: int = 1,
        cracks: CrackNetwork | None = None,
        variant: str = CPU,
    ) -> DefectInspector:
        """`folder` holds the backbone's networks, `model_set` is its verified digest, `variant` the
        engine, one that the set is proven on.

        Raises as Backbone.load.
        """
        return cls(Backbone.load(folder, threads=threads, variant=variant), model_set, cracks)

    def enrol(
        self,
        images: Sequence[NDArray[np.uint8]],
        *,
        product: str,
        items: Sequence[str] | None = None,
        camera: str = "",
        at: str = "",
        wanted_percent: int | None = None,
        leave_out_odd: bool = False,
    ) -> Profile:
        """Learn a product's good look from (h, w, 3) BGR pictures of one size, in seconds.

        `items` names the physical item on each picture (default: every picture another one);
        bounds count items, not pictures. `wanted_percent` asks for no stricter bound than that
        (1, 2 or 5); `leave_out_odd` learns only from items that look like the rest, and the bound
        then speaks of goods like those. `camera` and `at` (UTC) are kept in the quality record.
        Raises BadInputError.
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
        cracks = (
            Cracks(self.cracks.model_set, values_of(self.cracks, pictures)) if self.cracks else None
        )
        request = Request(
            product,
            self.model_set,
            width,
            height,
            camera=camera,
            at=at,
            wanted_percent=wanted_percent,
        )
        made = build(shown, request, cracks)
        if not leave_out_odd or not (odd := made.facts.enrolled.odd):
            return made
        kept = [one for one in shown if one.item not in odd]
        if cracks:
            sound = {item: value for item, value in cracks.values.items() if item not in odd}
            cracks = replace(cracks, values=sound)
        return build(kept, replace(request, left_out=odd), cracks)

    def refine(
        self,
        profile: Profile,
        images: Sequence[NDArray[np.uint8]],
        *,
        items: Sequence[str] | None = None,
        cracked: Sequence[Cracked] = (),
        seconds: float = SECONDS,
        progress: Callable[[float], None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
        seed: int = 0,
    ) -> Profile:
        """A profile with crack weights of its own, learned in at most `seconds` on one core.

        `images` and `items` are those that the profile was enrolled from; `cracked` are really
        cracked parts, none or at least three. `progress` hears shares of 0..1. Raises
        BadInputError, ArtefactRefusedError for a profile of other networks, InterruptedError when
        `stop` says so.
        """
        self.accept(profile)
        if self.cracks is None:
            raise ArtefactRefusedError(
                "There is no crack network to learn with", mend="Install the appliance again"
            )
        return refine(
            self.cracks,
            profile,
            images,
            items=items,
            cracked=cracked,
            seconds=seconds,
            progress=progress,
            stop=stop,
            seed=seed,
        )

    def inspect(
        self,
        image: NDArray[np.uint8],
        profile: Profile,
        *,
        name: str,
        mm_per_px: float | None = None,
        camera: str = "",
    ) -> Inspected:
        """Judge one (h, w, 3) BGR picture; `mm_per_px` is the camera's scale where it is known,
        `camera` its name.

        Raises ArtefactRefusedError for a profile of other networks.
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
            strange = strangeness(cells(patches), profile.usual, profile.spread)
            place = float(strange.max())
            if facts.place_counts:
                score = max(score, facts.place_scale.of(place))
                places = facts.place_scale.over(strange)
                grid = np.maximum(grid, places.repeat(2, axis=0).repeat(2, axis=1))
        limit = limit_of(facts)
        cracks = None
        lines = self._cracks(image, profile)
        if lines is not None and facts.cracks is not None:
            cracks = seen_in(lines, crack_score(lines), facts.cracks, limit)
            score = max(score, cracks.score)
        seen = see(
            look,
            far.reshape(patches.shape[:2]),
            profile,
            width_px=width,
            height_px=height,
            place=None if facts.place_counts else place,
        )
        like = recalled(profile, flat, far, patches.shape[:2], limit=limit)
        decision, reasons = decide(
            score,
            facts,
            changed=(*of_camera(camera, facts), *gate(seen, facts)),
            like_a_miss=like is not None and like.found,
            crack_suspected=cracks is not None and cracks.suspected,
        )
        if like is not None:
            score, grid = max(score, like.score), like.over(grid)
        thin = cracks.grid if cracks else None
        shown = regions(grid, limit, width, height, cracks=thin, mm_per_px=mm_per_px)
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
            heatmap(grid, limit, width, height, cracks=thin),
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
        made = teaching.taught(
            profile, patches, kind=kind, defect=defect, picture=picture, where=where
        )
        lines = self._cracks(image, profile)
        if kind == "miss" or lines is None or facts.cracks is None:
            return made
        cracks = allowing(facts.cracks, crack_score(lines), limit_of(facts))
        return made.but(replace(made.facts, cracks=cracks))

    def _cracks(self, image: NDArray[np.uint8], profile: Profile) -> NDArray[np.float32] | None:
        """(rows, columns) logits; None where the profile has no cracks or the picture is not of
        its size, which ends in a review.
        """
        facts = profile.facts
        if self.cracks is None or facts.cracks is None:
            return None
        if image.shape[1::-1] != (facts.width_px, facts.height_px):
            return None
        own = profile.crack_weights
        return self.cracks.see(image, own if own.size else None)

    def accept(self, profile: Profile) -> None:
        """Raises ArtefactRefusedError for a profile of other networks (I3)."""
        facts = profile.facts
        wanted: list[tuple[str, str | None]] = [(facts.backbone, self.model_set)]
        if facts.cracks is not None:
            wanted.append((facts.cracks.network, self.cracks.model_set if self.cracks else None))
        for theirs, ours in wanted:
            if ours is None or self.whose(theirs, ours) != ours:
                raise ArtefactRefusedError(
                    f"The profile of {profile.product} was made with the model set {theirs}, "
                    f"this is {ours or 'no crack network'}",
                    mend="Enrol the product anew under this model set, or run the profile's own",
                )
