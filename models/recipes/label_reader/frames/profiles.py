"""What sets two kinds of frames apart: words, date forms, layouts, heads, surfaces, damage.

`calibration` is for fitting the reader's confidence, `second` for judging it: other fonts, words,
layouts, grounds, print heads and kinds of damage, so that nothing tuned on one is tested on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from models.recipes.label_reader.frames.heads import Head


@dataclass(frozen=True, slots=True)
class Profile:
    """`batches` are patterns: A a letter, 9 a digit, anything else itself. `dates` are strftime
    patterns for labels, `dot_dates` those that a print head can lay down; a pattern that starts
    with `!` is used only where the day cannot be taken for the month.
    """

    name: str
    prefix: str
    """Of the frames' file names."""
    products: tuple[tuple[str, str], ...]
    batches: tuple[str, ...]
    captions: Mapping[str, tuple[str, ...]]
    dot_captions: Mapping[str, tuple[str, ...]]
    separators: tuple[str, ...]
    dates: tuple[str, ...]
    dot_dates: tuple[str, ...]
    layouts: tuple[str, ...]
    symbologies: tuple[str, ...]
    heads: tuple[Head, ...]
    zeros: tuple[str, ...]
    surfaces: tuple[str, ...]
    grounds: tuple[str, ...]
    inks: tuple[tuple[int, int, int], ...]
    """Of print heads, BGR."""
    damages: tuple[str, ...]
    contrasts: tuple[float, ...]
    motions: tuple[int, ...]
    wrinkles: tuple[float, ...]
    turn_degrees: float


CALIBRATION = Profile(
    name="calibration",
    prefix="cal",
    products=(
        ("花生酱", "Peanut Butter"),
        ("苹果汁", "Apple Juice 1L"),
        ("燕麦片", "Rolled Oats 500g"),
        ("番茄酱", "Tomato Ketchup"),
        ("洗衣液", "Laundry Liquid 2L"),
        ("牙膏", "Toothpaste Mint"),
        ("饼干", "Butter Biscuits"),
        ("面粉", "Wheat Flour 1kg"),
        ("酸奶", "Plain Yoghurt"),
        ("咖啡豆", "Coffee Beans"),
    ),
    batches=("L999999", "A99B99", "9999-999", "L99999A", "AA9999"),
    captions=MappingProxyType(
        {
            "gtin": ("GTIN", "EAN", "条码"),
            "batch": ("LOT", "LOT NO", "BATCH", "批号", "生产批号"),
            "expiry": ("EXP", "EXP DATE", "USE BY", "有效期至", "到期日"),
            "mfg": ("MFG", "PROD", "MFD", "生产日期"),
            "sku": ("SKU", "REF", "货号"),
            "qty": ("QTY", "PCS", "数量"),
        }
    ),
    dot_captions=MappingProxyType(
        {
            "batch": ("LOT", "BATCH", "LOT:", "BATCH:"),
            "expiry": ("EXP", "EXP:", "BBE", "USE BY"),
            "mfg": ("MFG", "PROD", "MFD:"),
            "gtin": ("", "GTIN"),
        }
    ),
    separators=(": ", ":", " ", "  "),
    dates=("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日"),
    dot_dates=("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    layouts=("list", "columns", "symbol_left", "footer"),
    symbologies=("GS1-128", "GS1-128", "DataMatrix", "QR"),
    heads=(
        Head("5x7", 5, 7),
        Head("5x7b", 5, 7, bold=2),
        Head("6x8", 6, 8),
        Head("7x7", 7, 7, bold=2),
    ),
    zeros=("plain", "plain", "slashed", "dotted"),
    surfaces=("kraft", "kraft", "recycled", "corrugated"),
    grounds=("belt", "floor"),
    inks=((34, 32, 34), (44, 36, 34), (52, 48, 110), (40, 38, 52)),
    damages=("water", "ink", "glare", "tear", "smear", "abrade"),
    contrasts=(1.0, 0.85, 0.65, 0.5),
    motions=(0, 0, 3, 5, 7),
    wrinkles=(0.0, 1.5, 3.5, 6.0),
    turn_degrees=8.0,
)

SECOND = Profile(
    name="second",
    prefix="sec",
    products=(
        ("蜂蜜", "Acacia Honey 450g"),
        ("纸巾", "Facial Tissue 3-ply"),
        ("豆奶粉", "Soya Milk Powder"),
        ("电池", "AA Batteries 24s"),
        ("护手霜", "Hand Cream 75ml"),
        ("米醋", "Rice Vinegar"),
        ("黑巧克力", "Dark Chocolate 70%"),
        ("金枪鱼罐头", "Tuna in Brine"),
        ("洗洁精", "Dish Soap Lemon"),
        ("速冻水饺", "Frozen Dumplings"),
        ("葵花籽油", "Sunflower Oil 5L"),
        ("婴儿奶粉", "Infant Formula 2"),
    ),
    batches=(
        "9999999",
        "AA-99999",
        "A99/9999",
        "99A999",
        "A9A999",
        "9A99-A9",
        "99999999A",
        "AAA999",
    ),
    captions=MappingProxyType(
        {
            "gtin": ("EAN", "商品条码", "GTIN-14", "UPC/EAN"),
            "batch": ("B/N", "Lot no.", "Batch No.", "批次", "生产批号", "Lot"),
            "expiry": ("Best before", "Best by", "保质期至", "Use before", "限用日期", "Expiry"),
            "mfg": ("Produced", "Packed", "制造日期", "PKD", "包装日期"),
            "sku": ("Art.-Nr.", "Ref.", "货号", "Code"),
            "qty": ("Pcs/CTN", "Count", "数量", "Units"),
        }
    ),
    dot_captions=MappingProxyType(
        {
            "batch": ("B/N", "LOT NO.", "L:", "BATCH NO."),
            "expiry": ("BEST BEFORE", "BB", "E:", "USE BEFORE", "EXPIRY"),
            "mfg": ("PKD", "PRODUCED", "P:"),
            "gtin": ("", "EAN"),
        }
    ),
    separators=(" ", ": ", " : ", "   "),
    dates=("%d.%m.%Y", "%Y年%m月%d日", "%d %b %Y", "%b %d %Y", "%Y-%m-%d", "!%d/%m/%Y", "%Y %m %d"),
    dot_dates=("%d.%m.%Y", "%d %b %Y", "%b %d %Y", "!%d/%m/%Y", "%Y %m %d", "!%d-%m-%Y"),
    layouts=("captions_above", "table", "right_aligned", "two_column", "pallet"),
    symbologies=("GS1-128", "DataMatrix", "QR", "GS1-128"),
    heads=(
        Head("7x9", 7, 9),
        Head("5x5", 5, 5),
        Head("16-dot", 9, 15, bold=2, tall=2),
        Head("thermal", 11, 18, bold=3, tall=3, thermal=True),
        Head("7x9b", 7, 9, bold=2),
    ),
    zeros=("plain", "slashed", "dotted"),
    surfaces=("white", "printed", "wrapped", "wood", "dark"),
    grounds=("rollers", "concrete", "pallet"),
    inks=((30, 30, 30), (92, 44, 28), (36, 30, 60), (48, 56, 30)),
    damages=("water", "glare", "tear", "smear", "abrade", "tape", "marker", "crease", "mould"),
    contrasts=(1.0, 0.9, 0.75, 0.6),
    motions=(0, 0, 2, 4, 6),
    wrinkles=(0.0, 1.0, 2.5, 5.0),
    turn_degrees=10.0,
)

PROFILES = MappingProxyType({profile.name: profile for profile in (CALIBRATION, SECOND)})
