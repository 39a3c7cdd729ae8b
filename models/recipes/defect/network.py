"""The first half of EfficientNet-Lite0 as a plain list of layers.

The architecture is the published one (Tan and Le, arXiv 1905.11946, table 1, in the Lite variant:
no squeeze-and-excitation, ReLU6 for swish, the stem is not scaled). We stop at stride 16: the
features of a defect check come from strides 8 and 16, what lies deeper knows classes, not
surfaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

BATCH_NORM_EPSILON = 1e-3
MEAN, DEVIATION = 127.0, 128.0
"""How the weights were trained: (value - 127) / 128, RGB."""


@dataclass(frozen=True, slots=True)
class Block:
    """One MBConv block. `expand` is the factor before the depthwise filter."""

    index: int
    inputs: int
    outputs: int
    kernel: int
    stride: int
    expand: int

    @property
    def residual(self) -> bool:
        return self.stride == 1 and self.inputs == self.outputs


_STAGES = (
    # repeats, kernel, stride, expand, outputs
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
)
STEM_OUTPUTS = 32
TAPS = (4, 10)
"""The last block at stride 8 (40 channels) and the last at stride 16 (112 channels)."""


def blocks() -> list[Block]:
    """Blocks 0 to 10, in order."""
    widths = [STEM_OUTPUTS, *(stage[-1] for stage in _STAGES)]
    found: list[Block] = []
    for (inputs, outputs), (repeats, kernel, stride, expand, _) in zip(
        pairwise(widths), _STAGES, strict=True
    ):
        for repeat in range(repeats):
            found.append(
                Block(
                    index=len(found),
                    inputs=inputs if repeat == 0 else outputs,
                    outputs=outputs,
                    kernel=kernel,
                    stride=stride if repeat == 0 else 1,
                    expand=expand,
                )
            )
    return found
