"""Pools of fonts that share no family, so that what is judged was never trained on."""

from models.recipes.label_reader.fonts import FREE, families

AS_DECLARED = "as the package says"


def test_no_family_stands_in_two_pools():
    pools = {}
    for family in families():
        assert pools.setdefault(family.name, family.pool) == family.pool
        assert pools.setdefault(family.slug, family.pool) == family.pool


def test_every_pool_has_plain_fixed_width_chinese_and_raster_faces():
    for pool in ("train", "calibration", "second"):
        kinds = {family.kind for family in families() if family.pool == pool}
        assert {"sans", "mono", "cjk", "pixel"} <= kinds


def test_every_package_is_pinned_and_its_licence_is_free():
    for family in families():
        assert family.version
        assert family.licence in FREE | {AS_DECLARED}
        assert (family.licence == AS_DECLARED) == (family.origin == "npm")
