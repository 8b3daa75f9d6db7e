"""An environment for each other system, apart from the project's own, made from its requirements when missing."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PLACE = HERE.parents[1] / "build" / "peers"  # not kept in version control
OTHERS = ("goldenmatch", "nomenklatura")


def python_of(name: str, place: Path = PLACE) -> str:
    """Give the Python of a system's environment; pip fetches what it needs the first time."""
    wanted = HERE / f"requirements-{name}.txt"
    stamp = place / name / "requirements.txt"
    python = place / name / "bin" / "python"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted.read_text(encoding="utf-8"):
        print(f"Making the environment of {name} in {place / name} (once; about a minute).", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", place / name], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted]
        subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
        stamp.write_text(wanted.read_text(encoding="utf-8"), encoding="utf-8")
    return str(python)
