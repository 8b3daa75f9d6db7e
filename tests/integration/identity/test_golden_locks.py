"""Golden records are waited for in one order; against it they are taken where nobody has them."""

import pytest

from mdm.db.transaction import transaction
from mdm.errors import TouchedSetGrew
from mdm.hub import Hub
from mdm.identity import store
from mdm.identity.service import GoldenLocks
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from tests.hubs import delivery, golden_by_key

pytestmark = pytest.mark.db


@pytest.fixture
def ids(hub: Hub) -> list[GoldenId]:
    """Give three golden records in the order in which they are locked."""
    deliver(hub, [delivery(f"crm-east/Account:{key}", "widget_hold", name=key) for key in "abc"], who="test")
    return sorted(map(GoldenId, golden_by_key(hub).values()))


def test_what_comes_before_is_taken_where_nobody_has_it(hub: Hub, ids: list[GoldenId]) -> None:
    with transaction(hub.engine) as connection:
        locks = GoldenLocks(["wht"])
        assert locks.hold(connection, ids[1:2])

        assert locks.hold(connection, ids)

        assert not locks.hold(connection, ids)
        with transaction(hub.engine) as other:
            assert store.lock_free_goldens(other, ids) == frozenset()


def test_what_comes_before_and_is_another_writers_is_not_waited_for(hub: Hub, ids: list[GoldenId]) -> None:
    with transaction(hub.engine) as other, transaction(hub.engine) as connection:
        GoldenLocks(["wht"]).hold(other, ids[:1])
        locks = GoldenLocks(["wht"])
        locks.hold(connection, ids[1:2])

        with pytest.raises(TouchedSetGrew) as grew:
            locks.hold(connection, ids)

    assert grew.value.golden_ids == frozenset(ids)


def test_what_an_earlier_attempt_needed_is_locked_with_the_first(hub: Hub, ids: list[GoldenId]) -> None:
    with transaction(hub.engine) as connection:
        GoldenLocks(["wht"], frozenset(ids)).hold(connection, ids[2:])

        with transaction(hub.engine) as other:
            assert store.lock_free_goldens(other, ids) == frozenset()
