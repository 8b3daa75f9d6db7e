"""The wheel as a user gets it: built, installed into an empty environment, and asked for the demo."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

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

    Tests reach no package registry, so the libraries are lent by this environment; the hub's own code is not: the
    editable install of this checkout is left out of the lent path.
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
        lend_libraries(python, cwd=folder)

        said = run(folder / "empty" / "bin" / "mdm", "demo", "--no-serve", cwd=folder)

        assert "golden" in said
        where = run(
            python, "-c", "import mdm, api, matching, migrations; print(mdm.__file__, api.__file__)", cwd=folder
        )
        assert str(ROOT) not in where
        assert "empty" in where


def lend_libraries(python: Path, *, cwd: Path) -> None:
    """Let the empty environment import this one's libraries; a path file of ours is not read from a lent folder."""
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=cwd).strip()
    (Path(own) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
