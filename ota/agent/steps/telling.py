"""When a box reports: at once what is new, now and then that nothing is."""

from __future__ import annotations

from collections.abc import Callable

from contracts.errors import ForbiddenError, NotSignedInError, UnavailableError
from contracts.ota import BoxReport
from ota.agent.ports import Hub
from ota.agent.settings import AgentSettings
from ota.agent.steps.reporting import signature


class Teller:
    """What could not be told is told later; nothing waits for it."""

    def __init__(
        self, hub: Hub, settings: AgentSettings, *, monotonic: Callable[[], float]
    ) -> None:
        self._hub, self._settings, self._monotonic = hub, settings, monotonic
        self._said: tuple[object, ...] = ()
        self._told_at = float("-inf")
        self._deaf = False

    def tell(self, report: BoxReport, *, moving: bool) -> None:
        """`moving`: figures in it change (a fetch, a probation, a shadow), so that it is sent as
        often as the box polls.
        """
        said, now = signature(report), self._monotonic()
        often = self._settings.poll_s if moving or self._deaf else self._settings.report_s
        if now < self._told_at + often and (said == self._said or self._deaf):
            return
        self._told_at = now
        try:
            self._hub.report(report)
        except (UnavailableError, ForbiddenError, NotSignedInError):
            self._deaf = True
        else:
            self._said, self._deaf = said, False
