"""PaddleOCR in a process of its own: frames in by a Unix socket, lines of text out.

    PYTHON -I paddle_program.py SOCKET MODELS THREADS

PYTHON is that of an environment made from requirements/paddle.lock, which brings another OpenCV
than ours; this file needs nothing else and imports nothing of ours. MODELS holds `det` and `rec`,
each with inference.onnx and inference.yml. Nothing is downloaded, and nothing is listened to but
the socket, which appears when the reader is ready.

Both directions: four bytes of length (big endian), then so many bytes of JSON. A frame is
{"height": h, "width": w} and h * w * 3 bytes of BGR behind it; the answer is
{"lines": [{"text", "score", "quad": [[x, y] * 4]}]} in frame pixels, or {"error": "..."}.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_HEADER_BYTES = 1 << 20
MOST_PIXELS = 50_000_000

Lines = list[dict[str, Any]]


def receive(connection: socket.socket, count: int) -> bytearray:
    """Exactly `count` bytes. Raises EOFError where the other side ends before that."""
    data = bytearray(count)
    view = memoryview(data)
    while view:
        got = connection.recv_into(view)
        if not got:
            raise EOFError(f"the other side ended with {len(view)} of {count} bytes to come")
        view = view[got:]
    return data


def receive_json(connection: socket.socket) -> bytes:
    """One length and the JSON behind it. Raises EOFError, ValueError for an absurd length."""
    length = int.from_bytes(receive(connection, 4), "big")
    if length > MOST_HEADER_BYTES:
        raise ValueError(f"a message of {length} bytes")
    return bytes(receive(connection, length))


def send_json(connection: socket.socket, text: bytes) -> None:
    connection.sendall(len(text).to_bytes(4, "big") + text)


def load(models: Path, threads: int) -> Callable[[bytearray, int, int], Lines]:
    """PaddleOCR on onnxruntime with the networks in `models`, as a function of a frame."""
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    os.environ["HF_HUB_OFFLINE"] = "1"
    # It wants a folder to write to; ours is the one that the socket stands in.
    os.environ["PADDLE_PDX_CACHE_HOME"] = str(Path.cwd())
    import numpy as np
    import paddleocr
    import yaml

    def name(part: str) -> str:
        about = (models / part / "inference.yml").read_text(encoding="utf-8")
        return str(yaml.safe_load(about)["Global"]["model_name"])

    ocr = paddleocr.PaddleOCR(
        text_detection_model_name=name("det"),
        text_detection_model_dir=str(models / "det"),
        text_recognition_model_name=name("rec"),
        text_recognition_model_dir=str(models / "rec"),
        text_recognition_batch_size=1,
        text_det_limit_side_len=960,
        text_det_limit_type="max",
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
        device="cpu",
        engine="onnxruntime",
        engine_config={
            "intra_op_num_threads": threads,
            "inter_op_num_threads": 1,
            "enable_cpu_mem_arena": False,
            "enable_mem_pattern": False,
        },
    )

    def read(pixels: bytearray, height: int, width: int) -> Lines:
        frame = np.frombuffer(pixels, dtype=np.uint8).reshape(height, width, 3)
        found = ocr.predict(frame)[0]
        return [
            {"text": text, "score": float(score), "quad": [[float(x), float(y)] for x, y in quad]}
            for text, score, quad in zip(
                found["rec_texts"], found["rec_scores"], found["rec_polys"], strict=True
            )
        ]

    read(bytearray(320 * 320 * 3), 320, 320)
    return read


def answer(connection: socket.socket, read: Callable[[bytearray, int, int], Lines]) -> None:
    """Read frames from one connection until it ends."""
    while True:
        header = json.loads(receive_json(connection))
        height, width = int(header["height"]), int(header["width"])
        if not 0 < height * width <= MOST_PIXELS or min(height, width) < 1:
            raise ValueError(f"a frame of {width} x {height}")
        pixels = receive(connection, height * width * 3)
        try:
            said: dict[str, object] = {"lines": read(pixels, height, width)}
        except Exception as error:  # noqa: BLE001 -- whatever it raises is told to the other side
            said = {"error": f"{type(error).__name__}: {error}"}
        send_json(connection, json.dumps(said).encode())


def main(path: Path, models: Path, threads: int) -> None:
    read = load(models, threads)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        path.unlink(missing_ok=True)
        server.bind(str(path))
        server.listen()
        while True:
            connection, _ = server.accept()
            with connection:
                try:
                    answer(connection, read)
                except EOFError:
                    continue
                except (OSError, ValueError, KeyError, TypeError) as error:
                    sys.stderr.write(f"connection closed: {error}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
