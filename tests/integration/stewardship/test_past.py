"""What happened is told from the events as they were written: one event, the life of an id, the story of a record.

A shared code is worth 10 bits, an equal name 4, the match line is 8.
"""

from typing import Any

import pytest

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import EventUnknown, GoldenRecordUnknown
from mdm.hub import Hub
from mdm.identity.model import Standing
from mdm.ids import EventId, GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import service
from mdm.stewardship.past import Chapter, Life, Story, causes_of, life_of, story_of, tell_event
from tests.hubs import delivery, golden_by_key

pytestmark = pytest.mark.db

A, B, C, D = (f"crm-east/Account:{letter}" for letter in "abcd")


def send(hub: Hub, key: str, entity_type: str = "widget_hold", **fields: Any) -> None:
    (outcome,) = deliver(hub, [delivery(key, entity_type, **fields)], who="test")
    assert outcome.status != "rejected", outcome


def decide(hub: Hub, left: str, right: str, judgement: Any, reason: str = "seen") -> Any:
    return service.decide(hub, SourceKey.parse(left), SourceKey.parse(right), Verdict(judgement, reason), who="ann")


def life(hub: Hub, golden_id: str) -> Life:
    return run(hub.engine, lambda c: life_of(c, GoldenId(golden_id)))


def steps(hub: Hub, golden_id: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(line.step.kind, line.step.others) for line in life(hub, golden_id).lines]


def story(hub: Hub, golden_id: str) -> Story:
    return run(hub.engine, lambda c: story_of(c, GoldenId(golden_id)))


def told(chapter: Chapter) -> tuple[str, str, int]:
    return chapter.kind, "".join(key[-1] for key in chapter.record_keys), chapter.members_count


def test_the_life_of_ids_through_merge_and_parting(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    golden = golden_by_key(hub)
    decision = decide(hub, A, B, "same")
    merged = life(hub, golden[B])
    assert (merged.golden.state, merged.golden.forward_to, merged.absorbed) == ("forwarded", golden[A], ())
    assert life(hub, golden[A]).absorbed == (golden[B],)

    service.revoke(hub, decision.id, who="ann")

    # Widgets of policy hold stay free until they are established, so the one that leaves takes back its own id.
    assert steps(hub, golden[A]) == [("minted", ()), ("survived", (golden[B],)), ("split", (golden[B],))]
    assert steps(hub, golden[B]) == [("minted", ()), ("forwarded", (golden[A],)), ("restored", (golden[A],))]
    assert [line.event.kind for line in life(hub, golden[A]).lines] == ["ingest", "decision", "revocation"]
    assert [line.event.who for line in life(hub, golden[A]).lines] == ["test", "ann", "ann"]
    assert life(hub, golden[A]).lines[1].event.reason == "seen"
    assert life(hub, golden[A]).absorbed == ()


def test_a_forward_that_was_flattened_later_says_so(hub: Hub) -> None:
    for key, name in ((A, "red"), (B, "blue"), (C, "green")):
        send(hub, key, name=name)
    golden = golden_by_key(hub)

    decide(hub, B, C, "same")
    decide(hub, A, B, "same")

    assert steps(hub, golden[C]) == [("minted", ()), ("forwarded", (golden[B],)), ("forwarded_anew", (golden[A],))]
    assert steps(hub, golden[B])[1:] == [("survived", (golden[C],)), ("forwarded", (golden[A],))]
    assert steps(hub, golden[A])[1:] == [("survived", (golden[B],))]
    assert life(hub, golden[A]).absorbed == (golden[B], golden[C])


def test_an_id_is_retired_with_its_last_record_and_restored_with_it(hub: Hub) -> None:
    send(hub, A, name="red")
    golden_id = golden_by_key(hub)[A]

    deliver(hub, [delivery(A, "widget_hold", deleted=True)], who="test")
    send(hub, A, name="red")

    assert steps(hub, golden_id) == [("minted", ()), ("retired", ()), ("restored", ())]
    assert [told(one) for one in story(hub, golden_id).chapters] == [
        ("created", "a", 1),
        ("left", "a", 0),
        ("retired", "", 0),
        ("returned", "a", 1),
        ("restored", "", 1),
    ]


def test_an_id_that_is_minted_by_a_split_names_where_its_records_come_from(hub: Hub) -> None:
    send(hub, A, codes=["x1"])
    send(hub, B, codes=["x1"])
    first = golden_by_key(hub)[A]

    decide(hub, A, B, "different")

    second = golden_by_key(hub)[B]
    assert steps(hub, first) == [("minted", ()), ("split", (second,))]
    assert steps(hub, second) == [("minted", (first,))]
    assert [told(one) for one in story(hub, first).chapters] == [
        ("created", "a", 1),
        ("attached", "b", 2),
        ("split", "b", 1),
    ]
    (moved_in,) = story(hub, second).chapters
    assert (moved_in.kind, moved_in.other) == ("moved_in", first)


def test_updates_of_values_are_no_part_of_a_life(hub: Hub) -> None:
    for note in "abc":
        send(hub, A, name="red", note=note)

    assert steps(hub, golden_by_key(hub)[A]) == [("minted", ())]


def test_a_story_tells_each_record_with_the_link_that_carried_it(hub: Hub) -> None:
    """c comes first and alone; a and b join by a code; then a steward joins both, and d attaches by two links."""
    send(hub, C, name="green")
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="blue", codes=["x1", "x2"])
    golden = golden_by_key(hub)
    decision = decide(hub, B, C, "same", "one company, says the register")
    send(hub, D, name="blue", codes=["x2", "x1"])

    found = story(hub, golden[A])

    assert (found.golden.id, found.is_complete) == (golden[C], True)
    assert [told(one) for one in found.chapters] == [
        ("created", "c", 1),
        ("created", "a", 1),
        ("attached", "b", 2),
        ("merged", "ab", 3),
        ("attached", "d", 4),
    ]
    first, _, attached, merged, last = found.chapters
    assert first.carriers == ()
    assert [(one.left, one.right, one.bits) for one in attached.carriers] == [(A, B, 10.0)]
    assert attached.golden_id == merged.other == golden[A]
    links = {(one.left, one.right, one.bits, one.decision_id) for one in merged.carriers}
    assert links == {(A, B, 10.0, None), (C, B, None, decision.id)}
    assert (merged.event.kind, merged.event.who, merged.event.reason) == (
        "decision",
        "ann",
        "one company, says the register",
    )
    # d shares a code with a (10 bits), and a code and the name with b (14 bits): the stronger one carried it.
    assert [(one.left, one.right, one.bits) for one in last.carriers] == [(B, D, 14.0)]


