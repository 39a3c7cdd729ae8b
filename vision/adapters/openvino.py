"""Networks on Intel's OpenVINO runtime: an optional extra with a lock of its own.

    .venv/bin/pip install --no-deps --require-hashes -r requirements/openvino.lock

The networks stay the same ONNX files, computed in 32-bit floats: on processors that could do with
fewer bits, OpenVINO would otherwise take them, and decisions would differ from the proven ones.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ArtefactRefusedError, UnavailableError

if TYPE_CHECKING:
    import openvino

# Compiled kernels that are kept, a few for each shape. The default of 5,000 never ends growing.
_KEPT_KERNELS = 256
_KEPT_SHAPES = 4


@dataclass(frozen=True, slots=True)
class OpenVinoEngine:
    """A compiled network; implements vision.engine.Engine. Safe to call from several threads at
    once: a run takes a request that is free, and there are as many as ever ran at the same time.
    """

    network: openvino.CompiledModel
    free: queue.LifoQueue[openvino.InferRequest] = field(default_factory=queue.LifoQueue)

    @classmethod
    def load(cls, path: Path, *, threads: int = 1, parallel: int = 1) -> OpenVinoEngine:
        """Load the network in `path` for all shapes; `threads` and `parallel` as load_engine has
        them.

        Raises UnavailableError where OpenVINO is not installed, ArtefactRefusedError for a file
        that is no network.
        """
        return cls(_compiled(path, threads, parallel, None))

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        try:
            request = self.free.get_nowait()
        except queue.Empty:
            request = self.network.create_infer_request()
        found = request.infer([batch])
        answer = tuple(np.array(found[port]) for port in self.network.outputs)
        self.free.put(request)
        return answer


class OpenVinoShapes:
    """A network compiled anew for every shape that comes by, the last few kept: a quarter less time
    a run than one for all shapes, where a station's camera has one size. Implements
    vision.engine.Engine. Safe to call from several threads at once.
    """

    def __init__(self, path: Path, *, threads: int = 1, parallel: int = 1) -> None:
        """Raises as OpenVinoEngine.load."""
        self._path, self._threads, self._parallel = path, threads, parallel
        self._shapes: dict[tuple[int, ...], OpenVinoEngine] = {}
        self._lock = threading.Lock()
        _read(path)

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        with self._lock:
            engine = self._shapes.pop(batch.shape, None) or self._open(batch.shape)
            # Back at the end: the first is the one that was not asked for longest.
            self._shapes[batch.shape] = engine
            if len(self._shapes) > _KEPT_SHAPES:
                self._shapes.pop(next(iter(self._shapes)))
        return engine.run(batch)

    def _open(self, shape: tuple[int, ...]) -> OpenVinoEngine:
        return OpenVinoEngine(_compiled(self._path, self._threads, self._parallel, shape))


def _compiled(
    path: Path, threads: int, parallel: int, shape: tuple[int, ...] | None
) -> openvino.CompiledModel:
    core, model = _read(path)
    if shape is not None:
        model.reshape(list(shape))
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads * parallel,
        "NUM_STREAMS": parallel,
        "ENABLE_CPU_PINNING": False,
        "CPU_RUNTIME_CACHE_CAPACITY": _KEPT_KERNELS,
    }
    try:
        return core.compile_model(model, "CPU", settings)
    except Exception as error:  # it raises RuntimeError and others of its own
        raise _refused(path, error) from error


def _read(path: Path) -> tuple[openvino.Core, openvino.Model]:
    try:
        import openvino
    except ImportError as error:
        raise UnavailableError(
            f"OpenVINO is not installed here ({error})",
            mend="pip install --no-deps --require-hashes -r requirements/openvino.lock, "
            'or engine = "onnxruntime-cpu"',
        ) from error
    core = openvino.Core()
    try:
        return core, core.read_model(str(path))
    except Exception as error:  # its frontends raise RuntimeError and others of their own
        raise _refused(path, error) from error


def _refused(path: Path, error: Exception) -> ArtefactRefusedError:
    return ArtefactRefusedError(
        f"{path.name} cannot be loaded as a network: {error}",
        mend="Install the model set again; its manifest names the right hash",
    )
