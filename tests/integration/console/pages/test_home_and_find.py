"""The palette, the list of records and the first page show what fits, why, and nobody more than they may see."""

import re

import pytest

from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.hubs import delivery, golden_by_key
from tests.integration.console.pages.conftest import SignIn

pytestmark = pytest.mark.db

EVIL = "<img src=x onerror=alert(1)>\u202e\u200bLtd"


@pytest.fixture
def stocked(hub: Hub) -> Hub:
    """Give a hub with a customer in two systems, one with a hostile name, and a gizmo without a name."""
    deliver(
        hub,
        [
            delivery(
                "crm-east/account:A1", "customer", name="Harbour Lights Ltd", country="GB", vat_number="GB284661509"
            ),
            delivery(
                "crm-west/account:A2", "customer", name="Harbour Lights Limited", country="GB", vat_number="GB284661509"
            ),
            delivery("crm-east/account:A3", "customer", name=EVIL, country="GB"),
            delivery("crm-east/Gizmo:1", "gizmo", grade="a"),
        ],
        who="test",
    )
    return hub


def options(page: str) -> list[str]:
    return re.findall(r'<(?:a|div) role="option" id="([^"]+)"', page)


def test_the_palette_says_why_and_chooses_the_first(stocked: Hub, sign_in: SignIn) -> None:
    golden = golden_by_key(stocked)

    page = sign_in("mara", "lead").page("/find", q="GB 284 661 509")

    assert page.index(f"/records/{golden['crm-east/account:A1']}") < page.index("/records?q=")
    assert "GB284661509" in page
    assert page.count('aria-selected="true"') == 1
    assert page.index('aria-selected="true"') < page.index("/records/")
    assert len(options(page)) == len(set(options(page))) == 2
    assert "Crm-East" in page
    assert "Crm-West" in page


def test_nothing_typed_gives_the_pages_one_may_open_and_nothing_found_says_so(stocked: Hub, sign_in: SignIn) -> None:
    vera, ada = sign_in("vera", "viewer"), sign_in("ada", "admin")

    pages = ["/", "/records", "/activation", "/targets", "/me", "#theme", "#help", "/docs"]
    assert re.findall(r'href="([^"]+)"', vera.page("/find")) == pages
    assert "/people#add" in ada.page("/find", q="invite")
    assert "/people" not in vera.page("/find", q="invite")
    nothing = ada.page("/find", q="qqqqzzzz")
    assert "No record fits" in nothing
    assert options(nothing) == ["found-none", "found-1"]


def test_hostile_text_is_shown_and_never_run(stocked: Hub, sign_in: SignIn) -> None:
    mara = sign_in("mara", "lead")

    for page in (mara.page("/find", q="crm-east/account:A3"), mara.page("/records"), mara.page("/records", q=EVIL)):
        assert "<img src=x" not in page
        assert "\u202e" not in re.sub(r'value="[^"]*"|href="[^"]*"', "", page)
    assert "⟨RLO⟩" in mara.page("/records")
    assert "&lt;script&gt;" in mara.page("/find", q='"><script>alert(1)</script>')


def test_limits_hold_in_the_palette_the_list_and_the_pictures(stocked: Hub, sign_in: SignIn) -> None:
    of_gizmos = sign_in("gus", "steward", entity_types=("gizmo",))
    of_west = sign_in("wes", "steward", sources=("crm-west",))

    assert "Harbour" not in of_gizmos.page("/find", q="harbour") + of_gizmos.page("/records") + of_gizmos.page("/")
    west = of_west.page("/records")
    assert "Harbour Lights Limited" in west
    assert "Harbour Lights Ltd" not in west
    assert "img src" not in west
    assert "Crm-East" not in west
    assert "Crm-East" not in of_west.page("/find", q="harbour") + of_west.page("/")


def test_the_list_filters_and_turns_pages(stocked: Hub, sign_in: SignIn) -> None:
    deliver(
        stocked,
        [delivery(f"crm-west/Gizmo:{n}", "gizmo", name=f"cog {n:03}", grade="a") for n in range(100, 153)],
        who="test",
    )
    mara = sign_in("mara", "lead")
    names = re.compile(r"cog \d{3}")

    first = mara.page("/records", entity_type="gizmo")
    (address,) = re.findall(r'href="([^"]+)" rel="next"', first)
    second = mara.page(address.replace("&amp;", "&"))

    shown = [*names.findall(first), *names.findall(second)]
    assert (len(names.findall(first)), len(shown), len(set(shown))) == (50, 53, 53)
    assert 'rel="next"' not in second
    assert "cog" not in mara.page("/records", entity_type="gizmo", source="crm-east")
    found = mara.page("/records", q="harbour", source="crm-west")
    assert "Harbour Lights" in found
    assert mara.get("/records", state="nowhere").status_code == 422
    assert mara.get("/records", q="x" * 9_000, after="z" * 90).status_code == 200


def test_an_empty_hub_says_what_to_do_first(sign_in: SignIn) -> None:
    page = sign_in("mara", "lead").page("/")

    assert "mdm demo" in page
    assert "mdm load" in page
    assert "2 systems are registered" in page


def test_home_draws_what_is_there_with_its_numbers(stocked: Hub, sign_in: SignIn) -> None:
    mara, vera = sign_in("mara", "lead").page("/"), sign_in("vera", "viewer").page("/")

    # Three customers of three records in two systems: two of them are one. The gizmo without a name waits.
    assert '<th scope="row">Clients</th><td>2</td><td>1</td>' in mara
    assert '<th scope="row">Crm-East</th><td>2</td><td>2</td>' in mara
    assert "Name missing" in mara
    assert "exceptions to mend" in mara
    assert "Name missing" not in vera
    assert "open questions" not in vera
    assert "Clients" in vera
