"""ETags name the golden record and its version; If-Match takes them back as they came, or any."""

import pytest

from api.errors import HttpRefusal
from api.etag import read_if_match, write_etag
from mdm.ids import new_golden_id


def test_a_tag_reads_as_it_was_written() -> None:
    golden_id = new_golden_id("cus")

    assert read_if_match(write_etag(golden_id, 12)) == (golden_id, 12)


@pytest.mark.parametrize("header", [None, "*", " * "])
def test_no_tag_expects_nothing(header: str | None) -> None:
    assert read_if_match(header) is None


@pytest.mark.parametrize("header", ["", "7", "cus_1.7", 'W/"cus_1.7"', '"cus_1"', '"cus_1.x"', '"cus_1.7", "cus_1.8"'])
def test_what_is_no_tag_of_ours_is_refused(header: str) -> None:
    with pytest.raises(HttpRefusal) as refused:
        read_if_match(header)

    assert (refused.value.status, refused.value.place) == (422, "header if-match")
