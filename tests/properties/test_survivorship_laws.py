"""Laws of survivorship: same inputs, same bytes; values have origins; groups stay whole; changes are foretold."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mdm.entities.model import EntityType
from mdm.survivorship.model import Contribution, GoldenValues, Override, canonical_bytes
from mdm.survivorship.rules import losers, survive
from tests.unit.survivorship.examples import attribute, entity_type, on, override, record, rule

TRUST = {
    "crm": {"maximum": 90, "minimum": 10, "period_days": 20, "curve": "rapid_first"},
    "erp": {"maximum": 80, "minimum": 30, "period_days": 30, "curve": "slow_first"},
    "psa": {"maximum": 60, "minimum": 50, "period_days": 15},
    "default": {"maximum": 55, "minimum": 0, "period_days": 40},
}

CLIENT = entity_type(
    attribute("name", rule("source_priority", "erp", "crm", fallback=("longest",))),
    attribute("legal_form", rule("same_winner_as", attribute="name")),
    attribute("vat", rule("verified_first", fallback=("most_frequent",))),
    attribute("phone", rule("trust", fallback=("longest",), trust=TRUST)),
    attribute("fax", rule("trust", trust=TRUST, when={"status": {"not": "closed"}})),
    attribute("status", rule("most_frequent")),
    attribute("budget", rule("maximum")),
    attribute("emails", rule("union"), is_list=True),
    attribute("street", rule("most_complete"), group="address"),
    attribute("city", group="address"),
)

TEXTS = st.sampled_from(["a", "A", "bb", "ß", "ä ä", "9", "10"])
VALUES = st.fixed_dictionaries(
    {},
    optional={
        **{name: TEXTS for name in CLIENT.attributes if name not in ("emails", "status")},
        "emails": st.lists(TEXTS, min_size=1, max_size=3),
        "status": st.sampled_from(["open", "closed"]),
    },
)


@st.composite
def members(draw: st.DrawFn) -> list[Contribution]:
    keys = draw(
        st.lists(st.sampled_from([f"{s}:{n}" for s in ("crm", "erp", "psa", "x") for n in (1, 2)]), unique=True)
    )
    names = sorted(CLIENT.attributes)
    return [
        record(
            key,
            draw(VALUES),
            day=draw(st.one_of(st.none(), st.integers(-50, 5), st.floats(-20, 0))),
            rank=draw(st.integers(1, 2)),
            invalid=frozenset(draw(st.sets(st.sampled_from(names), max_size=2))),
            verified=frozenset(draw(st.sets(st.sampled_from(names), max_size=2))),
            changed_at=draw(st.dictionaries(st.sampled_from(names), st.integers(-30, 0).map(on), max_size=2)),
        )
        for key in keys
    ]


OVERRIDES = st.lists(
    st.builds(
        lambda name, value, day, until: override(
            name, value, "for_ever" if until is None else "until", day=day, until=None if until is None else on(until)
        ),
        st.sampled_from(["name", "phone", "status"]),
        st.one_of(st.none(), TEXTS),
        st.integers(-30, 0),
        st.one_of(st.none(), st.integers(-5, 20)),
    ),
    max_size=3,
)


def told(client: EntityType, contributions: list[Contribution], golden: GoldenValues) -> bytes:
    """Write down everything that a golden record says."""
    lost = losers(client, contributions, golden)
    return canonical_bytes(
        {
            "values": golden.values,
            "lineage": {name: origin.to_json() for name, origin in golden.lineage.items()},
            "next": golden.next_change_at.isoformat() if golden.next_change_at else None,
            "overrides": [[s.state, s.override.value, s.newer_record_keys] for s in golden.overrides],
            "losers": {name: [[loser.value, loser.record_key, loser.why] for loser in lost[name]] for name in lost},
        }
    )


@settings(max_examples=80, deadline=None)
@given(members(), OVERRIDES, st.randoms(use_true_random=False))
def test_the_order_of_contributions_and_overrides_changes_no_byte(
    contributions: list[Contribution], overrides: list[Override], random: Any
) -> None:
    shuffled, reordered = list(contributions), list(overrides)
    random.shuffle(shuffled)
    random.shuffle(reordered)

    first = survive(CLIENT, contributions, overrides, on(0))
    second = survive(CLIENT, shuffled, reordered, on(0))

    assert told(CLIENT, contributions, first) == told(CLIENT, shuffled, second)
    assert list(first.values) == list(second.values)


@settings(max_examples=60, deadline=None)
@given(members(), OVERRIDES)
def test_each_value_was_held_by_the_record_or_override_it_names(
    contributions: list[Contribution], overrides: list[Override]
) -> None:
    golden = survive(CLIENT, contributions, overrides, on(0))

    by_key = {contribution.record_key: contribution for contribution in contributions}
    assert set(golden.values) <= set(golden.lineage)
    for name, value in golden.values.items():
        origin = golden.lineage[name]
        if origin.override is not None:
            assert origin.override.value == value
        elif origin.elements:
            for element, keys in zip(value, origin.elements, strict=True):
                assert element in by_key[keys[0]].values[name]
        else:
            assert by_key[origin.record_key].values[name] == value


@settings(max_examples=60, deadline=None)
@given(members())
def test_a_group_is_never_stitched_from_two_records(contributions: list[Contribution]) -> None:
    golden = survive(CLIENT, contributions, (), on(0))

    shown = {name: golden.values.get(name) for name in ("street", "city")}
    held = [{name: c.values.get(name) for name in ("street", "city")} for c in contributions]
    assert shown in held or shown == {"street": None, "city": None}


@settings(max_examples=80, deadline=None)
@given(members(), OVERRIDES, st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_nothing_changes_before_the_foretold_instant_and_something_does_then(
    contributions: list[Contribution], overrides: list[Override], shares: list[float]
) -> None:
    def origins(instant: datetime) -> dict[str, Any]:
        golden = survive(CLIENT, contributions, overrides, instant)
        return {name: (o.record_key, o.override) for name, o in golden.lineage.items() if name != "emails"}

    golden = survive(CLIENT, contributions, overrides, on(0))

    horizon = golden.next_change_at or on(4000)
    assert horizon > on(0)
    last = horizon - timedelta(microseconds=1)
    for instant in (last, *(on(0) + share * (last - on(0)) for share in shares)):
        assert origins(instant) == origins(on(0))
    if golden.next_change_at is not None:
        assert origins(horizon) != origins(on(0))


SCRIPT = """
import sys
from tests.properties.test_survivorship_laws import fixed_example
sys.stdout.buffer.write(fixed_example())
"""


def fixed_example() -> bytes:
    """Give what one fixed golden record says, for comparison between processes."""
    contributions = [
        record("crm:1", {"name": "Acme", "phone": "1", "emails": ["a", "b"], "street": "Weg 1", "status": "open"}),
        record(
            "erp:1", {"name": "ACME", "phone": "2", "emails": ["b", "c"], "city": "Bern", "legal_form": "AG"}, day=-9
        ),
        record("psa:1", {"phone": "3", "fax": "4", "vat": "DE1", "status": "closed"}, day=-3),
        record("x:1", {"phone": "1", "fax": "5", "vat": "DE2", "budget": "10"}, day=None),
    ]
    golden = survive(CLIENT, contributions, [override("status", "held", "until", until=on(900))], on(0))
    return told(CLIENT, contributions, golden)


def test_the_hash_seed_of_a_process_changes_no_byte() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }

    assert said == {fixed_example()}
