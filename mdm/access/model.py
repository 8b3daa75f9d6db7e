"""Values of access: scopes, principals, API keys, stored replies. Pure.

A scope is printed `verb[:entity_type][@source]`: `read`, `write:customer@salesforce-us`, `admin`. Nothing is allowed
that no scope allows. `steward` includes `read`, `lead` includes `steward`; `admin` includes everything and is never
limited.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Self, cast, get_args

from mdm.access.rates_model import OwnRates
from mdm.errors import InputInvalid
from mdm.ids import ApiKeyId, PersonId

Verb = Literal["read", "write", "steward", "lead", "admin"]

_VERBS: Final[tuple[str, ...]] = get_args(Verb)
_INCLUDES: Final[dict[str, frozenset[str]]] = {
    "read": frozenset({"read"}),
    "write": frozenset({"write"}),
    "steward": frozenset({"steward", "read"}),
    "lead": frozenset({"lead", "steward", "read"}),
    "admin": frozenset(_VERBS),
}
_SCOPE: Final = re.compile(
    r"(?P<verb>[a-z]+)(?::(?P<entity_type>[a-z][a-z0-9_]{0,62}))?(?:@(?P<source>[a-z0-9][a-z0-9_.-]{0,62}))?"
)
_REMEDY: Final = (
    "write verb[:entity_type][@source] with a verb of read, write, steward, lead, admin,"
    " as in write:customer@salesforce-us"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Allow one verb, everywhere or on one entity type, one source instance, or both."""

    verb: Verb
    entity_type: str | None = None
    source: str | None = None

    @classmethod
    def parse(cls, printed: str) -> Self:
        """Read the printed form; raises InputInvalid."""
        found = _SCOPE.fullmatch(printed)
        if found is None or found["verb"] not in _VERBS:
            raise InputInvalid(f"{printed[:80]!r} is not a scope", remedy=_REMEDY, field="scopes")
        scope = cls(cast("Verb", found["verb"]), found["entity_type"], found["source"])
        if scope.verb == "admin" and scope != cls("admin"):
            raise InputInvalid(
                "the scope admin cannot be limited",
                remedy="write admin alone, or steward with the limit",
                field="scopes",
            )
        return scope

    def __str__(self) -> str:
        """Print the form that `parse` reads."""
        entity_type = f":{self.entity_type}" if self.entity_type else ""
        return f"{self.verb}{entity_type}{f'@{self.source}' if self.source else ''}"

    def covers(self, verb: Verb, entity_type: str | None, source: str | None) -> bool:
        """Tell whether this scope alone allows the verb there; None asks for every type or every source."""
        return (
            verb in _INCLUDES[self.verb] and self.entity_type in (None, entity_type) and self.source in (None, source)
        )


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks: the one thing that every permission is a function of."""

    id: ApiKeyId | PersonId
    name: str
    scopes: tuple[Scope, ...]
    rates: OwnRates = ()

    @property
    def who(self) -> str:
        """Name it as it stands under `who` in facts and decisions: a person by the login, a key by name and id."""
        return self.name if isinstance(self.id, PersonId) else f"{self.name} ({self.id})"

    def holds(self, verb: Verb) -> bool:
        """Tell whether any scope has the verb, however limited: the question asked before a body is read."""
        return any(verb in _INCLUDES[scope.verb] for scope in self.scopes)

    def may(self, verb: Verb, *, entity_type: str | None = None, source: str | None = None) -> bool:
        """Tell whether the verb is allowed on this entity type and source; None means on all of them."""
        return any(scope.covers(verb, entity_type, source) for scope in self.scopes)

    def reaches(self, verb: Verb, source: str) -> bool:
        """Tell whether the verb is allowed on anything of this source."""
        return any(verb in _INCLUDES[scope.verb] and scope.source in (None, source) for scope in self.scopes)

    def entity_types(self, verb: Verb) -> frozenset[str] | None:
        """Name the entity types that the verb reaches in every source; None means all."""
        if self.may(verb):
            return None
        limited = (scope.entity_type for scope in self.scopes if scope.covers(verb, scope.entity_type, None))
        return frozenset(filter(None, limited))

    def sources(self, verb: Verb, entity_type: str) -> frozenset[str] | None:
        """Name the source instances of which the verb reaches this entity type; None means all."""
        if self.may(verb, entity_type=entity_type):
            return None
        limited = (scope.source for scope in self.scopes if scope.covers(verb, entity_type, scope.source))
        return frozenset(filter(None, limited))


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key may do, and how much of it; without rates of its own, as much as the settings say."""

    scopes: tuple[Scope, ...]
    rates: OwnRates = ()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What the hub keeps of a key: everything but the secret."""

    id: ApiKeyId
    name: str
    scopes: tuple[Scope, ...]
    recorded_at: datetime
    who: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    last_used_at: datetime | None = None
    rates: OwnRates = ()

    @property
    def prefix(self) -> str:
        """The readable beginning of the token, by which people and secret scanners recognise it."""
        return f"mdm_{self.id.removeprefix('key_')}"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key at the one moment when its token can be shown."""

    key: ApiKey
    token: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One unsafe request under an Idempotency-Key; `part` numbers the transactions of a request cut into several."""

    who: str
    route: str
    key: str
    fingerprint: bytes
    part: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What an unsafe request was answered; `body` is kept and repeated, `shown` is sent in its place the first time."""

    status: int
    body: bytes
    shown: bytes | None = None


def parse_scopes(printed: Iterable[str]) -> tuple[Scope, ...]:
    """Read scopes, in order, each once; raises InputInvalid, also when there is none."""
    scopes = tuple(dict.fromkeys(Scope.parse(scope) for scope in printed))
    if not scopes:
        raise InputInvalid("a key needs at least one scope", remedy=_REMEDY, field="scopes")
    return scopes
