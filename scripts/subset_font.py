# ruff: noqa: INP001 -- a script by itself, run by hand
"""Makes appliance/fonts/NotoSansSC-Regular.ttf: the font that PDFs carry.

    pip install fonttools
    npm pack @expo-google-fonts/noto-sans-sc@0.4.3 && tar xzf expo-google-fonts-noto-sans-sc-0.4.3.tgz
    python scripts/subset_font.py package/400Regular/NotoSansSC_400Regular.ttf

The whole font has 10 MB; what is kept is what GB 2312 has (6,763 Chinese characters), Latin with its
accents, Greek, punctuation, arrows and units. Other characters come from the system's fonts where it
has them. Licence: SIL Open Font License 1.1, beside the file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset

HERE = Path(__file__).resolve().parent.parent / "appliance" / "fonts"
RANGES = ((0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x2010, 0x2044), (0x20A0, 0x20BF),
          (0x2100, 0x214F), (0x2190, 0x21FF), (0x2200, 0x22FF), (0x2460, 0x2473), (0x25A0, 0x25FF),
          (0x2600, 0x2603), (0x2713, 0x2717), (0x3000, 0x303F), (0xFF00, 0xFFEF))  # fmt: skip


def characters() -> set[int]:
    """The code points that are kept."""
    kept = {code for low, high in RANGES for code in range(low, high + 1)}
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                kept.update(map(ord, bytes((row, cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return kept


def main(source: str) -> None:
    """Write the subset beside its licence."""
    wanted = subset.Options()
    wanted.hinting = False
    wanted.layout_features = ["kern", "tnum", "locl"]
    wanted.notdef_outline = True
    wanted.name_IDs = ["*"]
    font = subset.load_font(source, wanted)
    cut = subset.Subsetter(wanted)
    cut.populate(unicodes=characters())
    cut.subset(font)
    subset.save_font(font, str(HERE / "NotoSansSC-Regular.ttf"), wanted)


if __name__ == "__main__":
    main(sys.argv[1])
