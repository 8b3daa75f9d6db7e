"""The pages that stand in the frame, in their order; one that is not built yet is not listed."""

from dataclasses import dataclass
from typing import Final

from api.console.views.vocabulary import N_
from mdm.access.model import Verb


@dataclass(frozen=True, slots=True)
class Page:
    """One entry: the name that a page gives itself, its address, its words, and who sees it."""

    name: str
    url: str
    words: str
    verb: Verb


PAGES: Final = (
    Page("home", "/", N_("Home"), "read"),
    Page("review", "/review", N_("Review"), "steward"),
    Page("queue", "/queue", N_("Queue"), "steward"),
    Page("records", "/records", N_("Records"), "read"),
    Page("exceptions", "/exceptions", N_("Exceptions"), "steward"),
    Page("activation", "/activation", N_("Activation"), "read"),
    Page("targets", "/targets", N_("Targets"), "read"),
    Page("rules", "/rules", N_("Rules"), "steward"),
    Page("people", "/people", N_("People"), "admin"),
)
