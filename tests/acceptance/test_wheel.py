"""The wheel as a user gets it: built, installed into an empty environment, and asked for the demo."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Collection, Iterable
from email import message_from_bytes
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.databases import reachable_folder

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MDM_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.db
@pytest.mark.timeout(300)
def test_the_wheel_runs_the_demo_in_an_empty_environment() -> None:
    """Everything the hub reads at run time must travel in the wheel: declarations, tables, migrations, pages.

    Tests reach no package registry, so pip installs the wheel alone and this environment lends the libraries: those
    which the wheel's own metadata asks for, with theirs, file by file. What it does not declare, as the tools of
    development and the editable install of this checkout, cannot be imported there.
    """
    with reachable_folder() as folder:
        run(
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--no-deps",
            "--no-build-isolation",
            "--quiet",
            "-w",
            folder,
            ROOT,
            cwd=folder,
        )
        (wheel,) = folder.glob("mdm_hub-*.whl")
        run(sys.executable, "-m", "venv", "--without-pip", folder / "empty", cwd=folder)
        python = folder / "empty" / "bin" / "python"
        run(
            sys.executable,
            "-m",
            "pip",
            f"--python={python}",
            "install",
            "--no-deps",
            "--no-index",
            "--quiet",
            wheel,
            cwd=folder,
        )
        lent = lend_libraries(python, asked_by(wheel), cwd=folder)

        assert "sqlalchemy" in lent
        assert lent.isdisjoint({"mdm-hub", "pytest", "hypothesis", "scikit-learn", "numba", "pyspark"})
        absent = (
            "import importlib.util; print([n for n in ('pytest', 'sklearn', 'numba') if importlib.util.find_spec(n)])"
        )
        assert run(python, "-c", absent, cwd=folder).strip() == "[]"
        said = run(folder / "empty" / "bin" / "mdm", "demo", "--no-serve", cwd=folder)

        assert "golden" in said
        where = run(
            python, "-c", "import mdm, api, matching, migrations; print(mdm.__file__, api.__file__)", cwd=folder
        )
        assert str(ROOT) not in where
        assert "empty" in where


def asked_by(wheel: Path) -> list[Requirement]:
    """Read what a wheel asks for, with the extra of the embedded PostgreSQL, which a first run takes."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    return wanted(metadata.get_all("Requires-Dist", []), {"embedded"})


def wanted(lines: Iterable[str], extras: Collection[str]) -> list[Requirement]:
    """Keep the requirements that hold for this Python with these extras."""
    requirements = map(Requirement, lines)
    return [
        one
        for one in requirements
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


def lend_libraries(python: Path, asked: list[Requirement], *, cwd: Path) -> set[str]:
    """Link the files of what is asked for, and of what that asks for, into the empty environment; give the names."""
    own = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=cwd).strip())
    lent: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    while asked:
        requirement = asked.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        library = distribution(name)
        assert requirement.specifier.contains(library.version, prereleases=True), (
            f"{requirement}, not {library.version}"
        )
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        asked += wanted(library.requires or [], extras)
        if name not in lent:
            lent.add(name)
            link_files(library, own)
    return lent


def link_files(library: Distribution, folder: Path) -> None:
    """Link what a library installed beside other libraries; its commands are not needed."""
    for file in library.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            link = folder / file
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(str(library.locate_file(file))))
