"""Signed checkpoints of the audit log, as files.

Each says that at some instant the log of one hub had a size and ended with a hash. A copy kept where the hub's machine
cannot change it is what shows that the log was cut or written anew. The private key is made on first use and stays in
the home, readable by its owner alone; the public key lies beside it, and a copy of it belongs with the copies.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from mdm.errors import FileUnreadable
from mdm.history.model import Checkpoint

KEY: Final = "audit.key"
PUBLIC_KEY: Final = "audit.pub"
_FORMAT: Final = "mdm audit checkpoint 1"


@dataclass(frozen=True, slots=True)
class Exported:
    """A file of the folder: the checkpoint when a known key signed it, else why not."""

    path: Path
    checkpoint: Checkpoint | None
    reason: str = ""


def export(checkpoint: Checkpoint, folder: Path, home: Path) -> Path:
    """Sign a checkpoint and write its file as one whole; the same size written again is the same statement."""
    signed = _signed_form(checkpoint)
    signature = signing_key(home).sign(signed)
    path = folder / f"{checkpoint.at:%Y-%m}" / f"{checkpoint.size:015d}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    written = orjson.dumps({**orjson.loads(signed), "signature": signature.hex()}, option=orjson.OPT_INDENT_2)
    _write_whole(path, written + b"\n", mode=0o644)
    return path


def newest_size(folder: Path) -> int:
    """Give the size that the newest checkpoint of a folder tells by its name; 0 when there is none."""
    return max((int(path.stem) for path in _files(folder) if path.stem.isdecimal()), default=0)


def read(folder: Path, keys: list[Ed25519PublicKey]) -> Iterator[Exported]:
    """Read every checkpoint of a folder, in the order of their paths, and verify its signature."""
    for path in _files(folder):
        yield _read(path, keys)


def signing_key(home: Path) -> Ed25519PrivateKey:
    """Give the hub's key, made when there is none; of two processes at once the first makes it."""
    path = home / KEY
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        private = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        home.mkdir(parents=True, exist_ok=True)
        _write_new(path, private)
    key = load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    if not (home / PUBLIC_KEY).exists():
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        _write_whole(home / PUBLIC_KEY, public, mode=0o644)
    return key


def own_public_keys(home: Path) -> list[Ed25519PublicKey]:
    """Give the public key of the hub of this home; none before it signed anything."""
    return [signing_key(home).public_key()] if (home / KEY).exists() else []


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key in PEM; raises FileUnreadable."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise FileUnreadable(
            str(path), f"no public key: {error}", remedy=f"name a copy of {PUBLIC_KEY} from the home of the hub"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise FileUnreadable(str(path), "no Ed25519 key", remedy=f"name a copy of {PUBLIC_KEY}")
    return key


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.json"))


def _signed_form(checkpoint: Checkpoint) -> bytes:
    """Write what is signed: one line of JSON, keys in order."""
    told = {
        "format": _FORMAT,
        "hub": str(checkpoint.hub_id),
        "size": checkpoint.size,
        "head": checkpoint.head.hex(),
        "at": checkpoint.at.isoformat(),
    }
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def _read(path: Path, keys: list[Ed25519PublicKey]) -> Exported:
    try:
        told = orjson.loads(path.read_bytes())
        checkpoint = Checkpoint(
            UUID(told["hub"]), int(told["size"]), bytes.fromhex(told["head"]), datetime.fromisoformat(told["at"])
        )
        signature = bytes.fromhex(told["signature"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Exported(path, None, f"it cannot be read: {type(error).__name__}")
    signed = _signed_form(checkpoint)
    if any(_is_signed_by(key, signature, signed) for key in keys):
        return Exported(path, checkpoint)
    return Exported(path, None, "no known key signed it" if keys else "there is no public key to verify it with")


def _is_signed_by(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _write_new(path: Path, content: bytes) -> None:
    """Write a private file unless there is one: it is seen whole or not at all."""
    written = _beside(path, content, mode=0o600)
    try:
        os.link(written, path)
    except FileExistsError:
        pass
    finally:
        written.unlink()


def _write_whole(path: Path, content: bytes, *, mode: int) -> None:
    _beside(path, content, mode=mode).replace(path)


def _beside(path: Path, content: bytes, *, mode: int) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with open(descriptor, "wb") as file:  # noqa: PTH123 -- a descriptor, not a path
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    return Path(name)
