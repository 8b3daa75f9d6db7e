"""Sign in at an OpenID provider: the code flow with PKCE.

`begin` keeps state, nonce and verifier for REQUEST_LIFE and sends the browser away with a binding for its cookie;
`finish` takes them once, whatever comes of it. A person is known by the subject of the issuer and by nothing else:
a login of the same name is never taken over. The role follows the groups at every sign-in.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Engine

from mdm.access import people_store
from mdm.access import sessions_store as store
from mdm.access.oidc_provider import OidcProvider
from mdm.access.people import hash_token
from mdm.access.people_model import (
    NewSession,
    OidcRequest,
    Person,
    Role,
    SignIn,
    Standing,
    Subject,
    normal_login,
    normal_name,
)
from mdm.access.sessions import address_place, open_session
from mdm.db.actor import name_actor
from mdm.db.transaction import run
from mdm.errors import InputInvalid, SignInRefused

REQUEST_LIFE: Final = timedelta(minutes=10)  # chosen: a second factor that has to be looked for
# Chosen: sign-ins under way at once. Past it somebody floods the page, and the oldest go: refusing would lock all out.
REQUESTS_MAX: Final = 10_000
CALLBACK_PATH: Final = "/sign-in/oidc/callback"
WHO: Final = "oidc"  # who adds people and changes roles, as facts name it
_ERROR: Final = re.compile(r"[a-z_]{1,40}")
_LENGTH_MAX: Final = 4_096  # chosen: codes of providers are shorter than 2,000 characters
_BEGIN_AGAIN: Final = "begin again at the page to sign in"


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way: the address to send the browser to, and the secret for a cookie of that browser."""

    url: str
    binding: str


@dataclass(frozen=True, slots=True)
class OidcAnswer:
    """What came back in the browser: the parameters of the address, and the cookie."""

    state: str
    binding: str
    code: str | None = None
    error: str | None = None
    issuer: str | None = None


def begin(engine: Engine, provider: OidcProvider, *, redirect_uri: str, return_to: str = "/") -> Begun:
    """Begin a sign-in; raises Unavailable when the provider cannot be asked."""
    state, binding, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    url = provider.authorization_url(redirect_uri=redirect_uri, state=state, nonce=nonce, challenge=challenge)
    request = OidcRequest(
        state_hash=hash_token(state),
        binding_hash=hash_token(binding),
        issuer=provider.registration.issuer,
        nonce=nonce,
        verifier=verifier,
        redirect_uri=redirect_uri,
        return_to=_own_path(return_to),
    )

    def keep(connection: Connection) -> None:
        store.add_oidc_request(connection, request, life=REQUEST_LIFE)
        store.drop_oldest_oidc_requests(connection, kept=REQUESTS_MAX)

    run(engine, keep)
    return Begun(url, binding)


def finish(engine: Engine, provider: OidcProvider, answer: OidcAnswer, *, address: str) -> NewSession:
    """Open a session for whom the provider names; raises SignInRefused, recorded as such, or Unavailable."""
    place = address_place(address)
    try:
        request = _taken(engine, provider, answer)
        claims = _claims(provider, request, answer)
        role = _role(provider, claims)
        new = run(engine, lambda connection: _admit(connection, provider, claims, role, place))
    except SignInRefused:
        run(engine, lambda connection: store.add_attempt_once_a_minute(connection, SignIn("refused", "oidc", place)))
        raise
    return replace(new, return_to=request.return_to)


def _taken(engine: Engine, provider: OidcProvider, answer: OidcAnswer) -> OidcRequest:
    """Take the sign-in that an answer is about; whoever comes second, late, or from another browser, is refused."""
    state_hash = hash_token(answer.state[:_LENGTH_MAX])
    request = run(engine, lambda connection: store.take_oidc_request(connection, state_hash))
    if request is None:
        raise SignInRefused("this sign-in was finished before, or took too long", remedy=_BEGIN_AGAIN)
    if not hmac.compare_digest(request.binding_hash, hash_token(answer.binding[:_LENGTH_MAX])):
        raise SignInRefused("this sign-in was begun in another browser", remedy=_BEGIN_AGAIN)
    if request.issuer != provider.registration.issuer:
        raise SignInRefused("the OpenID provider was changed during this sign-in", remedy=_BEGIN_AGAIN)
    return request


