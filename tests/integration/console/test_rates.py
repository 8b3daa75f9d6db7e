"""Somebody at the console has rates too, and past them sees a page that says so."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from mdm.settings import Settings
from tests.integration.api.conftest import serving
from tests.integration.console.conftest import SignIn


@pytest.fixture
def client(database_url: str) -> Iterator[TestClient]:
    """Give an application where reading is dear."""
    settings = Settings(
        database_url=database_url, pool_size=4, password_memory_kib=8, password_passes=1, rate_read="5/6000"
    )
    with serving(settings) as opened:
        yield opened


def test_a_person_who_asks_too_much_is_told_so_and_nobody_else_is(sign_in: SignIn) -> None:
    sam = sign_in("sam")  # looked at /me once
    asked = [sam.get("/me") for _ in range(5)]
    ann = sign_in("ann")

    assert [page.status_code for page in asked] == [200] * 4 + [429]
    assert asked[0].headers["ratelimit-policy"] == '"read";q=5;w=6000'
    assert 0 < int(asked[-1].headers["retry-after"]) <= 1_200  # 5 in 6,000 s
    assert "5 requests in 6000 s are allowed" in asked[-1].text
    assert ann.get("/me").status_code == 200
