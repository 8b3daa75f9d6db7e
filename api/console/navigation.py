"""The pages that stand in the frame, in their order; one that is not built yet is not listed."""

from dataclasses import dataclass
from typing import Final

from api.console.words import _
from mdm.access.model import Verb


@dataclass(frozen=True, slots=True)
class Page:
    """One entry: the name that a page gives itself, its address, its words, and who sees it."""

    name: str
    url: str
    words: str
    verb: Verb


PAGES: Final = (
    Page("home", "/", _("Home"), "read"),
    Page("review", "/review", _("Review"), "steward"),
    Page("queue", "/queue", _("Queue"), "steward"),
    Page("records", "/records", _("Records"), "read"),
    Page("exceptions", "/exceptions", _("Exceptions"), "steward"),
    Page("people", "/people", _("People"), "admin"),
)
