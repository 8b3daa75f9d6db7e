"""Where the embedded server keeps its files, and the account it runs as.

PostgreSQL refuses to run as root. Started by root, the hub lends it the account `nobody` (or the account that owns
existing files); no user is created and no folder outside of the hub's own changes its mode. A home that this account
cannot reach, as in a checkout below /root, holds a link to a folder elsewhere; the link is the record of the place.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from mdm.errors import DatabaseUnavailable

FOLDER = "postgres"
SHELTERS = (Path("/var/lib/mdm-hub"), Path("/var/tmp/mdm-hub"))  # noqa: S108 -- owner and mode are verified before use
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX = 103  # sun_path without its NUL: 107 on Linux, 103 on macOS and the BSDs


@dataclass(frozen=True, slots=True)
class Account:
    """Who the server runs as."""

    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Say whether the account may enter every folder on the way to the path, and the path if it is a folder."""
        resolved = path.resolve()
        folders = [*resolved.parents, *([resolved] if resolved.is_dir() else [])]
        return all(self._enters(folder.stat()) for folder in folders)

    def _enters(self, folder: os.stat_result) -> bool:
        if folder.st_uid == self.uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        if folder.st_gid == self.gid:
            return bool(folder.st_mode & stat.S_IXGRP)
        return bool(folder.st_mode & stat.S_IXOTH)


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one embedded server (mode 0700) and the account that owns it."""

    folder: Path
    account: Account

    @property
    def database_folder(self) -> Path:
        """Give the folder that initdb makes."""
        return self.folder / "database"

    @property
    def log(self) -> Path:
        """Give the server's log."""
        return self.folder / "server.log"


def settle(home: Path, shelters: tuple[Path, ...] = SHELTERS) -> Place:
    """Find the place of the server of this home, or make one."""
    home.mkdir(parents=True, exist_ok=True)
    link = home.resolve() / FOLDER
    if not os.path.lexists(link):
        _make(link, _usual_account(), shelters)
    if not link.is_dir():
        raise DatabaseUnavailable(
            f"{link} leads to {link.resolve()}, which is not a folder",
            remedy=f"bring that folder back, or remove {link} to begin with an empty database",
        )
    owner = link.stat()
    place = Place(link.resolve(), Account(owner.st_uid, owner.st_gid))
    if os.geteuid() not in {0, owner.st_uid}:
        raise DatabaseUnavailable(
            f"{place.folder} belongs to the account {owner.st_uid}",
            remedy="run the hub as that account or as root, or set MDM_HOME to a folder of your own",
        )
    if owner.st_uid == 0:  # as after root copied a hub without its owner
        raise DatabaseUnavailable(
            f"{place.folder} belongs to root, and PostgreSQL does not run as root",
            remedy=f"give the files to another account, as by `chown -R nobody {place.folder}`",
        )
    if not place.account.reaches(place.folder):
        raise DatabaseUnavailable(
            f"the account {owner.st_uid} that runs PostgreSQL can no longer reach {place.folder}",
            remedy="let it enter the folders above (chmod o+x), or move the home",
        )
    return place


def shelter_among(shelters: tuple[Path, ...]) -> Path:
    """Give the first folder, made if need be, that root owns and every account can reach but not change."""
    faults = []
    for shelter in shelters:
        try:
            if not os.path.lexists(shelter):
                shelter.mkdir(parents=True)
                shelter.chmod(0o755)
            found = shelter.lstat()
        except OSError as error:
            faults.append(f"{shelter}: {error.strerror}")
            continue
        if stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and stat.S_IMODE(found.st_mode) == 0o755:
            return shelter
        faults.append(f"{shelter}: not a folder of root with mode 0755")
    raise DatabaseUnavailable(
        f"no folder that PostgreSQL can reach without root ({'; '.join(faults)})",
        remedy="set MDM_HOME to a folder that other accounts may enter, or MDM_DATABASE_URL to a server",
    )


def socket_folder(place: Place) -> Path:
    """Give a folder (mode 0700) for the socket, as near as the length of a socket's path allows."""
    if len(os.fsencode(place.folder / SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
        return place.folder
    short = Path("/tmp") / f"mdm-{hashlib.sha256(os.fsencode(place.folder)).hexdigest()[:16]}"  # noqa: S108 -- verified below
    if not os.path.lexists(short):
        short.mkdir(mode=0o700)
        os.chown(short, place.account.uid, place.account.gid, follow_symlinks=False)
    found = short.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != place.account.uid or stat.S_IMODE(found.st_mode) != 0o700:
        raise DatabaseUnavailable(
            f"{short} should be the private folder of the socket, but is not",
            remedy="remove it, or set MDM_HOME to a shorter path",
        )
    return short


def _usual_account() -> Account:
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def _make(link: Path, account: Account, shelters: tuple[Path, ...]) -> None:
    """Make the place in the home, or link the home to one in a shelter; of two at once the first wins."""
    sheltered = not account.reaches(link.parent)
    parent = shelter_among(shelters) if sheltered else link.parent
    folder = parent / f"{link.parent.parent.name or 'home'}-{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700)
    if sheltered:
        (folder / "home").write_text(f"{link.parent}\n", encoding="utf-8")  # for whoever finds the folder
    os.chown(folder, account.uid, account.gid)
    try:
        if sheltered:
            link.symlink_to(folder)
        else:
            folder.rename(link)
    except OSError:
        shutil.rmtree(folder)
        if not link.exists():
            raise
