"""The crack network at work: a picture in, where it looks cracked out.

The base weights come with a model set; a product's own weights, made at enrolment, are put into the
same file in memory. Sessions are kept by weights, the last few.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError
from vision.defects.cracks.channels import channels, grey_at_work
from vision.defects.cracks.shape import LAYERS, NUMBERS, UNSHUFFLE, Weights, packed, unpacked
from vision.engine import OnnxEngine

FILE, PLACES = "cracks.onnx", "places.json"
PEAK_PLACES = 25
"""A picture's score is the mean of so many places, each of 2 x 2 px."""
_KEPT = 4
_RIM_PLACES = 8
_MEND = "Install the model set again"


@dataclass(frozen=True, slots=True)
class CrackNetwork:
    """Safe to call from several threads at once."""

    model_set: str
    base: Weights
    _file: bytes
    _places: dict[str, int]
    _threads: int
    _sessions: OrderedDict[str, OnnxEngine] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def load(cls, folder: Path, *, model_set: str, threads: int = 1) -> CrackNetwork:
        """`folder` holds cracks.onnx and places.json, `model_set` is its verified digest.

        Raises ArtefactRefusedError for files that do not belong together.
        """
        try:
            file = (folder / FILE).read_bytes()
            places = json.loads((folder / PLACES).read_text())
            flat = np.concatenate(
                [
                    np.frombuffer(file, "<f4", count, places[name])
                    for layer in LAYERS
                    for name, count in (
                        (f"{layer.name}.weight", layer.weights),
                        (f"{layer.name}.bias", layer.channels_out),
                    )
                ]
            )
            base = unpacked(flat)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtefactRefusedError(
                f"{folder.name} is not a crack network: {error}", mend=_MEND
            ) from error
        network = cls(model_set, base, file, places, threads)
        network._session(None)
        return network

    def see(
        self, image: NDArray[np.uint8], weights: NDArray[np.float16] | None = None
    ) -> NDArray[np.float32]:
        """(h, w, 3) BGR -> (rows, columns) logits, one for each 2 x 2 px at working size.

        `weights` are the product's own (n,), as `learn_cracks` made them; None: the base.
        Raises ArtefactRefusedError for weights of another network.
        """
        seen = channels(grey_at_work(image))[None]
        (logits,) = self._session(weights).run(seen)
        found: NDArray[np.float32] = logits[0, 0]
        return found

    def _session(self, weights: NDArray[np.float16] | None) -> OnnxEngine:
        key = "" if weights is None else hashlib.sha256(weights.tobytes()).hexdigest()
        with self._lock:
            if key in self._sessions:
                self._sessions.move_to_end(key)
                return self._sessions[key]
            file = self._file if weights is None else self._with(weights)
            engine = OnnxEngine.load_bytes(file, name=FILE, threads=self._threads)
            self._sessions[key] = engine
            while len(self._sessions) > _KEPT:
                self._sessions.popitem(last=False)
            return engine

    def _with(self, weights: NDArray[np.float16]) -> bytes:
        if weights.shape != (NUMBERS,):
            raise ArtefactRefusedError(
                f"The profile's crack weights have the shape {weights.shape}, not ({NUMBERS},)",
                mend="Enrol the product anew under this model set",
            )
        file = bytearray(self._file)
        for name, (weight, bias) in unpacked(weights).items():
            for part, values in (("weight", weight), ("bias", bias)):
                data = values.astype("<f4").tobytes()
                at = self._places[f"{name}.{part}"]
                file[at : at + len(data)] = data
        return bytes(file)

    @property
    def base_numbers(self) -> NDArray[np.float16]:
        """The base weights as a profile would keep them."""
        return packed(self.base)


def crack_score(heat: NDArray[np.float32]) -> float:
    """(rows, columns) logits -> the mean of the 25 highest: about 100 px that look cracked.

    The outermost 16 px do not count: where a part ends at the border of the picture is a thin dark
    line that comes and goes with how the part lies.
    """
    inner = _inner(heat).ravel()
    count = min(PEAK_PLACES, inner.size)
    return float(np.partition(inner, -count)[-count:].mean())


def inner_peak(heat: NDArray[np.float32]) -> tuple[int, int]:
    """Row and column of the highest place that `crack_score` counts."""
    inner = _inner(heat)
    row, column = np.unravel_index(int(inner.argmax()), inner.shape)
    edge = (heat.shape[0] - inner.shape[0]) // 2
    return int(row) + edge, int(column) + edge


def _inner(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    edge = min(_RIM_PLACES, min(heat.shape) // 8)
    return heat[edge : heat.shape[0] - edge, edge : heat.shape[1] - edge]


PX_PER_PLACE = UNSHUFFLE
