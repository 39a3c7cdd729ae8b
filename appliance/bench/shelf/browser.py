"""The overlay in a real browser, frame by frame: how fast, how near, how steady, and never wrong.

The peer draws the last detection where it was; it hears the very same detections in the same run.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.bench.facts import median, percentile
from appliance.bench.shelf.chromium import Chromium, opened
from appliance.bench.shelf.film import number as frame_number
from appliance.bench.shelf.film.codes import Code, goods
from appliance.bench.shelf.film.film import HEIGHT, WIDTH, Film, Plan, Seen, speed_px_s
from appliance.bench.shelf.film.motion import HAND, STILL, WALK
from appliance.bench.shelf.film.y4m import write_y4m
from appliance.bench.shelf.judge import Account, held_errors, shown_of
from appliance.bench.shelf.stage import now, served, snapshot_of, stage_app
from contracts.errors import UnavailableError

Told = Callable[[str], None]
_LISTED = 200
"""Products on the stock list, those of the film among them."""
_NEAR_PX = 40.0
_MOST_S = 150.0
_WARM_MS = 2_000.0


@dataclass(frozen=True, slots=True)
class Scene:
    name: str
    plan: Plan
    share: float
    """Of the frames that are wanted in all."""


def scenes(seed: int, fps: int) -> tuple[Scene, ...]:
    twelve, forty = tuple(goods(12, seed=seed)), tuple(goods(40, seed=seed + 1))
    wide = Plan((twelve,), motion=WALK, fps=fps, frames=10 * fps, seed=seed)
    return (
        Scene("walk_12", wide, 0.5),
        Scene("still_12", dataclasses.replace(wide, motion=STILL), 0.1),
        Scene("hand_40", Plan((forty,), 6, 7, 1.6, HAND, 5 * fps, fps, seed=seed), 0.3),
        Scene("small_12", dataclasses.replace(wide, motion=HAND, module_px=1.2), 0.1),
    )


@dataclass
class Watched:
    """What one scene gave."""

    scene: Scene
    film: Film
    account: Account
    fps: float
    detections_per_s: float
    camera_fps: float
    """Different frames of the film a second: more the overlay cannot show."""
    unnumbered: int
    """Drawn frames whose number was covered: not judged."""
    held_px: list[float]
    shot_px: list[float]
    """Distances on screenshots of the composited page."""
    opened_ms: float

    def figures(self) -> dict[str, Any]:
        account = self.account
        settled = [round(each - self.opened_ms) for each in account.settled_ms]
        speeds = speed_px_s(self.film)
        return {
            "codes": len(self.film.plan.acts[0]),
            "module_px": self.film.plan.module_px,
            "speed_px_s_p50_p95": [round(percentile(speeds, each)) for each in (50, 95)],
            "frames": account.frames,
            "overlay_fps": self.fps,
            "camera_fps": self.camera_fps,
            "detections_per_s": self.detections_per_s,
            "anchor_p50_px": account.p50_px,
            "anchor_p95_px": account.p95_px,
            "screenshots_p50_px": round(percentile(self.shot_px, 50), 2),
            "screenshots_p95_px": round(percentile(self.shot_px, 95), 2),
            "screenshot_marks": len(self.shot_px),
            "jitter_rms_px": account.jitter_px,
            "held_p50_px": round(percentile(self.held_px, 50), 2),
            "held_p95_px": round(percentile(self.held_px, 95), 2),
            "wrong_overlays": len(account.wrong),
            "wrong": account.wrong[:5],
            "adrift": account.adrift,
            "phantoms": account.phantoms,
            "shown_percent": round(
                100 * account.right / max(1, account.right + account.missing), 1
            ),
            "codes_shown": len(settled),
            "half_shown_after_ms": round(median(settled)),
            "all_shown_after_ms": settled[-1] if settled else 0,
            "unnumbered_frames": self.unnumbered,
        }


def watch(
    folder: Path, *, frames: int, seed: int, fps: int, shots: int, only: Sequence[str], told: Told
) -> dict[str, Any]:
    """Every scene, and what they say together. `frames`: drawn frames in all. Raises
    UnavailableError without Chromium or Playwright.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise UnavailableError(
            "Playwright is not installed", mend="Set up with PROFILE=dev (make setup)"
        ) from error
    found = []
    with sync_playwright() as playwright:
        for scene in scenes(seed, fps):
            if only and scene.name not in only:
                continue
            told(f"{scene.name}: {scene.plan.frames} frames of film ...")
            place = folder / scene.name
            place.mkdir()
            wanted = max(30, round(frames * scene.share))
            found.append(_scene(playwright, scene, place, wanted, shots))
            # A film is several hundred megabytes.
            shutil.rmtree(place)
    return together(found)


