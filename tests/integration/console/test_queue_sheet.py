"""Sheets through the page: tried, carried out, bounded; hostile names, cells and files; what is not one's own."""

import re
from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from mdm.decisions.review_model import ReviewFilter
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.stewardship import reviews
from tests.hubs import assert_sound, delivery, partition_of, row_marks
from tests.integration.console.conftest import SignIn, Visitor
from tests.integration.console.queues import MEDIA_TYPE, WITH_WIDGETS, ask_about_clients, decided, saved

pytestmark = pytest.mark.db

EVIL = '"><script>alert(1)</script>\u202e.xlsx'


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, **WITH_WIDGETS)


def send(who: Visitor, content: bytes, *, name: str = "mine.xlsx", **fields: str) -> Any:
    return who.client.post(
        "/queue/sheet",
        data={"csrf": who.csrf, **fields},
        files={"sheet": (name, content, MEDIA_TYPE)},
        follow_redirects=False,
    )


def digest_in(page: str) -> str:
    found = re.search(r'"tried": "([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def merge_all(_number: int, _cells: Mapping[str, Any]) -> dict[str, str]:
    return {"Decision": "Merge"}


def test_a_sheet_is_tried_first_and_carried_out_only_as_it_was_tried(hub: Hub, sign_in: SignIn, tmp_path: Path) -> None:
    ask_about_clients(hub, "Kestrel Ltd", "Heron Ltd")
    sam = sign_in("sam")
    got = sam.get("/queue/sheet?type=customer")
    assert got.headers["content-type"] == MEDIA_TYPE
    assert re.fullmatch(r'attachment; filename="reviews-[-0-9]{10}\.xlsx"', got.headers["content-disposition"])
    filled = decided(got.content, merge_all)
    before = row_marks(hub)

    tried = send(sam, filled)

    assert tried.status_code == 200
    assert "Tried, nothing changed yet" in tried.text
    assert {table: rows for table, rows in row_marks(hub).items() if table != "session"} == {
        table: rows for table, rows in before.items() if table != "session"
    }
    other = send(sam, decided(got.content, lambda _n, _c: {"Decision": "Keep apart"}), tried=digest_in(tried.text))
    assert "not the one you tried before" in other.text
    assert reviews.count_reviews(hub) == 2

    done = send(sam, filled, tried=digest_in(tried.text))

    assert "Carried out" in done.text
    assert reviews.count_reviews(hub) == 0
    assert len(partition_of(hub)) == 2
    sheet = re.search(r";base64,([A-Za-z0-9+/=]+)\"", done.text)
    assert sheet is not None
    headings, *rows = saved(b64decode(sheet[1]), tmp_path / "results.xlsx")
    assert (headings[:2], [row[:2] for row in rows]) == (["Result", "What happened"], [["answered", ""]] * 2)
    assert "answered so before" in send(sam, filled, tried=digest_in(tried.text)).text
    assert_sound(hub)


def test_names_and_cells_of_others_are_shown_as_text(hub: Hub, sign_in: SignIn) -> None:
    ask_about_clients(hub, "Kestrel <i>Ltd</i>")
    sam = sign_in("sam")
    filled = decided(
        sam.get("/queue/sheet").content, lambda _n, _c: {"Decision": "<img src=x onerror=alert(1)>", "Relation": "=1+1"}
    )

    page = send(sam, filled, name=EVIL).text

    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert "RLO" in page  # the mark in the place of the character that turns the direction
    assert "decision_unknown" in page


def test_rows_of_another_entity_type_are_refused_as_unknown(hub: Hub, sign_in: SignIn) -> None:
    ask_about_clients(hub, "Kestrel Ltd")
    for place in ("east", "west"):
        deliver(hub, [delivery(f"crm-{place}/Account:w", "widget_hold", name="red")], who="test")
    mara, sam = sign_in("mara", "lead"), sign_in("sam", entity_types=("customer",))
    filled = decided(mara.get("/queue/sheet?type=widget_hold").content, merge_all)

    tried = send(sam, filled)

    assert "review_unknown" in tried.text
    assert "hx-vals" not in tried.text  # nothing of it can be carried out
    assert "review_unknown" in send(sam, filled, tried=sha256(filled).hexdigest()).text
    assert reviews.count_reviews(hub, ReviewFilter(entity_types=("widget_hold",))) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "no file"), (b"not a workbook", "The file"), (b"PK\x03\x04" + b"\0" * 100, "The file")],
    ids=["empty", "text", "broken zip"],
)
def test_what_is_no_workbook_is_refused_without_a_path_of_this_machine(
    content: bytes, words: str, sign_in: SignIn
) -> None:
    refused = send(sign_in("sam"), content, name="../../etc/passwd")

    assert refused.status_code == 422
    assert words in refused.text
    assert "mdm-sheet-" not in refused.text


def test_a_form_with_a_file_needs_the_token_the_type_and_the_bounds(sign_in: SignIn) -> None:
    sam = sign_in("sam")
    files = {"sheet": ("a.xlsx", b"x", MEDIA_TYPE)}

    assert sam.client.post("/queue/sheet", files=files).status_code == 403
    assert sam.client.post("/queue/sheet", data={"csrf": "another"}, files=files).status_code == 403
    assert sam.client.post("/queue/sheet", files=files, headers={"x-csrf-token": sam.csrf}).status_code == 422
    two = [("sheet", ("a", b"x", MEDIA_TYPE)), ("other", ("b", b"x", MEDIA_TYPE))]
    assert sam.client.post("/queue/sheet", data={"csrf": sam.csrf}, files=two).status_code == 400
    many = {f"f{number}": "x" for number in range(60)}
    assert sam.client.post("/queue/sheet", data={**many, "csrf": sam.csrf}, files=files).status_code == 400
    assert send(sam, b"x", tried="y" * 20_000).status_code == 400
    assert send(sam, b"x", tried="a\0b").status_code == 422
    cut = sam.client.post(
        "/queue/sheet",
        content=b"--cut\r\nContent-Disposition: form-data",
        headers={"content-type": "multipart/form-data; boundary=cut", "x-csrf-token": sam.csrf},
    )
    assert cut.status_code in {400, 422}
    # Only this route takes a file.
    assert sam.client.post("/queue/saved", data={"csrf": sam.csrf}, files=files).status_code == 415


class TestSmall:
    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return Settings(database_url=database_url, **{**WITH_WIDGETS, "batch_body_bytes_max": 2_000})

    def test_a_file_beyond_the_bound_is_refused(self, engine: Engine, sign_in: SignIn) -> None:
        refused = send(sign_in("sam"), b"x" * 3_000)

        assert refused.status_code == 413
        assert "2000 bytes" in refused.text


def test_more_decisions_than_a_page_takes_are_for_the_command(
    hub: Hub, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.console.routes.queue_sheet.DECISIONS_MAX", 1)
    ask_about_clients(hub, "Kestrel Ltd", "Heron Ltd")
    sam = sign_in("sam")

    refused = send(sam, decided(sam.get("/queue/sheet").content, merge_all))

    assert refused.status_code == 413
    assert "mdm review sheet import" in refused.text
