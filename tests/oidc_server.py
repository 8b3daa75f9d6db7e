"""A small OpenID provider over HTTP on localhost, as strict as a real one, with faults that a test can switch on.

It signs with a key that can be exchanged while it runs, checks PKCE, redirect address, client and secret, and gives
each code once. `Faults` make it lie; what a client of it must notice stands in tests/integration/access/test_oidc.py.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

Key = RSAKey | ECKey | OKPKey
CLIENT_ID = "mdm hub"  # a blank, so that its encoding shows
CLIENT_SECRET = "s3cret:/+ü"
PUBLISHED_SECRET = b"secret-secret-secret-secret-1234"
_ENCRYPTING = ECKey.generate_key("P-256")


@dataclass(frozen=True)
class In:
    """An instant so many seconds from when the provider speaks."""

    seconds: int


@dataclass
class Faults:
    """What the provider does wrong.

    claims     claims of the ID token to replace; None leaves one out
    token      makes another ID token from the true one
    discovery  members of the discovery document to replace
    answer     parameters of the address to which the browser is sent back, to replace; None leaves one out
    replies    status and body of a path, in place of the true ones
    """

    claims: dict[str, Any] = field(default_factory=dict)
    token: Callable[[str], object] = lambda token: token
    discovery: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, str | None] = field(default_factory=dict)
    replies: dict[str, tuple[int, bytes]] = field(default_factory=dict)


@dataclass
class OidcServer:
    """The provider, its one person, and what it remembers."""

    key: Key
    algorithm: str
    person: dict[str, Any]
    issuer: str = ""
    has_secret: bool = True
    faults: Faults = field(default_factory=Faults)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def public_keys(self) -> list[dict[str, Any]]:
        """Give the published keys: the signing one, beside some that a client must leave alone."""
        public = self.key.as_dict(private=False)
        return [
            {"kty": "AKP", "alg": "ML-DSA-44", "kid": "post-quantum", "pub": "AAAA"},
            {"kty": "oct", "k": _encoded(PUBLISHED_SECRET), "kid": self.key.kid},
            {**_ENCRYPTING.as_dict(private=False), "use": "enc", "kid": self.key.kid},
            {**public, "use": "sig", "alg": self.algorithm},
        ]

    def discovery(self) -> dict[str, Any]:
        """Give the discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        } | self.faults.discovery

    def authorize(self, query: Mapping[str, str]) -> str:
        """Let the person agree; gives the address to which the browser goes back."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        assert query["tenant"] == "1"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = dict(query)
        answer: dict[str, str | None] = {"code": code, "state": query["state"], "iss": self.issuer}
        answer |= self.faults.answer
        given = {name: value for name, value in answer.items() if value is not None}
        return f"{query['redirect_uri']}?{urlencode(given)}"

    def token(self, form: Mapping[str, str], authorization: str | None) -> tuple[int, dict[str, Any]]:
        """Exchange a code, once, for whoever proves to have begun."""
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        began = self.codes.pop(form.get("code", ""), None)
        challenge = _encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if began is None or began["code_challenge"] != challenge or began["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": began["nonce"]}
        claims |= self.person | self.faults.claims
        claims = {
            name: now + value.seconds if isinstance(value, In) else value
            for name, value in claims.items()
            if value is not None
        }
        return 200, {"token_type": "Bearer", "access_token": "x", "id_token": self.faults.token(self.sign(claims))}

    def sign(self, claims: dict[str, Any]) -> str:
        """Sign claims with the present key."""
        registry = jws.JWSRegistry(algorithms=[self.algorithm])
        return jwt.encode({"alg": self.algorithm, "kid": str(self.key.kid)}, claims, self.key, registry=registry)

    def rotate(self, key: Key) -> None:
        """Sign with another key from now on, and publish no other."""
        key.ensure_kid()
        self.key = key

    def unsigned(self, token: str) -> str:
        """Make a token of algorithm none from a true one."""
        return f"{_written({'alg': 'none', 'kid': self.key.kid})}.{token.split('.')[1]}."

    def signed_with_public_key(self, token: str) -> str:
        """Sign the claims of a true token with HS256 and the public key as the secret."""
        return self._sealed(token, self.key.as_pem(private=False))

    def signed_with_published_secret(self, token: str) -> str:
        """Sign the claims of a true token with HS256 and the secret that stands among the public keys."""
        return self._sealed(token, PUBLISHED_SECRET)

    def signed_with_another_key(self, token: str, key: Key) -> str:
        """Sign the claims of a true token with a key of the provider that is not its present one."""
        present, self.key = self.key, key
        try:
            return self.sign(_claims(token))
        finally:
            self.key = present

    def _sealed(self, token: str, secret: bytes) -> str:
        head = _written({"alg": "HS256", "kid": self.key.kid})
        signed = f"{head}.{token.split('.')[1]}"
        return f"{signed}.{_encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"

    def _is_client(self, form: Mapping[str, str], authorization: str | None) -> bool:
        if not self.has_secret:
            return authorization is None and form.get("client_id") == CLIENT_ID
        if authorization is None:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return (unquote(name), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)


@contextmanager
def oidc_server(key: Key, algorithm: str, person: dict[str, Any]) -> Iterator[OidcServer]:
    """Run a provider for the length of a `with` block."""
    key.ensure_kid()
    server = OidcServer(key, algorithm, person)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            if place.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", server.authorize(dict(parse_qsl(place.query))))
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif place.path == "/.well-known/openid-configuration":
                self.reply(place.path, 200, server.discovery())
            else:
                self.reply(place.path, 200, {"keys": server.public_keys})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
            self.reply("/token", *server.token(form, self.headers["Authorization"]))

        def reply(self, path: str, status: int, document: dict[str, Any]) -> None:
            server.asked.append(path)
            status, body = server.faults.replies.get(path, (status, json.dumps(document).encode()))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is the base class's
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as listening:
        server.issuer = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _written(document: dict[str, Any]) -> str:
    return _encoded(json.dumps(document).encode())


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims
