"""Passwords: what may be one, how it is stored, and whether a given one is right.

Stored is argon2id with its salt and parameters, which are found anew at each sign-in: a hash of older parameters is
replaced when its person proves the password. A check takes the same time whether or not there is a hash to check
against. Passwords are compared in NFKC, so that every keyboard writes the same one.
"""

import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from threading import BoundedSemaphore
from typing import Final, Self

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from mdm.errors import InputInvalid
from mdm.settings import Settings

LENGTH_MIN: Final = 12  # NIST SP 800-63B asks for 8; chosen higher, since a golden record reaches every system
BYTES_MAX: Final = 1_024  # chosen: beyond any passphrase; bounds what a stranger can have hashed
_DIFFERENT_MIN: Final = 5  # chosen: "121212121212" is long, and guessed first
_OWN_LENGTH_MIN: Final = 8  # chosen: what has to be left of a password without the login in it
_RUNS: Final = tuple(2 * run for run in ("01234567890", "1234567890", "abcdefghijklmnopqrstuvwxyz"))
_ROWS: Final = ("qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn")
# Chosen: four at once take 256 MiB; more would only take the processor from each other.
_HASHING: Final = BoundedSemaphore(4)


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """What one hash costs: the memory makes guessing dear, the passes make it slow."""

    memory_kib: int
    passes: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read the cost that an installation chose."""
        return cls(settings.password_memory_kib, settings.password_passes)


# RFC 9106's second choice (64 MiB, 3 passes) with one lane instead of four: the server's other cores serve other
# people. 0.28 s of processor time on a busy machine (November 2026), three times the memory that OWASP asks for.
STANDARD_COST: Final = PasswordCost(65_536, 3)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password is right, and whether its hash should be made anew."""

    is_right: bool
    is_outdated: bool = False


def check_password(password: str, *, login: str) -> None:
    """Refuse what may not become a password; raises InputInvalid that says why."""
    if len(password) > BYTES_MAX or (_secret(password) is None and not _is_broken(password)):
        raise _invalid(f"a password has at most {BYTES_MAX} bytes", "choose a shorter one")
    if _is_broken(password):
        raise _invalid("a password has no control characters", "choose letters, digits, blanks and signs")
    written = unicodedata.normalize("NFKC", password)
    if len(written) < LENGTH_MIN:
        raise _invalid(f"a password has at least {LENGTH_MIN} characters", "choose a sentence or several words")
    folded = written.casefold()
    own = (login, login.partition("@")[0])
    if any(part in folded and len(folded.replace(part, "")) < _OWN_LENGTH_MIN for part in own):
        raise _invalid("a password is not built from the login", "choose words that nobody connects with you")
    if _is_guessed_first(folded):
        raise _invalid("this password is among those that are guessed first", "choose several words at random")


def hash_password(password: str, cost: PasswordCost) -> str:
    """Hash a password that `check_password` let pass."""
    secret = _secret(password)
    assert secret is not None
    with _HASHING:
        return _hasher(cost).hash(secret)


def verify_password(stored: str | None, password: str, cost: PasswordCost) -> Verdict:
    """Tell whether the password is right; without a stored hash, or with an impossible one, no after the same work."""
    decoy = _decoy(cost)
    secret = _secret(password)
    hasher = _hasher(cost)
    try:
        with _HASHING:
            hasher.verify(decoy if stored is None else stored, secret if secret is not None else b"-")
    except (VerificationError, InvalidHashError):
        return Verdict(is_right=False)
    if stored is None or secret is None:
        return Verdict(is_right=False)
    return Verdict(is_right=True, is_outdated=hasher.check_needs_rehash(stored))


def _secret(password: str) -> bytes | None:
    """Write a password as the bytes that are hashed; None for one that nobody can have."""
    if len(password) > BYTES_MAX:
        return None
    try:
        secret = unicodedata.normalize("NFKC", password).encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return None
    return secret if len(secret) <= BYTES_MAX else None


def _is_broken(password: str) -> bool:
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in password)


def _is_guessed_first(folded: str) -> bool:
    letters = "".join(filter(str.isalpha, folded))
    return (
        len(set(folded)) < _DIFFERENT_MIN
        or folded in _guessed()
        or letters in _guessed()
        or any(folded in run or folded[::-1] in run for run in (*_RUNS, *_ROWS))
        or _repeats_a_guess(letters)
    )


def _repeats_a_guess(letters: str) -> bool:
    return any(
        len(letters) % length == 0 and letters == letters[:length] * (len(letters) // length)
        for length in range(1, len(letters) // 2 + 1)
        if letters[:length] in _guessed()
    )


@cache
def _guessed() -> frozenset[str]:
    """Read the words and whole passwords that are guessed first."""
    lines = files(__package__).joinpath("guessed_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@cache
def _hasher(cost: PasswordCost) -> PasswordHasher:
    return PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=1, hash_len=32, type=Type.ID)


@lru_cache(maxsize=8)
def _decoy(cost: PasswordCost) -> str:
    """Give a hash of what nobody knows; made before the first check, so that no login is told by its absence."""
    return _hasher(cost).hash(secrets.token_bytes(32))


def _invalid(message: str, remedy: str) -> InputInvalid:
    return InputInvalid(message, remedy=remedy, field="password")