def _claims(provider: OidcProvider, request: OidcRequest, answer: OidcAnswer) -> Mapping[str, Any]:
    """Exchange the code of an answer for checked claims."""
    is_named = answer.issuer is not None or provider.discover().sends_issuer
    if is_named and answer.issuer != request.issuer:  # RFC 9207: somebody mixed two providers up
        raise SignInRefused("the answer is of another OpenID provider", remedy=_BEGIN_AGAIN)
    if answer.error is not None:
        reason = answer.error if _ERROR.fullmatch(answer.error) else "an error of its own"
        raise SignInRefused(f"the OpenID provider refused: {reason}", remedy=_BEGIN_AGAIN)
    if not answer.code or len(answer.code) > _LENGTH_MAX:
        raise SignInRefused("the OpenID provider sent no code", remedy=_BEGIN_AGAIN)
    token = provider.redeem_code(answer.code, redirect_uri=request.redirect_uri, verifier=request.verifier)
    return provider.claims_of(token, nonce=request.nonce)


def _role(provider: OidcProvider, claims: Mapping[str, Any]) -> Role:
    role = provider.registration.role_of(claims)
    if role is None:
        raise SignInRefused(
            "you are known at the OpenID provider, but in no group that may use the hub",
            remedy="ask whoever runs the hub which group you need",
        )
    return role


def _admit(
    connection: Connection, provider: OidcProvider, claims: Mapping[str, Any], role: Role, place: str
) -> NewSession:
    """Find or add the person, let the role follow the groups, and open a session."""
    subject = Subject(provider.registration.issuer, claims["sub"])
    person = people_store.locked_subject(connection, subject) or _added(connection, provider, claims, role)
    if person.is_disabled:
        raise SignInRefused(f"{person.login} may not use the hub any more", remedy="ask an administrator of the hub")
    name = _name(claims, person.login)
    if (role, name) != (person.role, person.name):
        name_actor(connection, WHO)
        person = people_store.change(connection, person.id, {"role": role, "name": name})
    return open_session(connection, person, kind="signed_in", origin="oidc", address=place)


def _added(connection: Connection, provider: OidcProvider, claims: Mapping[str, Any], role: Role) -> Person:
    """Add the person under the login that the provider names, unless somebody else has it."""
    own = provider.registration
    subject = Subject(own.issuer, claims["sub"])
    given = claims.get(own.login_claim)
    try:
        login = normal_login(given if isinstance(given, str) else "")
    except InputInvalid as error:
        raise SignInRefused(
            f"the OpenID provider names no usable {own.login_claim}", remedy="set MDM_OIDC_LOGIN_CLAIM to one it sends"
        ) from error
    if own.login_claim == "email" and claims.get("email_verified", True) is not True:
        raise SignInRefused(
            "the OpenID provider has not verified your e-mail address", remedy="have it verified there first"
        )
    added = people_store.add_person(
        connection, login, name=_name(claims, login), standing=Standing(role), who=WHO, subject=subject
    )
    # Nobody was added: the same person signs in twice at once, or the login belongs to somebody else.
    found = added or people_store.locked_subject(connection, subject)
    if found is None:
        raise SignInRefused(
            f"the login {login!r} belongs to somebody else here",
            remedy="ask an administrator of the hub: a login is not taken over",
        )
    return found


def _name(claims: Mapping[str, Any], login: str) -> str:
    given = claims.get("name")
    try:
        return normal_name(given if isinstance(given, str) else login[:120])
    except InputInvalid:
        return login[:120]


def _own_path(path: str) -> str:
    """Keep a path of the console itself; an address elsewhere, however it is written, becomes the first page."""
    is_own = path.startswith("/") and path[1:2] not in {"/", "\\"} and path.isascii() and path.isprintable()
    return path if is_own and len(path) <= 2_000 else "/"
