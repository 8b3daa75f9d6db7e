"""How trust falls with age, what a failed validation costs, and when the order next changes."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from mdm.entities.model import Origin
from mdm.survivorship.rules import losers, survive
from mdm.survivorship.trust import Trusted, decay_of, to_us
from tests.unit.survivorship.examples import attribute, entity_type, on, record, rule

TICK = timedelta(microseconds=1)


def trusted_by(curve: str = "linear", *, is_invalid: bool = False, failing: dict[str, Any] | None = None) -> Trusted:
    options = {
        "trust": {"crm": {"maximum": 80, "minimum": 30, "period_days": 10, "curve": curve}},
        "failing_validation": failing or {},
    }
    return Trusted(decay_of(options, Origin("crm-us")), on(0), is_invalid)


@pytest.mark.parametrize(
    ("curve", "day", "trust"),
    [
        ("linear", -1, Fraction(80)),  # not yet begun to fall
        ("linear", 0, Fraction(80)),
        ("linear", 5, Fraction(55)),  # 80 - 50 x 1/2
        ("rapid_first", 5, Fraction("42.5")),  # 80 - 50 x 3/4
        ("slow_first", 5, Fraction("67.5")),  # 80 - 50 x 1/4
        ("linear", 10, Fraction(30)),
        ("slow_first", 99, Fraction(30)),
    ],
)
def test_trust_falls_from_maximum_to_minimum_along_its_curve(curve: str, day: int, trust: Fraction) -> None:
    assert trusted_by(curve).at(to_us(on(day))) == trust


def test_a_failing_validation_lowers_trust_to_the_reserved_minimum_or_out_of_the_contest() -> None:
    halved = trusted_by(is_invalid=True)
    lost = trusted_by(is_invalid=True, failing={"lowers_percent": 100, "reserve_minimum": False})
    quartered = trusted_by(is_invalid=True, failing={"lowers_percent": 75, "reserve_minimum": False})

    assert halved.at(to_us(on(0))) == 40  # 80 x 1/2
    assert halved.at(to_us(on(5))) == 30  # 55 x 1/2 = 27.5, never below 30
    assert lost.at(to_us(on(0))) is None
    assert quartered.at(to_us(on(0))) == 20  # 80 x 1/4


def test_a_value_of_unknown_age_is_trusted_at_its_minimum() -> None:
    assert Trusted(trusted_by().decay, None, is_invalid=False).at(to_us(on(0))) == 30


def test_the_longest_name_that_covers_an_instance_gives_its_trust() -> None:
    options = {"trust": {"crm": {"maximum": 1}, "crm-us": {"maximum": 2}, "default": {"maximum": 3}}}

    assert [decay_of(options, Origin(instance)).maximum for instance in ("crm-us", "crm-eu", "erp")] == [2, 1, 3]
    assert decay_of(options, Origin("sales", "crm")).maximum == 1
    assert decay_of({}, Origin("erp")).maximum == 50


def client_with(**trust: Any) -> Any:
    return entity_type(attribute("name", rule("trust", trust=trust)))


def test_decay_changes_the_winner_at_the_instant_foretold() -> None:
    # crm falls from 80 to 30 in 10 days, erp stands at 60: 80 - 5 x day < 60 just after day 4, erp being older.
    client = client_with(crm={"maximum": 80, "minimum": 30, "period_days": 10}, erp={"maximum": 60, "minimum": 60})
    members = [record("crm:1", {"name": "Fresh"}), record("erp:1", {"name": "Steady"}, day=-300)]

    golden = survive(client, members, (), on(0))

    assert golden.values == {"name": "Fresh"}
    assert golden.next_change_at == on(4) + TICK
    assert survive(client, members, (), on(4)).values == {"name": "Fresh"}
    later = survive(client, members, (), on(4) + TICK)
    assert (later.values, later.next_change_at) == ({"name": "Steady"}, None)
    assert losers(client, members, later)["name"][0].why == "less trusted"


def test_equal_trust_changes_the_winner_at_once_when_the_rival_is_better_otherwise() -> None:
    client = client_with(crm={"maximum": 80, "minimum": 30, "period_days": 10}, erp={"maximum": 60, "minimum": 60})
    members = [record("crm:1", {"name": "Fresh"}), record("erp:1", {"name": "Newer"}, day=1)]

    assert survive(client, members, (), on(2)).next_change_at == on(4)


def test_an_order_that_turns_twice_is_foretold_twice() -> None:
    # Both fall from 100 to 0 in 10 days, at day f x 10 to 100 (1 - f)^2 and 100 (1 - f^2). The rapid one, a bonus of 2
    # ahead at first, is overtaken early; when both are down to their minimum the bonus shows again.
    client = client_with(
        rapid={"maximum": 102, "minimum": 2, "period_days": 10, "curve": "rapid_first"},
        slow={"maximum": 100, "minimum": 0, "period_days": 10, "curve": "slow_first"},
    )
    members = [record("rapid:1", {"name": "Rapid"}), record("slow:1", {"name": "Slow"})]

    first = survive(client, members, (), on(0))
    assert first.values == {"name": "Rapid"}
    assert first.next_change_at is not None
    # 100 (1 - f)^2 + 2 = 100 (1 - f^2): 200 f^2 - 200 f + 2 = 0, f = 0.01010 and 0.98990; rapid's key wins a tie.
    assert on(0.1010) < first.next_change_at < on(0.1011)
    second = survive(client, members, (), first.next_change_at)
    assert second.values == {"name": "Slow"}
    assert second.next_change_at is not None
    assert on(9.8989) < second.next_change_at < on(9.8991)
    assert survive(client, members, (), second.next_change_at).values == {"name": "Rapid"}


def test_an_invalid_value_may_lose_and_come_back() -> None:
    client = client_with(crm={"maximum": 90, "minimum": 40, "period_days": 10}, erp={"maximum": 80, "minimum": 0})
    invalid = record("crm:1", {"name": "Odd"}, invalid=frozenset({"name"}))
    members = [invalid, record("erp:1", {"name": "Sound"}, day=-1)]

    golden = survive(client, members, (), on(0))

    # crm: 45, from day 2 on 40 (80 x 1/2) for good; erp: 80 x (1 - age / 365) is 40 at an age of 182.5 days.
    assert golden.values == {"name": "Sound"}
    assert golden.next_change_at == on(181.5)
