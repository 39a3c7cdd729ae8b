"""One error root. An error says what is wrong, where, and how to mend it, and carries a code."""

from __future__ import annotations


class TallymanError(Exception):
    """The root of everything we raise on purpose.

    `code` is stable (clients match on it), `message` says what and where, `mend` says what the
    reader can do about it, `data` holds the values a program would want.
    """

    code = "error"

    def __init__(self, message: str, *, mend: str = "", **data: object) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.data = data

    def __str__(self) -> str:
        return f"{self.message}. {self.mend}" if self.mend else self.message


class BadInputError(TallymanError):
    """A file, message or argument that cannot be used; nothing of it took effect."""

    code = "bad_input"


class BadFrameError(BadInputError):
    """A picture that cannot be decoded or is outside what a station accepts."""

    code = "bad_frame"


class BadAsnError(BadInputError):
    """An advance ship notice that cannot be imported; data has `file`, `line` where known."""

    code = "bad_asn"


class NotFoundError(TallymanError):
    code = "not_found"


class ConflictError(TallymanError):
    """The command contradicts what is already recorded (same key, another body; closed session)."""

    code = "conflict"


class HeldError(TallymanError):
    """I1: what the command would move is covered by a hold; data has `hold_ids`."""

    code = "held"


class InsufficientStockError(TallymanError):
    code = "insufficient_stock"


class ForbiddenError(TallymanError):
    """Signed in, but the role does not allow it."""

    code = "forbidden"


class NotSignedInError(TallymanError):
    code = "not_signed_in"


class JournalError(TallymanError):
    code = "journal"


class JournalFullError(JournalError):
    """The disk under the journal takes no more: the station stops accepting (I2)."""

    code = "journal_full"


class JournalBrokenError(JournalError):
    """A journal whose chain, signature or sequence does not hold; data has `seq`."""

    code = "journal_broken"


class ArtefactRefusedError(TallymanError):
    """I5: a model, profile or rule whose hash or signature does not hold."""

    code = "artefact_refused"


class UnavailableError(TallymanError):
    """An engine outside (hub, broker, database, camera) does not answer; work goes on without."""

    code = "unavailable"


class AlreadyRunningError(TallymanError):
    """Another process holds this data folder."""

    code = "already_running"
