"""The one engine port: a network is a function from an array to an array.

What it runs on is configuration: `load_engine` takes the name of a variant, which is also what
results and manifests name (I3). Memory stays flat because the arena, which keeps the largest block
of every shape it ever saw, is off, and because callers round their shapes with `bucket`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError, BadInputError, UnavailableError

if TYPE_CHECKING:
    import onnxruntime

CPU = "onnxruntime-cpu"
"""The variant that every model set is made and proven on."""
OPENVINO = "openvino-cpu"
PADDLE = "paddleocr-cpu"
"""No engine of ours: lines come from another process (vision/adapters/paddle.py)."""
DEFAULT_PROVIDERS = ("CPUExecutionProvider",)
_PROVIDERS = {
    CPU: DEFAULT_PROVIDERS,
    "onnxruntime-cuda": ("CUDAExecutionProvider", *DEFAULT_PROVIDERS),
    "onnxruntime-tensorrt": (
        "TensorrtExecutionProvider",
        "CUDAExecutionProvider",
        *DEFAULT_PROVIDERS,
    ),
}
VARIANTS = (*_PROVIDERS, OPENVINO)
"""Runtimes of our own; any network of 32-bit floats can be tried on them."""
_EIGHT_BITS = "-int8"
CPU_INT8 = CPU + _EIGHT_BITS
OPENVINO_INT8 = OPENVINO + _EIGHT_BITS
INSPECT_VARIANTS = (*VARIANTS, CPU_INT8, OPENVINO_INT8)
"""What a defect backbone may be proven on: the last two run its 8-bit file."""


class Engine(Protocol):
    """A loaded network with one input."""

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """`batch` as the network wants it, usually (n, channels, h, w); one array per output."""
        ...


@dataclass(frozen=True, slots=True)
class OnnxEngine:
    """An onnxruntime session. Safe to call from several threads at once."""

    session: onnxruntime.InferenceSession
    input_name: str

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        threads: int = 1,
        providers: Sequence[str] = DEFAULT_PROVIDERS,
        keep_arena: bool = False,
    ) -> OnnxEngine:
        """Load the network in `path`.

        `keep_arena` trades memory for a little speed where every call has the same shape.
        Raises UnavailableError for a provider that this build lacks, ArtefactRefusedError for a
        file that is no network.
        """
        return cls._open(str(path), path.name, threads, providers, keep_arena=keep_arena)

    @classmethod
    def load_bytes(cls, file: bytes, *, name: str, threads: int = 1) -> OnnxEngine:
        """As `load` on the CPU with its arena kept, for a network's file that is in memory."""
        return cls._open(file, name, threads, DEFAULT_PROVIDERS, keep_arena=True)

    @classmethod
    def _open(
        cls,
        source: str | bytes,
        name: str,
        threads: int,
        providers: Sequence[str],
        *,
        keep_arena: bool,
    ) -> OnnxEngine:
        import onnxruntime as ort

        missing = [one for one in providers if one not in ort.get_available_providers()]
        if missing:
            raise UnavailableError(
                f"onnxruntime here has no {', '.join(missing)}",
                mend=f"Choose from {', '.join(ort.get_available_providers())}",
            )
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = keep_arena
        options.enable_mem_pattern = keep_arena
        # Workers may spin within a run; between runs the second core belongs to the rest of the
        # station.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.log_severity_level = 3
        try:
            session = ort.InferenceSession(source, options, providers=list(providers))
        except Exception as error:  # onnxruntime raises a dozen unrelated classes of its own
            raise ArtefactRefusedError(
                f"{name} cannot be loaded as a network: {error}",
                mend="Install the model set again; its manifest names the right hash",
            ) from error
        return cls(session, session.get_inputs()[0].name)

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        return tuple(self.session.run(None, {self.input_name: batch}))


def load_engine(
    path: Path,
    *,
    variant: str = CPU,
    threads: int = 1,
    parallel: int = 1,
    keep_arena: bool = False,
) -> Engine:
    """Load the network in `path` to run on `variant`.

    One run uses `threads` threads; about `parallel` runs are expected at once; `keep_arena` trades
    memory for speed where few shapes come by. Raises BadInputError for a variant that nobody knows, UnavailableError
    for one that is not installed, ArtefactRefusedError for a file that is no network. Variants in
    8 bits run on the same runtimes: what differs is the file (`network_file`).
    """
    variant = variant.removesuffix(_EIGHT_BITS)
    if variant == OPENVINO:
        from vision.adapters.openvino import OpenVinoEngine, OpenVinoShapes

        if keep_arena:
            return OpenVinoShapes(path, threads=threads, parallel=parallel)
        return OpenVinoEngine.load(path, threads=threads, parallel=parallel)
    if variant not in _PROVIDERS:
        raise BadInputError(
            f"No engine is called {variant!r}", mend=f"Choose from {', '.join(VARIANTS)}"
        )
    return OnnxEngine.load(
        path, threads=threads, providers=_PROVIDERS[variant], keep_arena=keep_arena
    )


def network_file(stem: str, variant: str) -> str:
    """The file of a set that `variant` runs: `STEM.onnx`, `STEM.int8.onnx` for those in 8 bits."""
    return f"{stem}.int8.onnx" if variant.endswith(_EIGHT_BITS) else f"{stem}.onnx"


def bucket(length: int, *, step: int, most: int) -> int:
    """`length` rounded up to a multiple of `step`, at most `most`: few shapes, flat memory."""
    return min(most, max(step, -(-length // step) * step))
