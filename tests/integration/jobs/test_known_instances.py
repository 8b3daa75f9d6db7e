"""Which source instances there are: asked once, and again for one that was never seen."""

import pytest

from mdm.hub import Hub
from mdm.jobs.known_instances import KnownInstances
from mdm.jobs.service import deliver
from tests.hubs import delivery, register_instances, statements

pytestmark = pytest.mark.db


def test_what_was_seen_is_not_asked_for_again(hub: Hub) -> None:
    register_instances(hub, "crm", "erp")
    with statements(hub) as sent:
        assert "crm" in KnownInstances(hub)
        assert sent
    with statements(hub) as sent:
        assert "crm" in KnownInstances(hub)
        assert "erp" in KnownInstances(hub)
        assert sent == []


def test_one_that_nobody_registered_is_asked_for_once_a_call(hub: Hub) -> None:
    known = KnownInstances(hub)
    with statements(hub) as sent:
        assert "crm" not in known
        asked = len(sent)
        assert "crm" not in known
        assert "erp" not in known
        assert len(sent) == asked


def test_one_that_is_registered_meanwhile_is_known_to_the_next_call(hub: Hub) -> None:
    news = [delivery("crm/Account:1", "customer", name="Brightwater")]
    (refused,) = deliver(hub, news, who="t")
    assert refused.status == "rejected"

    register_instances(hub, "crm")

    (taken,) = deliver(hub, news, who="t")
    assert taken.status == "created"
