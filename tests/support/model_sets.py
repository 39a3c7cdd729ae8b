"""Model sets as recipes leave them: small files, a card, figures with their bounds."""

from __future__ import annotations

from pathlib import Path

from ota.model_set import ModelSet, write_manifest

GATE = """
[[gate]]
figure = "measured.right_percent"
better = "higher"
may_lose = 0.5
limit = 80.0

[[gate]]
figure = "measured.wrong_percent"
better = "lower"
may_lose = 0.1
"""


def quality(right: float = 90.0, wrong: float = 0.2, gate: str = GATE) -> str:
    return f"[measured]\nright_percent = {right}\nwrong_percent = {wrong}\n{gate}"


def made_set(
    folder: Path,
    *,
    version: str = "1.0.0",
    name: str = "label_reader",
    kind: str = "label-reader",
    licence: str = "Apache-2.0",
    weights: bytes = b"weights",
    figures: str | None = None,
    variants: tuple[str, ...] = ("onnxruntime-cpu",),
    parity: dict[str, dict[str, object]] | None = None,
) -> ModelSet:
    """A set whose only network is `weights`; `figures` is its quality record."""
    folder.mkdir(parents=True)
    (folder / "net.onnx").write_bytes(weights)
    (folder / "charset.txt").write_text("0123456789", encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(f"# {name} {version}\n", encoding="utf-8")
    text = quality() if figures is None else figures
    if text:
        (folder / "quality.toml").write_text(text, encoding="utf-8")
    return write_manifest(
        folder,
        name=name,
        version=version,
        kind=kind,
        licence=licence,
        source="test",
        recipe="models/recipes/label_reader",
        variants=variants,
        parity=parity,
    )