def together(found: Sequence[Watched]) -> dict[str, Any]:
    """The headline figures: of the walk for speed and anchors, of the still for jitter, of all for
    wrong overlays.
    """
    scenes_of = {each.scene.name: each for each in found}
    told: dict[str, Any] = {
        "wrong_overlays": sum(len(each.account.wrong) for each in found),
        "browser_frames": sum(each.account.frames for each in found),
    }
    walk, still, forty = (scenes_of.get(name) for name in ("walk_12", "still_12", "hand_40"))
    if walk:
        figures = walk.figures()
        told |= {
            name: figures[name]
            for name in (
                "overlay_fps",
                "detections_per_s",
                "anchor_p50_px",
                "anchor_p95_px",
                "held_p50_px",
                "held_p95_px",
            )
        }
    if still:
        told["jitter_rms_px"] = still.account.jitter_px
    if forty:
        figures = forty.figures()
        told |= {
            "forty_shown": figures["codes_shown"],
            "forty_shown_after_ms": figures["all_shown_after_ms"],
        }
    return {**told, "scenes": {each.scene.name: each.figures() for each in found}}


def _scene(playwright: Any, scene: Scene, folder: Path, wanted: int, shots: int) -> Watched:
    film = Film(scene.plan)
    camera = folder / "film.y4m"
    write_y4m(camera, (film.picture(at) for at in range(len(film))), fps=scene.plan.fps)
    shown = scene.plan.acts[0]
    others = [each for each in goods(_LISTED, seed=7) if each not in shown]
    app = stage_app(snapshot_of([*shown, *others][:_LISTED], today=now()))
    with served(app) as url, opened(playwright, Chromium(folder / "phone", camera)) as context:
        page = context.new_page()
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        page.goto(f"{url}/shelf/stage/stage.html")
        page.wait_for_selector("body[data-state=ready]", state="attached")
        opened_ms = page.evaluate("() => globalThis.stage.open()")
        _until(page, wanted)
        taken = page.evaluate("() => globalThis.stage.take()")
        page.evaluate("() => globalThis.stage.begin(true)")
        _until(page, 5)
        pictures = [page.screenshot() for _ in range(shots)]
    return judged(scene, film, taken, pictures, opened_ms)


def _until(page: Any, frames: int) -> None:
    """Wait for so many drawn frames, or _MOST_S where it stands still."""
    until = time.monotonic() + _MOST_S
    while page.evaluate("() => globalThis.stage.frames()") < frames:
        if time.monotonic() > until:
            if page.evaluate("() => globalThis.stage.frames()"):
                return
            raise UnavailableError("The page drew no frame", mend="Look at its console")
        page.wait_for_timeout(200)


def judged(
    scene: Scene,
    film: Film,
    taken: dict[str, Any],
    pictures: Sequence[bytes],
    opened_ms: float,
) -> Watched:
    """The notes of the page and the screenshots, held to the film."""
    codes: Sequence[Code] = scene.plan.acts[0]
    account = Account(frozenset(each.gtin for each in codes))
    held: list[float] = []
    unnumbered = 0
    truth = [film.truth(at) for at in range(len(film))]
    drawn = taken["drawn"]
    for each in drawn:
        number = each["number"]
        if number is None or number >= len(film):
            unnumbered += 1
            continue
        shown = [shown_of(row) for row in each["shown"]]
        account.add(number, each["at_ms"], shown, truth[number])
        held += held_errors([(row[0], row[1:]) for row in each["held"]], truth[number])
    times = [each["at_ms"] for each in drawn]
    # Scripts are compiled and the camera begins: afterwards is what a person sees.
    begin = times[0] + _WARM_MS if times and times[-1] - times[0] > 2 * _WARM_MS else 0.0
    warm = [each for each in drawn if each["at_ms"] >= begin]
    seconds = (warm[-1]["at_ms"] - warm[0]["at_ms"]) / 1000 if len(warm) > 1 else 0.0
    changes = sum(one["number"] != two["number"] for one, two in pairwise(warm))
    detected = sum(begin <= at <= times[-1] for at in taken["detections"])

    def a_second(number: float) -> float:
        return round(number / seconds, 1) if seconds else 0.0

    return Watched(
        scene,
        film,
        account,
        fps=a_second(len(warm) - 1),
        detections_per_s=a_second(detected),
        camera_fps=a_second(changes),
        unnumbered=unnumbered,
        held_px=held,
        shot_px=[error for each in pictures for error in _measured(each, truth)],
        opened_ms=opened_ms,
    )


def _measured(png: bytes, truth: Sequence[Sequence[Seen]]) -> list[float]:
    """How far the crosses on a screenshot are from the anchors of the frame that it shows."""
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    picture: NDArray[np.uint8] = np.asarray(decoded, np.uint8)
    number = frame_number.read(np.ascontiguousarray(picture[:HEIGHT, :WIDTH, 1]))
    if number is None or number >= len(truth):
        return []
    magenta = (picture[..., 0] > 200) & (picture[..., 1] < 60) & (picture[..., 2] > 200)  # noqa: PLR2004 -- of 255
    _, _, _, middles = cv2.connectedComponentsWithStats(magenta.astype(np.uint8))
    anchors = np.array([each.anchor for each in truth[number] if each.whole])
    errors = []
    for x, y in middles[1:] + 0.5:
        away = [hypot(x - one, y - two) for one, two in anchors]
        if away and min(away) < _NEAR_PX:
            errors.append(min(away))
    return errors
