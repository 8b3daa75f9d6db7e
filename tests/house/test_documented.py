"""Whatever a user can name, the reference names too: settings, error codes, metrics, commands, routes.

The pages are made from the code by `make docs`, so that documenting is one command; a room not built yet has no page.
"""

import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from api.schemas.changes import DETAILS, SUMMARIES
from mdm import telemetry
from mdm.errors import HubError
from mdm.publishing.model import EventKind
from mdm.settings import variables

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = "\n".join(page.read_text(encoding="utf-8") for page in sorted((DOCS / "reference").glob("*.md")))


@pytest.fixture(scope="module")
def generator() -> Mapping[str, Any]:
    return runpy.run_path(str(DOCS / "generate.py"))


def error_classes(root: type[HubError] = HubError) -> list[type[HubError]]:
    return [root, *(each for child in root.__subclasses__() for each in error_classes(child))]


@pytest.mark.parametrize("variable", variables())
def test_every_setting_is_documented(variable: str) -> None:
    assert f"`{variable}`" in REFERENCE


def test_every_error_code_is_documented_and_none_is_used_twice() -> None:
    classes = [each for each in error_classes() if each.__module__.startswith(("mdm", "api"))]
    codes = [each.code for each in classes]

    assert [code for code in codes if f"`{code}`" not in REFERENCE] == []
    assert sorted(codes) == sorted(set(codes))


def test_every_metric_is_documented() -> None:
    names = [family.name for family in telemetry.REGISTRY.collect() if family.name.startswith("mdm_")]

    assert [name for name in names if f"`{name}`" not in REFERENCE] == []


def test_every_kind_of_the_change_feed_and_what_it_says_stands_in_its_guide() -> None:
    guide = (DOCS / "guides" / "change-feed.md").read_text(encoding="utf-8")
    kinds, keys = guide.split("## Kinds")[1].split("## Details")

    assert DETAILS.keys() == SUMMARIES.keys() == set(get_args(EventKind))
    assert [kind for kind in get_args(EventKind) if f"\n| `{kind}` |" not in kinds] == []
    named = {name for details in DETAILS.values() for name in details.model_fields}
    assert [name for name in sorted(named) if f"`{name}`" not in keys] == []


def test_commands_routes_and_all_else_stand_in_the_pages_as_the_code_has_them(generator: Mapping[str, Any]) -> None:
    assert generator["stale"](DOCS / "reference") == [], "run `make docs`"


def test_a_page_that_lags_behind_is_found(generator: Mapping[str, Any], tmp_path: Path) -> None:
    for name, text in generator["pages"]():
        (tmp_path / name).write_text(text.replace("`MDM_HTTP_PORT`", ""), encoding="utf-8")

    assert generator["stale"](tmp_path) == ["settings.md"]


def test_links_between_the_pages_lead_somewhere() -> None:
    root = DOCS.parent
    broken = [
        f"{page.relative_to(root)}: {link}"
        for page in [*root.glob("*.md"), *DOCS.rglob("*.md")]
        for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]

    assert broken == []