def test_a_later_decision_did_not_carry_what_had_joined_before(hub: Hub) -> None:
    send(hub, A, codes=["x1"])
    send(hub, B, codes=["x1"])
    decide(hub, A, B, "same")

    attached = story(hub, golden_by_key(hub)[A]).chapters[1]

    assert [(one.bits, one.decision_id) for one in attached.carriers] == [(10.0, None)]


def test_a_story_leaves_out_what_an_absorbed_id_did_after_it_went_its_own_way(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue", codes=["x1"])
    golden = golden_by_key(hub)
    decision = decide(hub, A, B, "same")
    service.revoke(hub, decision.id, who="ann")
    send(hub, C, name="white", codes=["x1"])

    assert [told(one) for one in story(hub, golden[A]).chapters] == [
        ("created", "a", 1),
        ("created", "b", 1),
        ("merged", "b", 2),
        ("split", "b", 1),
    ]
    assert [told(one) for one in story(hub, golden[B]).chapters] == [
        ("created", "b", 1),
        ("merged_away", "b", 0),
        ("moved_in", "b", 1),
        ("restored", "", 1),
        ("attached", "c", 2),
    ]


def test_one_event_tells_moves_standings_and_what_was_decided(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    golden = golden_by_key(hub)
    decide(hub, A, B, "same")
    event_id = life(hub, golden[B]).lines[1].event.id

    found = run(hub.engine, lambda c: tell_event(c, event_id))

    assert (found.event.kind, found.event.who, found.event.reason) == ("decision", "ann", "seen")
    assert [(one.source_key, one.before, one.after) for one in found.moves] == [(B, golden[B], golden[A])]
    assert [(turn.golden_id, turn.before, turn.after) for turn in found.turns] == [
        (golden[B], Standing("active"), Standing("forwarded", GoldenId(golden[A])))
    ]
    assert (found.followers, found.undone_by) == ((), ())


def test_an_event_names_what_followed_from_it(hub: Hub) -> None:
    """Two gizmos of one name, each within a widget of its own: when the widgets become one, so do the gizmos."""
    send(hub, A, name="red")
    send(hub, B, name="blue")
    for letter, parent in (("c", "a"), ("d", "b")):
        send(hub, f"crm-east/Gizmo:{letter}", "gizmo", name="wheel", widget=parent)
    golden = golden_by_key(hub)

    decide(hub, A, B, "same")

    root = life(hub, golden[B]).lines[-1].event
    found = run(hub.engine, lambda c: tell_event(c, root.id))
    assert [(one.entity_type, one.kind, one.root_id, one.who) for one in found.followers] == [
        ("gizmo", "decision", root.id, "ann")
    ]
    assert [line.event.root_id for line in life(hub, golden["crm-east/Gizmo:d"]).lines] == [None, root.id]


def test_the_causes_of_versions_are_told_by_event(hub: Hub) -> None:
    send(hub, A, name="red")
    event_id = life(hub, golden_by_key(hub)[A]).lines[0].event.id

    found = run(hub.engine, lambda c: causes_of(c, [event_id, "evt_none"]))

    assert {id_: one.kind for id_, one in found.items()} == {event_id: "ingest"}
    assert found[event_id].recorded_at <= clock.now()


def test_what_never_was_is_unknown(hub: Hub) -> None:
    with pytest.raises(EventUnknown, match="evt_none"):
        run(hub.engine, lambda c: tell_event(c, EventId("evt_none")))
    for ask in (life_of, story_of):
        with pytest.raises(GoldenRecordUnknown, match="wht_none"):
            run(hub.engine, lambda c, ask=ask: ask(c, GoldenId("wht_none")))  # type: ignore[misc]
