"""The vendored docs page is the file that was looked at, and it names no other host."""

from hashlib import sha256
from importlib.resources import files

import pytest

PINS = {
    "rapidoc-min.js": "affbd173a65e870e18f392cca963113bcdafb6e50e88cd2f6a834a65b22db94d",
    "rapidoc-LICENSE.txt": "92682ac573adb5e1357f1f41dd0eaa2f0e9dd6116b569218978c2469c1cd085c",
    "rapidoc-bundled-licences.txt": "b6366d212427ca41732dd93ce56a47ceaf7a0902edc2e90b22ca6a9d6feff20e",
}
FOLDER = files("api.docs") / "static"


@pytest.mark.parametrize("name", PINS)
def test_a_vendored_file_is_pinned(name: str) -> None:
    assert sha256((FOLDER / name).read_bytes()).hexdigest() == PINS[name]


def test_every_file_of_the_folder_is_pinned_or_ours() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*PINS, "index.html"}


def test_the_page_loads_from_this_host_only() -> None:
    page = (FOLDER / "index.html").read_text()

    assert "//" not in page.replace("<!doctype html>", "")
    assert 'load-fonts="false"' in page
