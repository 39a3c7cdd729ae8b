"""The queue of doubtful lines: many crops on a screen, answered from the keyboard or the thumb."""

from appliance.web.labelling.pages import labelling_router
from appliance.web.labelling.ports import LabelQueue

__all__ = ["LabelQueue", "labelling_router"]
