"""Values of people: roles and their limits, persons, one-time links, sessions. Pure.

A role becomes scopes, so that one table of needs (`api/access_table.py`) judges people and API keys alike. A role may
be limited by entity type and by source; an administrator is never limited.
"""

import hmac
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from mdm.access.model import Principal, Scope, Verb
from mdm.errors import InputInvalid
from mdm.ids import PersonId, SessionId

Role = Literal["viewer", "steward", "lead", "integrator", "admin"]
Theme = Literal["auto", "light", "dark"]
Origin = Literal["local", "oidc"]
SignInKind = Literal["signed_in", "refused", "throttled", "signed_out", "link_redeemed"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
THEMES: Final[tuple[Theme, ...]] = get_args(Theme)
# Which role wins when groups of one person name several: the first one.
ROLES_BY_STRENGTH: Final[tuple[Role, ...]] = ("admin", "lead", "steward", "integrator", "viewer")
VERBS_BY_ROLE: Final[Mapping[Role, tuple[Verb, ...]]] = {
    "viewer": ("read",),
    "steward": ("steward",),
    "lead": ("lead",),
    "integrator": ("read", "write"),
    "admin": ("admin",),
}

LOGIN_LENGTH_MAX: Final = 254  # RFC 5321: no e-mail address is longer
NAME_LENGTH_MAX: Final = 120
# Letters and digits of any script, and what e-mail addresses and user names are made of. No blank, bracket or colon:
# `billing-sync (key_…)` and `cli:anna` are how keys and commands stand under `who`.
_LOGIN: Final = re.compile(r"[\w][\w.@+'-]*")
_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?")


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody may do: a role, and the entity types and sources it is limited to (empty: all)."""

    role: Role
    entity_types: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Write the standing as scopes; nothing limits an administrator."""
        if self.role == "admin":
            return (Scope("admin"),)
        return tuple(
            Scope(verb, entity_type, source)
            for verb in VERBS_BY_ROLE[self.role]
            for entity_type in self.entity_types or (None,)
            for source in self.sources or (None,)
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """What an identity provider calls a person: a name that it never gives to another."""

    issuer: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in; everything but the password."""

    id: PersonId
    login: str
    name: str
    role: Role
    recorded_at: datetime
    who: str
    entity_types: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    locale: str = "en"
    theme: Theme = "auto"
    has_shortcuts: bool = True
    origin: Origin = "local"
    has_password: bool = False
    disabled_at: datetime | None = None
    disabled_by: str | None = None
    signed_in_at: datetime | None = None

    @property
    def is_disabled(self) -> bool:
        """Tell whether the person may not sign in."""
        return self.disabled_at is not None

    @property
    def standing(self) -> Standing:
        """Return what the person may do."""
        return Standing(self.role, self.entity_types, self.sources)

    @property
    def principal(self) -> Principal:
        """Return the person as whoever asks; under `who` in facts stands the login."""
        return Principal(self.id, self.login, self.standing.scopes)


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What an administrator changes of a person; None leaves it as it is."""

    name: str | None = None
    role: str | None = None
    entity_types: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    is_disabled: bool | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """What becomes an entry of the record of sign-ins.

    who  the id of the person who proved to be it, else nobody: the record is audited, and keeps no login
    """

    kind: SignInKind
    origin: Origin
    address: str
    person_id: PersonId | None = None
    session_id: SessionId | None = None

    @property
    def who(self) -> str:
        """Name who proved to be somebody."""
        is_proven = self.person_id is not None and self.kind not in {"refused", "throttled"}
        return str(self.person_id) if is_proven else "nobody"


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """An entry of the record of sign-ins; without a person when nobody has that login."""

    id: str
    kind: SignInKind
    origin: Origin
    person_id: PersonId | None
    session_id: SessionId | None
    address: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class StoredSession:
    """What the database knows of a session; `is_stale` asks to note that it is in use."""

    id: SessionId
    person: Person
    opened_at: datetime
    expires_at: datetime
    is_stale: bool


@dataclass(frozen=True, slots=True)
class OidcRequest:
    """A sign-in under way at the identity provider: what its answer is checked against."""

    state_hash: bytes
    binding_hash: bytes
    issuer: str
    nonce: str
    verifier: str
    redirect_uri: str
    return_to: str


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in, until the session is ended, idle for too long, or old."""

    token_id: SessionId
    person: Person
    csrf: str
    opened_at: datetime
    expires_at: datetime

    def is_own_csrf(self, given: str) -> bool:
        """Tell whether a form came from a page of this session, in a time that does not depend on what was given."""
        return hmac.compare_digest(self.csrf.encode(), given.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session at the one moment when its token can be put into a cookie.

    return_to  the path to go on at, when a sign-in at the identity provider began elsewhere
    """

    session: Session
    token: str
    return_to: str = "/"


@dataclass(frozen=True, slots=True)
class NewLink:
    """A one-time link at the one moment when its token can be shown; the path of the page is `path`."""

    token: str
    expires_at: datetime

    @property
    def path(self) -> str:
        """Return the path under which the console takes it."""
        return f"/sign-in/link/{self.token}"


@dataclass(frozen=True, slots=True)
class LinkOffer:
    """What a link that still holds leads to: a person who chooses a password, or (None) the first administrator."""

    person: Person | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody enters behind a link; the login is asked of the first administrator only."""

    name: str
    password: str
    login: str | None = None


def normal_login(given: str) -> str:
    """Write a login in its one form: NFKC, case folded, without blanks around it; raises InputInvalid.

    Letters of other scripts that look alike stay different: who is who is told by the name and the id beside it.
    """
    login = ""
    if len(given) <= LOGIN_LENGTH_MAX:
        # Folding can undo the composition, and composing the folding: twice is stable.
        login = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", given.strip()).casefold()).casefold()
    if not (0 < len(login) <= LOGIN_LENGTH_MAX and _LOGIN.fullmatch(login)):
        raise InputInvalid(
            "a login is an e-mail address or user name of 1 to 254 letters, digits and . _ - + @ '",
            remedy="write it without blanks, as in anna.berg@example.com",
            field="login",
        )
    return login


def normal_name(given: str) -> str:
    """Write a person's name without blanks around it; raises InputInvalid."""
    name = unicodedata.normalize("NFC", given).strip() if len(given) <= 4 * NAME_LENGTH_MAX else ""
    if not (0 < len(name) <= NAME_LENGTH_MAX and name.isprintable()):
        raise InputInvalid(
            "a person needs a name of 1 to 120 printable characters",
            remedy="write it as colleagues know it, as in Anna Berg",
            field="name",
        )
    return name


def check_standing(role: str, entity_types: Sequence[str] = (), sources: Sequence[str] = ()) -> Standing:
    """Read a role and its limits; raises InputInvalid that names the part which does not fit."""
    known = next((each for each in ROLES if each == role), None)
    if known is None:
        raise InputInvalid(f"{role[:80]!r} is no role", remedy=f"choose one of {', '.join(ROLES)}", field="role")
    if known == "admin" and (entity_types or sources):
        raise InputInvalid(
            "the role admin cannot be limited", remedy="leave the limits out, or choose lead with them", field="role"
        )
    for name in entity_types:
        _check_limit("entity_types", f"read:{name}", Scope("read", entity_type=name))
    for name in sources:
        _check_limit("sources", f"read@{name}", Scope("read", source=name))
    return Standing(known, tuple(dict.fromkeys(entity_types)), tuple(dict.fromkeys(sources)))


def check_locale(locale: str) -> str:
    """Check the form of a language tag, as en, de or zh-Hant-TW; raises InputInvalid."""
    if _LOCALE.fullmatch(locale) is None:
        raise InputInvalid(f"{locale[:40]!r} is no language", remedy="write it as en, de or pt-BR", field="locale")
    return locale


def check_theme(theme: str) -> Theme:
    """Read a theme; raises InputInvalid."""
    known = next((each for each in THEMES if each == theme), None)
    if known is None:
        raise InputInvalid(f"{theme[:40]!r} is no theme", remedy="choose auto, light or dark", field="theme")
    return known


def _check_limit(field: str, printed: str, meant: Scope) -> None:
    """Let the printed form of a scope decide what may be a limit: it has to read back as it was meant."""
    try:
        found = Scope.parse(printed)
    except InputInvalid:
        found = None
    if found != meant:
        raise InputInvalid(
            f"{printed[5:85]!r} cannot limit a role",
            remedy="name an entity type as customer, a source instance as salesforce-us",
            field=field,
        )
