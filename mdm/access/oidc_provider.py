"""An OpenID provider as seen from the hub: its discovery document, its keys, its token endpoint, its ID tokens.

What it sends is believed only if it comes from the issuer that the settings name, over a connection of its own, signed
by one of its present keys with an algorithm of ALGORITHMS, for this hub, for this sign-in, and now. Answers are bounded
in size and time, redirects are not followed, and no word of an answer reaches a message.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from mdm import clock
from mdm.access.people_model import ROLES_BY_STRENGTH, Role
from mdm.errors import SignInRefused, Unavailable
from mdm.settings import Settings

# Asymmetric ones only: with HS256 the public key, or the client secret, could sign. Ed25519 is EdDSA's newer name.
KEYS_BY_ALGORITHM: Final[Mapping[str, type[Key]]] = {
    "RS256": RSAKey,
    "PS256": RSAKey,
    "ES256": ECKey,
    "EdDSA": OKPKey,
    "Ed25519": OKPKey,
}
SKEW_S: Final = 60  # chosen: clocks that are kept by NTP differ by less than a second, forgotten ones by a minute
_RSA_BITS_MIN: Final = 2_048  # RFC 7518, 3.3
_LIFE_S: Final = 3_600.0  # chosen: how long discovery and keys are believed; an unknown key is asked for at once
_TIMEOUT_S: Final = 5.0  # chosen: a person waits
_ANSWER_BYTES_MAX: Final = 1_000_000  # chosen: discovery and keys take some 10 kB
_HEADER_BYTES_MAX: Final = 4_096  # chosen: some providers put a chain of certificates there
_SUBJECT_LENGTH_MAX: Final = 255  # OpenID Connect Core, 2


@dataclass(frozen=True, slots=True)
class Registration:
    """How this hub is registered at an OpenID provider, and which of its groups have which role here."""

    issuer: str
    client_id: str
    client_secret: str | None
    scopes: str
    login_claim: str
    groups_claim: str
    roles: Mapping[str, Role]

    def role_of(self, claims: Mapping[str, Any]) -> Role | None:
        """Give the strongest role that the groups of a person have; None when no group has one."""
        groups = claims.get(self.groups_claim)
        named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        held = {self.roles[group] for group in named if isinstance(group, str) and group in self.roles}
        return next((role for role in ROLES_BY_STRENGTH if role in held), None)


@dataclass(frozen=True, slots=True)
class Discovery:
    """What the provider says of itself."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    sends_issuer: bool
    takes_secret_in_body_only: bool


def registration_of(settings: Settings) -> Registration | None:
    """Read the registration from the settings; None when people sign in with passwords only."""
    if settings.oidc_issuer is None:
        return None
    return Registration(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        scopes=settings.oidc_scopes,
        login_claim=settings.oidc_login_claim,
        groups_claim=settings.oidc_groups_claim,
        roles=settings.oidc_roles,
    )


