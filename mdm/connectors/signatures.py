"""Signatures of webhooks by Standard Webhooks 1.0, written and verified. Pure but for the making of secrets.

A message is signed over its id, the time of the attempt and its body, so that none of the three can be exchanged, and
an old message cannot be sent again later. While a secret is exchanged the message carries a signature of each, and a
receiver who knows either takes it. `v1` is HMAC-SHA256 with a shared secret (`whsec_…`), `v1a` is Ed25519 (`whsk_…`),
whose receivers hold a public key only (`whpk_…`).
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mdm.errors import InputInvalid

TOLERANCE_S: Final = 300  # as the reference libraries have it
_SHARED, _PRIVATE, _PUBLIC = "whsec_", "whsk_", "whpk_"
_SHARED_BYTES_MIN, _SHARED_BYTES_MAX = 24, 64  # Standard Webhooks 1.0, "Signature scheme"
_SHARED_BYTES_MADE: Final = 32
_SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets a webhook signs with: the current one, and until an instant the one before it.

    A second exchange before that instant drops the older secret at once: there are never more than two.
    """

    current: str = field(repr=False)
    previous: str = field(default="", repr=False)
    previous_until: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a secret that cannot sign; raises InputInvalid, which does not show it."""
        assert self.previous_until is None or self.previous_until.tzinfo is not None, "instants have a zone"
        _signer(self.current)
        if self.previous:
            _signer(self.previous)

    def at(self, instant: datetime) -> tuple[str, ...]:
        """Give the secrets that sign at an instant, the current one first."""
        is_kept = self.previous and self.previous_until is not None and instant < self.previous_until
        return (self.current, self.previous) if is_kept else (self.current,)

    def rotated(self, secret: str, *, until: datetime) -> Self:
        """Sign with another secret from now on, and with the present one too until an instant; raises InputInvalid."""
        return type(self)(secret, self.current, until)


def make_secret() -> str:
    """Make a shared secret, which both sides keep."""
    return _SHARED + base64.b64encode(secrets.token_bytes(_SHARED_BYTES_MADE)).decode()


def make_key_pair() -> tuple[str, str]:
    """Make an Ed25519 secret, and the public key that its receivers are given."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    # Seed and public key in one, as other senders of v1a write it.
    written = base64.b64encode(private.private_bytes_raw() + public).decode()
    return _PRIVATE + written, _PUBLIC + base64.b64encode(public).decode()


def public_key_of(secret: str) -> str:
    """Give the public key of an Ed25519 secret; raises InputInvalid."""
    signer = _signer(secret)
    if not isinstance(signer, Ed25519PrivateKey):
        raise _unusable("a shared secret has no public key", "make a pair of keys")
    return _PUBLIC + base64.b64encode(signer.public_key().public_bytes_raw()).decode()


def sign(secrets_: Sequence[str], id_: str, at: datetime, body: bytes) -> dict[str, str]:
    """Write the three headers of one attempt, with one signature for each secret."""
    assert all("!" <= letter <= "~" and letter != "." for letter in id_), f"{id_!r} cannot be signed"
    timestamp = int(at.timestamp())
    content = _content(id_, str(timestamp), body)
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, content) for secret in secrets_),
    }


def flaw_of(headers: Mapping[str, str], body: bytes, keys: Sequence[str], *, at: datetime) -> str:
    """Say why a message is not what a holder of these keys may believe; empty when one of its signatures holds.

    keys  shared secrets and public keys, any of which may have signed
    """
    by_name = {name.lower(): value for name, value in headers.items()}
    id_, timestamp, signatures = (by_name.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (id_ and timestamp and signatures):
        return "a header is missing: webhook-id, webhook-timestamp or webhook-signature"
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 12):
        return "webhook-timestamp is no number of seconds"
    if abs(at.timestamp() - int(timestamp)) > TOLERANCE_S:
        return f"webhook-timestamp is more than {TOLERANCE_S} seconds away"
    content = _content(id_, timestamp, body)
    written = signatures.split(" ")
    return "" if any(_holds(key, content, written) for key in keys) else "no signature holds"


def _content(id_: str, timestamp: str, body: bytes) -> bytes:
    return f"{id_}.{timestamp}.".encode() + body


def _signature(secret: str, content: bytes) -> str:
    signer = _signer(secret)
    if isinstance(signer, bytes):
        return "v1," + base64.b64encode(hmac.digest(signer, content, "sha256")).decode()
    return "v1a," + base64.b64encode(signer.sign(content)).decode()


def _holds(key: str, content: bytes, written: Sequence[str]) -> bool:
    """Tell whether one of the signatures was made with a key; a signature of another kind is passed over."""
    if not key.startswith(_PUBLIC):
        expected = _signature(key, content).encode()
        return any([hmac.compare_digest(expected, one.encode()) for one in written])  # noqa: C419 -- all are compared
    public = Ed25519PublicKey.from_public_bytes(_decoded(key, _PUBLIC))
    return any(_is_signed(public, one.removeprefix("v1a,"), content) for one in written if one.startswith("v1a,"))


def _is_signed(public: Ed25519PublicKey, written: str, content: bytes) -> bool:
    try:
        public.verify(base64.b64decode(written, validate=True), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _signer(secret: str) -> bytes | Ed25519PrivateKey:
    """Read a secret; raises InputInvalid."""
    if secret.startswith(_PRIVATE):
        raw = _decoded(secret, _PRIVATE)
        seed, public = raw[:_SEED_BYTES], raw[_SEED_BYTES:]
        if len(seed) != _SEED_BYTES:
            raise _unusable(f"a secret that begins with {_PRIVATE} holds 32 bytes, or 64 with its public key")
        private = Ed25519PrivateKey.from_private_bytes(seed)
        if public not in (b"", private.public_key().public_bytes_raw()):
            raise _unusable("the two halves of the secret do not belong together")
        return private
    raw = _decoded(secret, _SHARED)
    if not _SHARED_BYTES_MIN <= len(raw) <= _SHARED_BYTES_MAX:
        raise _unusable(f"a shared secret holds {_SHARED_BYTES_MIN} to {_SHARED_BYTES_MAX} bytes")
    return raw


def _decoded(written: str, prefix: str) -> bytes:
    if not written.startswith(prefix):
        raise _unusable(f"the secret of a webhook begins with {_SHARED} or {_PRIVATE}")
    encoded = written.removeprefix(prefix).rstrip("=")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _unusable(f"what follows {prefix} is not base64") from None


def _unusable(message: str, remedy: str = "copy the secret whole, or make a new one") -> InputInvalid:
    return InputInvalid(message, remedy=remedy, field="secret")
