"""Values of the exception queue: what is asked of it, and the groups it falls into. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mdm.access.limits import Limits
from mdm.entities.model import Severity
from mdm.ids import ExceptionId

ExceptionKind = Literal["rejected", "warning"]
ExceptionState = Literal["open", "replayed", "dismissed", "superseded"]


@dataclass(frozen=True, slots=True)
class ExceptionFilter:
    """Which exceptions to list, count or act on together; None means any.

    code, field  of one of its reasons
    since        queued at this instant or later
    after        queued after this one, as a piece of a group begins where the last piece ended
    limits       what the caller may see; None for whoever may see all
    """

    state: ExceptionState = "open"
    kind: ExceptionKind | None = None
    source: str | None = None
    entity_type: str | None = None
    code: str | None = None
    field: str | None = None
    since: datetime | None = None
    after: ExceptionId | None = None
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Exceptions of one entity type and source that share a reason, with one of them as the example.

    message, remedy  of the example: other ones may name other values
    """

    entity_type: str
    source: str
    kind: ExceptionKind
    code: str
    field: str
    severity: Severity
    count: int
    oldest_at: datetime
    newest_at: datetime
    example_id: ExceptionId
    message: str
    remedy: str
