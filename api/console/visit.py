"""One visit to a page: who comes, in which language, and what a form brought along."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from api.console.words import CATALOGUES
from api.dependencies import Caller, Opened, opened_by
from api.errors import HttpRefusal
from mdm.access.model import Verb
from mdm.access.people_model import Person, Session
from mdm.errors import Forbidden
from mdm.hub import Hub


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a form. Its name is whatever the sender says: to be shown, never to be a path."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, each with all its values, in their order, and its files by field."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, SentFile] = field(default_factory=dict)

    def one(self, name: str, otherwise: str = "") -> str:
        """Return the value of a field that is there once, or at most once."""
        values = self.fields.get(name, ())
        if len(values) > 1:
            raise HttpRefusal(422, "request_invalid", f"the form names {name} twice", remedy="send it once", place=name)
        return values[0] if values else otherwise

    def many(self, name: str) -> tuple[str, ...]:
        """Return all values of a field."""
        return tuple(self.fields.get(name, ()))

    def starting(self, prefix: str) -> dict[str, str]:
        """Return the fields whose names start so, by the rest of their names."""
        return {name.removeprefix(prefix): self.one(name) for name in self.fields if name.startswith(prefix)}


@dataclass(frozen=True, slots=True)
class Visit:
    """A request to a page, checked.

    session  of whoever signed in; None on the pages before that
    is_part  htmx asks for a part of a page
    address  where the request came from, for the log of sign-ins
    held     the name of what the page keeps ready to be shown next, "" for nothing
    """

    opened: Opened
    session: Session | None
    language: str
    form: Form
    is_part: bool
    path: str
    address: str
    held: str = ""

    @property
    def hub(self) -> Hub:
        """Return the open hub."""
        return self.opened.hub

    @property
    def person(self) -> Person:
        """Return who has signed in; only for pages that need it."""
        assert self.session is not None, "this page is for those who signed in"
        return self.session.person

    @property
    def caller(self) -> Caller:
        """Return the same as routes of the API know a caller."""
        return Caller(self.person.principal)

    @property
    def who(self) -> str:
        """Name the person as it stands under `who` in facts and decisions."""
        return self.caller.name

    def text(self, words: str) -> str:
        """Say words of the catalogue in the visitor's language."""
        return str(CATALOGUES[self.language].gettext(words))

    def may(self, verb: Verb, *, entity_type: str | None = None, source: str | None = None) -> bool:
        """Tell whether the person may do this there; None asks for every type or source."""
        return self.session is not None and self.person.principal.may(verb, entity_type=entity_type, source=source)

    def holds(self, verb: Verb) -> bool:
        """Tell whether the person may do this anywhere."""
        return self.session is not None and self.person.principal.holds(verb)

    def require(self, verb: Verb, *, entity_type: str | None = None) -> None:
        """Refuse unless the person may do this on an entity type in every source; raises Forbidden."""
        if not self.may(verb, entity_type=entity_type):
            raise Forbidden(
                f"your role does not let you {verb} {entity_type or 'everything'}",
                remedy="ask an administrator of the hub",
            )


async def _visit(request: Request) -> Visit:
    return visit_of(request)


def visit_of(request: Request) -> Visit:
    """Return the visit that the page's route has checked before."""
    return cast("Visit", request.scope["mdm.visit"])


def is_part(request: Request) -> bool:
    """Tell whether htmx asks for a part of a page."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-history-restore-request") != "true"


def opened_for(request: Request) -> Opened:
    """Return what this application holds open."""
    return opened_by(request)


TheVisit = Annotated[Visit, Depends(_visit)]
