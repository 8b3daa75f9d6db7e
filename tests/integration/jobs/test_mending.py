"""What waits among the exceptions is grouped by reason, tried without writing, mended, and worked off in groups."""

from datetime import timedelta

import pytest

from mdm import clock
from mdm.access.limits import Limits
from mdm.db.transaction import run
from mdm.errors import ExceptionClosed, ExceptionUnknown, InputInvalid
from mdm.hub import Hub
from mdm.ids import ExceptionId
from mdm.jobs import mending
from mdm.jobs.service import deliver
from mdm.sources import exceptions
from mdm.sources.exceptions_model import ExceptionFilter
from mdm.sources.model import DeliveryException
from tests.hubs import delivery, golden_by_key, row_marks

pytestmark = pytest.mark.db

ALL = ExceptionFilter()
GIZMO, SECOND, UNUSUAL = "crm-east/Gizmo:1", "crm-west/Gizmo:2", "crm-east/Gizmo:3"


@pytest.fixture
def faulty(hub: Hub) -> Hub:
    """Give a hub with two gizmos without a name, of two sources, one with a strange grade that was taken, two codes."""
    deliver(
        hub,
        [
            delivery(GIZMO, "gizmo", grade="a", colour="red"),
            delivery(SECOND, "gizmo", colour="blue"),
            delivery(UNUSUAL, "gizmo", name="cog", grade="best"),
        ],
        who="test",
    )
    return hub


def listed(hub: Hub, asked: ExceptionFilter = ALL, **more: object) -> list[DeliveryException]:
    return list(run(hub.engine, lambda c: exceptions.listed_by(c, asked, **more)))  # type: ignore[arg-type]


def the_id(hub: Hub, key: str) -> ExceptionId:
    (found,) = [one.id for one in listed(hub) if one.source_key == key]
    return found


def test_they_are_grouped_by_entity_type_source_and_reason_with_an_example(faulty: Hub) -> None:
    groups = run(faulty.engine, lambda c: exceptions.grouped(c, ExceptionFilter()))

    told = {(one.source, one.kind, one.code, one.field): one.count for one in groups}
    # The gizmo of crm-west has two faults and counts under each: it has no name, and no grade.
    assert told == {
        ("crm-east", "rejected", "name_missing", "name"): 1,
        ("crm-west", "rejected", "name_missing", "name"): 1,
        ("crm-west", "rejected", "grade_missing", "grade"): 1,
        ("crm-east", "warning", "grade_unusual", "grade"): 1,
    }
    example = next(one for one in groups if one.code == "grade_unusual")
    assert (example.example_id, example.remedy) == (the_id(faulty, UNUSUAL), "correct it in the source")


def test_the_list_is_filtered_and_paged_within_the_limits(faulty: Hub) -> None:
    now = clock.now()
    east = ExceptionFilter(limits=Limits({"gizmo": frozenset({"crm-east"})}))
    keys = {
        "source": [one.source_key for one in listed(faulty, ExceptionFilter(source="crm-west"))],
        "code": [one.source_key for one in listed(faulty, ExceptionFilter(code="grade_missing", field="grade"))],
        "kind": [one.source_key for one in listed(faulty, ExceptionFilter(kind="warning"))],
        "type": [one.source_key for one in listed(faulty, ExceptionFilter(entity_type="widget_hold"))],
        "since": [one.source_key for one in listed(faulty, ExceptionFilter(since=now + timedelta(hours=1)))],
        "limits": [one.source_key for one in listed(faulty, east)],
        "nothing": [one.source_key for one in listed(faulty, ExceptionFilter(limits=Limits({})))],
    }
    first = listed(faulty, limit=2)

    assert keys == {
        "source": [SECOND],
        "code": [SECOND],
        "kind": [UNUSUAL],
        "type": [],
        "since": [],
        "limits": [GIZMO, UNUSUAL],
        "nothing": [],
    }
    assert len(first + listed(faulty, after=first[-1].id)) == 3
    assert run(faulty.engine, lambda c: exceptions.count_by(c, east)) == 2


