"""The training itself, in the environment of requirements/yolo.lock and a process of its own.

    PYTHON -I program.py SETTINGS.json

make.py starts it and reads what it says: one JSON object a line, `{"epoch": 3, "of": 40}` while it
learns, `{"onnx": PATH}` when it is done. It imports Ultralytics (AGPL-3.0), which the appliance
never does; it asks nothing of any network, and what it learned starts from random numbers or from
weights that the site itself has.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

# Before the import: Ultralytics reads them once.
QUIET = {
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
    "HF_HUB_OFFLINE": "1",
    "WANDB_MODE": "disabled",
}


def supply_nms() -> None:
    """Gives torchvision its `nms` in plain torch, where only a build without it can be had.

    The package as it is published expects the libraries of a graphics card; without them its
    own operators are missing and its import fails at the first one that it describes.
    """
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

    def nms(dets: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
        area = (dets[:, 2:] - dets[:, :2]).clamp(min=0).prod(dim=1)
        left, kept = scores.argsort(descending=True), []
        while len(left):
            first, others = left[0], left[1:]
            kept.append(first)
            low = torch.maximum(dets[first, :2], dets[others, :2])
            high = torch.minimum(dets[first, 2:], dets[others, 2:])
            shared = (high - low).clamp(min=0).prod(dim=1)
            overlap = shared / (area[first] + area[others] - shared).clamp(min=1e-9)
            left = others[overlap <= iou_threshold]
        return torch.stack(kept) if kept else torch.empty(0, dtype=torch.long)

    library.impl("nms", nms, "CPU")
    globals()["_kept_alive"] = library
    import torchvision.extension

    torchvision.extension._has_ops = lambda: True  # noqa: SLF001 -- it asks only for its own files
    torchvision.extension._assert_has_ops = lambda: None  # noqa: SLF001 -- as above


def has_own_nms() -> bool:
    """Whether the torchvision that is installed runs as it is."""
    try:
        import torchvision

        return bool(torchvision.extension._has_ops())  # noqa: SLF001 -- there is no public question
    except (ImportError, RuntimeError, AttributeError):
        for name in [each for each in sys.modules if each.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        return False


def say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def train(settings: dict[str, object], work: Path) -> Path:
    """Learns, exports, and answers the path of the ONNX file."""
    import torch

    torch.set_num_threads(int(str(settings["threads"])))
    if not has_own_nms():
        supply_nms()
    import ultralytics

    ultralytics.settings.update({"sync": False})
    model = ultralytics.YOLO(str(settings["start_from"]), task="detect")
    epochs = int(str(settings["epochs"]))
    model.add_callback(
        "on_train_epoch_end", lambda trainer: say(epoch=trainer.epoch + 1, of=epochs)
    )
    model.train(
        data=str(settings["data"]),
        epochs=epochs,
        imgsz=int(str(settings["side_px"])),
        batch=int(str(settings["batch"])),
        seed=int(str(settings["seed"])),
        deterministic=True,
        device=str(settings["device"]),
        workers=0,
        amp=False,
        plots=False,
        verbose=False,
        # The last epochs see whole pictures, as the station will.
        close_mosaic=max(1, epochs // 4),
        project=str(work),
        name="run",
        exist_ok=True,
    )
    best = work / "run" / "weights" / "best.pt"
    if not best.is_file():
        best = work / "run" / "weights" / "last.pt"
    learned = ultralytics.YOLO(str(best), task="detect")
    made = learned.export(
        format="onnx", imgsz=int(str(settings["side_px"])), opset=17, simplify=False, dynamic=False
    )
    return Path(str(made))


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    work = Path(settings["work"])
    os.environ.update(QUIET, YOLO_CONFIG_DIR=str(work))
    os.chdir(work)
    # Ultralytics prints for people; what we say is for the program that waits.
    told, sys.stdout = sys.stdout, sys.stderr
    globals()["say"] = lambda **facts: (told.write(json.dumps(facts) + "\n"), told.flush())
    say(onnx=str(train(settings, work)))


if __name__ == "__main__":
    main()
