"""The roots of the tree: what every error of the hub has, and what is no fault of a caller."""

from typing import ClassVar


class HubError(Exception):
    """Something the hub refuses or cannot do now."""

    code: ClassVar[str] = "hub_error"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        """Keep what happened and what to do next."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def reason_of(error: BaseException) -> str:
    """Say in one line for a person what went wrong; of what nobody foresaw only the name: its text may hold values."""
    if isinstance(error, HubError):
        return "; ".join(filter(None, (error.message, error.remedy)))
    return f"the hub ran into an error of its own ({type(error).__name__}), which its log tells whole"


class Refused(HubError):
    """The caller asked for something that cannot be done as asked."""

    code = "refused"


class TouchedSetGrew(HubError):
    """Other work reached more records after the locks were taken; roll back and repeat with the larger set."""

    code = "touched_set_grew"

    def __init__(self, golden_ids: frozenset[str]) -> None:
        """Carry the golden records to lock from the start next time."""
        super().__init__(f"{len(golden_ids)} golden records are touched, more than were locked", remedy="it is retried")
        self.golden_ids = golden_ids


class LocksBusy(HubError):
    """Other writers held what was to be locked for longer than a statement may take; roll back and repeat."""

    code = "locks_busy"

    def __init__(self) -> None:
        """Carry nothing: whoever repeats asks for the same locks again."""
        super().__init__("other writers hold what this one needs", remedy="it is retried")


class RulesMoved(HubError):
    """Other rules were activated while this was worked out; roll back and repeat with them."""

    code = "rules_moved"

    def __init__(self) -> None:
        """Carry nothing: whoever repeats reads which rules hold."""
        super().__init__("other rules hold since this was worked out", remedy="it is retried")


class Unavailable(HubError):
    """Something the hub depends on does not answer."""

    code = "unavailable"

    def __init__(self, message: str, *, remedy: str = "", retry_after_s: float | None = None) -> None:
        """Say whether, and after how many seconds, to try again (None: not by itself)."""
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class DatabaseUnavailable(Unavailable):
    """PostgreSQL cannot be started or reached."""

    code = "database_unavailable"


class OthersInTheWay(DatabaseUnavailable):
    """Other writers held what this request needs each time it was tried."""

    code = "others_in_the_way"

    def __init__(self, attempts: int) -> None:
        """Tell how often it was tried."""
        super().__init__(
            f"other writers were in the way {attempts} times",
            remedy="send the same request again; if they stay in the way, ask for less at once or wait for their load",
            retry_after_s=1.0,
        )


class TargetUnavailable(Unavailable):
    """A target cannot be read now."""

    code = "target_unavailable"

    def __init__(self, target_id: str, reason: str, *, retry_after_s: float | None = None) -> None:
        """Name the target and what it answered."""
        remedy = "look whether it runs and takes the hub's credentials, then try again"
        super().__init__(f"{target_id} cannot be read: {reason}", remedy=remedy, retry_after_s=retry_after_s)
