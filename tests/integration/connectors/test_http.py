"""The client over real sockets, before a server that keeps to no rule."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from mdm.connectors.http import ERROR_BYTES_MAX, HttpClient
from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import ANSWER_TWICE, LONG_PAGE
from mdm.demo.fakes.wire import running

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture
def fake() -> Iterator[Fake]:
    with running(Fake(ERP)) as fake:
        yield fake


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(allowed=LOOPBACK)
    yield client
    client.close()


def test_a_second_answer_to_one_request_is_not_taken_for_that_of_the_next(fake: Fake, client: HttpClient) -> None:
    """It was: the library keeps the bytes that are left over, and a lost message would have counted as received."""
    fake.faults.script(None, ANSWER_TWICE)
    headers = {"Authorization": f"Bearer {fake.hub_key}"}

    answers = [
        client.send("GET", f"{fake.url}/api/customer", headers={**headers, "X-Request-Id": number}) for number in "1234"
    ]

    assert [answer.headers["x-request-id"] for answer in answers] == ["1", "2", "3", "4"]


def test_no_more_than_a_little_of_an_error_is_read(fake: Fake, client: HttpClient) -> None:
    fake.faults.script(LONG_PAGE)
    headers = {"Authorization": f"Bearer {fake.hub_key}"}

    answer = client.send("GET", f"{fake.url}/api/customer", headers=headers)

    assert (answer.status, len(answer.body)) == (500, ERROR_BYTES_MAX)
