"""People as an administrator sees them: state, limits and what a form asks for. Pure."""

from collections.abc import Collection, Sequence

from api.console.views.vocabulary import N_
from mdm.access.people_model import Person

# What each role may do, below its name in the form.
ROLE_HINTS = {
    "viewer": N_("reads records and their history"),
    "steward": N_("answers questions, mends exceptions, chooses values"),
    "lead": N_("as a steward, and approves, assigns and answers in bulk"),
    "integrator": N_("reads, and delivers records"),
    "admin": N_("everything, and people; without limits"),
}


def state_of(person: Person) -> str:
    """Tell whether a person can sign in: active, invited (no password yet) or disabled."""
    if person.is_disabled:
        return "disabled"
    return "active" if person.has_password or person.origin == "oidc" else "invited"


def chosen(given: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Read the ticked limits of a form; every box ticked is no limit at all."""
    ticked = tuple(dict.fromkeys(given))
    return () if known and set(known) <= set(ticked) else ticked
