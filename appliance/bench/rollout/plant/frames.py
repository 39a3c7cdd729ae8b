"""Pictures for light stations where nobody brings real ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from appliance.demo.goods import goods_frame
from appliance.demo.story import Defect, Goods

_COUNT, _SIDE = 24, 192


def drawn(folder: Path) -> Path:
    """Sound and cracked goods, half and half; the folder."""
    folder.mkdir(parents=True)
    for number in range(_COUNT):
        defect = Defect.CRACK if number % 2 else Defect.NONE
        picture = goods_frame(Goods.BISCUITS, np.random.default_rng(number), defect)
        small = cv2.resize(picture, (_SIDE, _SIDE))
        cv2.imwrite(str(folder / f"{number:02d}.jpg"), small)
    return folder