def test_a_card_shows_the_fields_at_fault_first_also_one_that_is_missing(faulty: Hub) -> None:
    missing = mending.exception_card(faulty, the_id(faulty, GIZMO))
    unusual = mending.exception_card(faulty, the_id(faulty, UNUSUAL))

    assert [(one.column, one.attribute, [f.code for f in one.faults]) for one in missing.fields] == [
        ("", "name", ["name_missing"]),
        ("grade", "grade", []),
        ("colour", "", []),
    ]
    assert missing.fields[0].faults[0].remedy == "deliver one of them"
    assert [(one.column, one.value, [f.code for f in one.faults]) for one in unusual.fields] == [
        ("grade", "best", ["grade_unusual"]),
        ("name", "cog", []),
    ]
    assert (missing.faults, unusual.faults) == ((), ())


def test_a_try_says_what_a_replay_would_do_and_writes_nothing(faulty: Hub) -> None:
    id_ = the_id(faulty, GIZMO)
    before = row_marks(faulty)

    good = mending.try_mend(faulty, id_, {"name": "wheel"}, who="ann")
    bad = mending.try_mend(faulty, id_, {"grade": "worst"}, who="ann")
    with pytest.raises(InputInvalid):
        mending.try_mend(faulty, id_, {"nam": "wheel"}, who="ann")

    assert row_marks(faulty) == before
    assert (good.is_taken, good.outcome.status, good.outcome.outcome) == (True, "created", "created")
    assert [(one.column, one.value) for one in good.card.fields] == [
        ("grade", "a"),
        ("colour", "red"),
        ("name", "wheel"),
    ]
    assert (bad.is_taken, [one.code for one in bad.outcome.errors]) == (False, ["name_missing", "grade_unusual"])
    done = mending.mend_and_replay(faulty, id_, {"name": "wheel"}, who="ann")
    assert (done.status, done.outcome) == (good.outcome.status, good.outcome.outcome)
    assert GIZMO in golden_by_key(faulty)
    with pytest.raises(ExceptionClosed):
        mending.try_mend(faulty, id_, {}, who="ann")


def test_what_lies_beyond_the_limits_is_as_unknown_as_what_never_was(faulty: Hub) -> None:
    id_, west = the_id(faulty, GIZMO), Limits({"gizmo": frozenset({"crm-west"})})

    for act in (
        lambda: mending.exception_card(faulty, id_, limits=west),
        lambda: mending.try_mend(faulty, id_, {"name": "wheel"}, who="ann", limits=west),
        lambda: mending.mend_and_replay(faulty, id_, {"name": "wheel"}, who="ann", limits=west),
    ):
        with pytest.raises(ExceptionUnknown):
            act()
    assert mending.replay_group(faulty, ExceptionFilter(limits=Limits({})), who="ann").fates == {}


def test_a_group_is_replayed_each_on_its_own_and_what_is_faulty_still_waits(faulty: Hub) -> None:
    id_ = the_id(faulty, GIZMO)
    run(faulty.engine, lambda c: exceptions.mend(c, faulty.declared, id_, {"name": "wheel"}))
    steps: list[tuple[int, int]] = []

    done = mending.replay_group(
        faulty, ExceptionFilter(kind="rejected"), who="ann", on_step=lambda *step: steps.append(step)
    )

    assert (done.fates, done.left, done.failures) == ({"taken": 1, "rejected": 1}, 0, {})
    assert done.rejected_ids == (the_id(faulty, SECOND),)
    assert steps == [(1, 2), (2, 2)]
    assert GIZMO in golden_by_key(faulty)
    assert [one.source_key for one in listed(faulty)] == [SECOND, UNUSUAL]


def test_a_group_is_dismissed_up_to_a_bound_that_tells_what_is_left(faulty: Hub) -> None:
    rejected = ExceptionFilter(kind="rejected")

    first = mending.dismiss_group(faulty, rejected, who="ann", limit=1)
    second = mending.dismiss_group(faulty, rejected, who="ann")

    assert ((first.fates, first.left), (second.fates, second.left)) == (({"dismissed": 1}, 1), ({"dismissed": 1}, 0))
    assert [one.source_key for one in listed(faulty)] == [UNUSUAL]
    assert [one.source_key for one in listed(faulty, ExceptionFilter(state="dismissed"))] == [GIZMO, SECOND]
