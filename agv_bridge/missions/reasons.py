"""Why a mission did not go as ordered: the codes that the core keeps and pages show."""

from __future__ import annotations

REJECTED = "agv_rejected"
NO_ANSWER = "agv_no_answer"
REFUSED_BY_ALL = "agv_refused_by_all"
FORGOT_ORDER = "agv_forgot_order"
FORGOT_LOAD = "agv_forgot_load"
LOST_BEFORE_PICK = "agv_lost_before_pick"
LOST_WITH_LOAD = "agv_lost_with_load"
SILENT = "agv_silent"
PICK_FAILED = "agv_pick_failed"
DROP_FAILED = "agv_drop_failed"
LOAD_MISSING = "agv_load_missing"
LOAD_REMAINS = "agv_load_remains"
LOAD_MISMATCH = "agv_load_mismatch"
OVERDUE = "agv_overdue"
KNOWN = "agv_failed_before"
"""Failed before this process began; its ticket says why."""

NOT_AGAIN = frozenset({REJECTED, NO_ANSWER})
"""After these the same vehicle is not asked again for a while; a lost or rebooted one may be."""
BACK_TO_QUEUE = frozenset({LOST_BEFORE_PICK, FORGOT_ORDER})
"""Goods that nobody took may be fetched by another; any other trouble needs a person."""