class OidcProvider:
    """The provider of one registration; a process opens it once, threads share it."""

    def __init__(self, registration: Registration, transport: httpx2.BaseTransport | None = None) -> None:
        """Ask it nothing yet: the hub starts also while the provider is down."""
        self.registration = registration
        self._client = httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False, transport=transport)
        self._discovery: tuple[Discovery, float] | None = None
        self._keys: tuple[tuple[Key, ...], float] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def discover(self) -> Discovery:
        """Read what the provider says of itself; raises Unavailable."""
        if self._discovery is None or time.monotonic() >= self._discovery[1]:
            url = f"{self.registration.issuer.rstrip('/')}/.well-known/openid-configuration"
            document = self._get(url)
            self._discovery = (self._checked(document), time.monotonic() + _LIFE_S)
        return self._discovery[0]

    def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Write the address at the provider to which a browser is sent; raises Unavailable."""
        endpoint = self.discover().authorization_endpoint
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.registration.client_id,
                "redirect_uri": redirect_uri,
                "scope": self.registration.scopes,
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            },
            quote_via=quote,
        )
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"

    def redeem_code(self, code: str, *, redirect_uri: str, verifier: str) -> str:
        """Exchange a code for the ID token; raises SignInRefused, Unavailable."""
        discovery, own = self.discover(), self.registration
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        auth: tuple[str, str] | None = None
        if own.client_secret is None:
            form["client_id"] = own.client_id
        elif discovery.takes_secret_in_body_only:
            form |= {"client_id": own.client_id, "client_secret": own.client_secret}
        else:  # RFC 6749, 2.3.1: both are encoded as in a form first
            auth = (quote(own.client_id, safe=""), quote(own.client_secret, safe=""))
        status, answer = self._send("POST", discovery.token_endpoint, form=form, auth=auth)
        if status == 401 or (answer or {}).get("error") == "invalid_client":
            raise _unavailable(
                f"the OpenID provider {own.issuer} does not take this hub for a client of its own",
                "check MDM_OIDC_CLIENT_ID and MDM_OIDC_CLIENT_SECRET",
            )
        if 400 <= status < 500:
            raise _refused("did not take the code of this sign-in")
        if status != 200 or answer is None:
            raise self._silent()
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _refused("sent no ID token")
        return token

    def claims_of(self, id_token: str, *, nonce: str) -> Mapping[str, Any]:
        """Check an ID token and give what it claims; raises SignInRefused, Unavailable."""
        own = self.registration
        try:
            claims = self._verified(id_token)
            jwt.JWTClaimsRegistry(
                now=int(clock.now().timestamp()),
                leeway=SKEW_S,
                iss={"essential": True, "value": own.issuer},
                aud={"essential": True, "value": own.client_id},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise _refused("sent an ID token that does not hold for this sign-in") from error
        is_shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if is_shared else own.client_id) != own.client_id:
            raise _refused("sent an ID token that was made for another application")
        if len(claims["sub"]) > _SUBJECT_LENGTH_MAX or not claims["sub"].isprintable():
            raise _refused("sent an ID token without a usable subject")
        return claims

    def _verified(self, id_token: str) -> dict[str, Any]:
        """Verify the signature with a present key of the provider; raises JoseError, ValueError."""
        header = jws.extract_compact(id_token.encode(), registry=_REGISTRY).headers()
        algorithm, key_id = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in KEYS_BY_ALGORITHM:
            raise ValueError("the algorithm is not allowed")
        fitting = self._fitting(algorithm, key_id, is_fresh=False) or self._fitting(algorithm, key_id, is_fresh=True)
        failure: JoseError | None = None
        for key in fitting:
            try:
                return jwt.decode(id_token, key, registry=_REGISTRY).claims
            except JoseError as error:
                failure = error
        raise failure or ValueError("no key of the provider fits")

    def _fitting(self, algorithm: str, key_id: object, *, is_fresh: bool) -> list[Key]:
        """List the keys that may have signed: of the algorithm's kind, and of that id when one is named."""
        kind = KEYS_BY_ALGORITHM[algorithm]
        return [
            key
            for key in self._published(is_fresh=is_fresh)
            if isinstance(key, kind) and key_id in (None, key.kid) and key.get("alg", algorithm) == algorithm
        ]

    def _published(self, *, is_fresh: bool) -> tuple[Key, ...]:
        if is_fresh or self._keys is None or time.monotonic() >= self._keys[1]:
            found = self._get(self.discover().jwks_uri).get("keys")
            self._keys = (_usable(found if isinstance(found, list) else []), time.monotonic() + _LIFE_S)
        return self._keys[0]

    def _checked(self, document: Mapping[str, Any]) -> Discovery:
        """Believe a discovery document that is of our issuer, and names endpoints as safe as the issuer is."""
        issuer = self.registration.issuer
        if document.get("issuer") != issuer:
            raise _unavailable(f"{issuer} says of itself to be another issuer", "write MDM_OIDC_ISSUER as it does")
        endpoints = [document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        schemes = {"https"} if issuer.startswith("https:") else {"https", "http"}
        if not all(isinstance(each, str) and urlsplit(each).scheme in schemes for each in endpoints):
            raise _unavailable(f"{issuer} names no safe endpoints", "ask whoever runs the OpenID provider")
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        authorization, token, keys = map(str, endpoints)
        return Discovery(
            authorization,
            token,
            keys,
            sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
            takes_secret_in_body_only=isinstance(methods, list)
            and "client_secret_post" in methods
            and "client_secret_basic" not in methods,
        )

    def _get(self, url: str) -> Mapping[str, Any]:
        """Read a JSON document of the provider; raises Unavailable."""
        status, document = self._send("GET", url)
        if status != 200 or document is None:
            raise self._silent()
        return document

    def _send(
        self, method: str, url: str, *, form: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
    ) -> tuple[int, Mapping[str, Any] | None]:
        """Send a request; gives the status, and the JSON object that came with it if one did. Raises Unavailable."""
        try:
            with self._client.stream(
                method, url, data=form, auth=auth, headers={"Accept": "application/json"}
            ) as answer:
                body = _bounded(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._silent() from error
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            document = None
        return answer.status_code, document if isinstance(document, dict) else None

    def _silent(self) -> Unavailable:
        return _unavailable(
            f"the OpenID provider {self.registration.issuer} does not answer as it should",
            "try again later; if it stays so, ask whoever runs the OpenID provider",
        )


class _IdTokenRegistry(jws.JWSRegistry):
    """Take the algorithms above and no others; the library's own would warn of EdDSA, which providers still write."""

    def get_alg(self, name: str) -> Any:
        """Give an allowed algorithm; raises ValueError."""
        if name not in KEYS_BY_ALGORITHM:
            raise ValueError("the algorithm is not allowed")
        return self.algorithms[name]


_REGISTRY: Final = _IdTokenRegistry(strict_check_header=False)
_REGISTRY.max_header_length = _HEADER_BYTES_MAX


def _usable(published: Sequence[Any]) -> tuple[Key, ...]:
    """Import the public keys that sign; what this hub cannot read, or is too weak, is left out as RFC 7517 asks."""
    keys: list[Key] = []
    for each in published:
        if not isinstance(each, dict) or each.get("kty") not in {"RSA", "EC", "OKP"} or each.get("use", "sig") != "sig":
            continue
        try:
            key = JWKRegistry.import_key(each)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if not isinstance(key, RSAKey) or key.public_key.key_size >= _RSA_BITS_MIN:
            keys.append(key)
    return tuple(keys)


def _bounded(answer: httpx2.Response) -> bytes:
    body = bytearray()
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > _ANSWER_BYTES_MAX:
            raise httpx2.DecodingError("the answer is too long")
    return bytes(body)


def _refused(what: str) -> SignInRefused:
    return SignInRefused(
        f"the OpenID provider {what}", remedy="begin again; if it stays so, ask an administrator of the hub"
    )


def _unavailable(message: str, remedy: str) -> Unavailable:
    return Unavailable(message, remedy=remedy)
