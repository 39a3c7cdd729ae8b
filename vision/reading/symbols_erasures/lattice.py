"""Find the module lattice of a matrix code, also where the label is wrinkled or partly gone.

Edges between modules lie on a lattice. The strength of edges along one axis, multiplied by a wave
of the lattice's own pitch and smoothed, is a complex field whose angle says how far the lattice is
displaced at each place (phase demodulation as in fringe analysis: Takeda et al. 1982, "Fourier-
transform method of fringe-pattern analysis"). Damage has no edges at that pitch, so it has no say:
there the field is carried on from around.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

PATCH_PX = 224
_FEWEST, _MOST = 12, 64
"""Modules across a patch."""
_STANDS_OUT = 6.0
_DEGREE = 5
_CELL_PX = 7
"""The phase is smooth: it is worked on in cells of about a module."""
_PULL = 0.15
_ROUNDS = 4
_STEP_SURROUNDINGS = (1.0, 1.0)
_ANGLE_SURROUNDINGS = (2.0, 1.5)
_LAST_SURROUNDINGS = 1.2

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lattice:
    """`pitch` (2,) in patch pixels along x and y; `phase` (2, cells, cells) in modules, so that
    edges lie where x / pitch - phase is a whole number.
    """

    pitch: Floats
    phase: Floats

    def points(self, count: int) -> Floats:
        """Patch coordinates (count, count, 2), x and y, of the middles of modules, row by row,
        the middle one about in the middle of the patch.
        """
        start = np.round(PATCH_PX / 2 / self.pitch - count / 2)
        row, column = np.mgrid[0:count, 0:count]
        wanted = np.stack([column + start[0] + 0.5, row + start[1] + 0.5])
        at = wanted * self.pitch[:, None, None]
        for _ in range(_ROUNDS):
            cells = (at / _CELL_PX - 0.5).astype(np.float32)
            moved = np.stack(
                [
                    cv2.remap(
                        plane.astype(np.float32),
                        cells[0],
                        cells[1],
                        cv2.INTER_LINEAR,
                        borderMode=cv2.BORDER_REPLICATE,
                    )
                    for plane in self.phase
                ]
            )
            at = (wanted + moved) * self.pitch[:, None, None]
        return at.transpose(1, 2, 0)


def find_lattice(grey: NDArray[np.float32]) -> Lattice | None:
    """The lattice in a patch (PATCH_PX, PATCH_PX), its lines about along x and y; None where no
    pitch stands out, as in text.
    """
    edges = (np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)), np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1)))
    spectra = [_spectrum(edges[0]), _spectrum(edges[1].T)]
    # Both axes have about one pitch; where motion has wiped out one of them, the other tells.
    joint = spectra[0] / spectra[0].max() + spectra[1] / spectra[1].max()
    modules = _FEWEST + int(np.argmax(joint[_FEWEST : _MOST + 1]))
    if joint[modules] < _STANDS_OUT * np.median(joint[_FEWEST : _MOST + 1]):
        return None
    waves = [_near(spectrum, modules) for spectrum in spectra]
    phase = [_phase(edges[0], waves[0]), _phase(np.ascontiguousarray(edges[1].T), waves[1]).T]
    return Lattice(PATCH_PX / np.array(waves), np.stack(phase))


def _spectrum(edges: NDArray[np.float32]) -> Floats:
    """Power by waves per patch, of edges along x, mean of all rows. Half waves between."""
    rows = edges - edges.mean(axis=1, keepdims=True)
    rows *= np.hanning(edges.shape[1]).astype(np.float32)
    power = np.abs(np.fft.rfft(rows, axis=1)) ** 2
    mean: Floats = power.mean(axis=0).astype(np.float64)
    smooth = np.convolve(mean, [0.25, 0.5, 0.25], mode="same")
    smooth[: _FEWEST // 2] = 0
    return smooth[: _MOST + 8]


def _near(spectrum: Floats, modules: int) -> float:
    """The strongest wave near the joint one, between whole numbers."""
    low, high = max(1, round(0.88 * modules)), round(1.12 * modules) + 1
    k = low + int(np.argmax(spectrum[low:high]))
    a, b, c = spectrum[k - 1 : k + 2]
    bend = a - 2 * b + c
    shift = 0.5 * (a - c) / bend if bend < 0 else 0.0
    return k + float(np.clip(shift, -0.5, 0.5))


def _phase(edges: NDArray[np.float32], waves: float) -> Floats:
    """Displacement (cells, cells) in modules, of edges along x of a patch."""
    x = np.arange(PATCH_PX, dtype=np.float64) + 0.5
    wave = np.exp(2j * np.pi * waves * x / PATCH_PX)
    cells = PATCH_PX // _CELL_PX
    turned = edges.reshape(cells, _CELL_PX, PATCH_PX).sum(axis=1) * wave[None]
    field = turned.reshape(cells, cells, _CELL_PX).sum(axis=2)
    module = PATCH_PX / waves / _CELL_PX
    fitted = np.zeros((cells, cells))
    # Steps between neighbours first, since they are small wherever the surface goes; then what is
    # left of the angles, in ever smaller surroundings.
    for sigma in _STEP_SURROUNDINGS:
        left = _smooth(field * np.exp(-1j * fitted), sigma * module)
        fitted = fitted + _by_steps(left)
        fitted = fitted + np.angle(np.sum(field * np.exp(-1j * fitted)))
    for sigma in _ANGLE_SURROUNDINGS:
        left = _smooth(field * np.exp(-1j * fitted), sigma * module)
        fitted = fitted + np.tensordot(_solve(_flat_basis(), left.ravel()), _basis(), axes=1)
    left = _smooth(field * np.exp(-1j * fitted), _LAST_SURROUNDINGS * module)
    strength = np.abs(left)
    total: Floats = (fitted + np.angle(left + _PULL * np.median(strength))) / (2 * np.pi)
    return total


def _by_steps(left: NDArray[np.complex128]) -> Floats:
    """A smooth surface whose steps are those of the angles of a field."""
    basis = _basis()[1:]
    down = (left[1:] * np.conj(left[:-1])).ravel()
    across = (left[:, 1:] * np.conj(left[:, :-1])).ravel()
    columns = np.concatenate(
        [
            (basis[:, 1:] - basis[:, :-1]).reshape(len(basis), -1),
            (basis[:, :, 1:] - basis[:, :, :-1]).reshape(len(basis), -1),
        ],
        axis=1,
    )
    found: Floats = np.tensordot(_solve(columns, np.concatenate([down, across])), basis, axes=1)
    return found


def _solve(columns: Floats, turns: NDArray[np.complex128]) -> Floats:
    weight = np.abs(turns)
    weight = np.minimum(weight, np.quantile(weight, 0.8))
    weighted = columns * weight
    normal = weighted @ columns.T
    normal += 1e-4 * np.trace(normal) / len(normal) * np.eye(len(normal))
    found: Floats = np.linalg.solve(normal, weighted @ np.angle(turns))
    return found


@cache
def _basis() -> Floats:
    """Legendre polynomials (k, cells, cells) of both axes, the constant one first."""
    x = np.linspace(-1, 1, PATCH_PX // _CELL_PX)
    line = np.polynomial.legendre.legvander(x, _DEGREE).T
    return np.array(
        [
            line[i][:, None] * line[total - i][None]
            for total in range(_DEGREE + 1)
            for i in range(total + 1)
        ]
    )


@cache
def _flat_basis() -> Floats:
    basis = _basis()
    return basis.reshape(len(basis), -1)


def _smooth(field: NDArray[np.complex128], sigma: float) -> NDArray[np.complex128]:
    parts = np.stack([field.real, field.imag], axis=2).astype(np.float32)
    soft = cv2.GaussianBlur(parts, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    return soft[:, :, 0].astype(np.float64) + 1j * soft[:, :, 1]
