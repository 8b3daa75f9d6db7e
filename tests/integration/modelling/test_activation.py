"""Rules that are activated hold for every process, bring the records along, and are taken back with a reason."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from mdm.db.transaction import reading
from mdm.entities.live import REFRESH_S
from mdm.entities.model import EntityType, ReviewApproval, ReviewPolicy
from mdm.errors import ApprovalNeedsAnother, InputInvalid, MatchModelRefused, MatchModelUnknown, RulesUnchanged
from mdm.failpoints import FailpointHit, armed
from mdm.hub import Hub, Work, carry, open_hub
from mdm.jobs.rematch import pause_rematch, rematch_some, resume_rematch
from mdm.jobs.service import deliver
from mdm.modelling.editing import with_choice, with_lines
from mdm.modelling.model import DECLARED, Activated, Asked, Pair, Provenance
from mdm.modelling.service import (
    activate,
    approve,
    compare,
    entity_type_under,
    find_model,
    keep_choice,
    keep_model,
    overview,
    roll_back,
    turn_down,
)
from mdm.settings import Settings
from tests.hubs import WIDGETS, assert_sound, declared, delivery, hub_on, partition_of, register_instances

PREPARED_AFTER = 5  # psycopg's own default, in executions of a statement

pytestmark = pytest.mark.db

TYPE = "widget_hold"


@pytest.fixture
def hub(engine: Engine) -> Hub:
    """Give a hub that knows the folder its widgets come from, as `mdm` would."""
    opened = hub_on(engine, entities=(WIDGETS,))
    register_instances(opened, "crm-east", "crm-west")
    return opened


def two_of_one_name(hub: Hub) -> None:
    """Deliver two records that only their name connects: 4 bits, between the review line 3 and the match line 8."""
    deliver(hub, [delivery(f"crm-east/Account:{n}", TYPE, name="Kestrel", note=f"n{n}") for n in (1, 2)], who="test")


def lower(hub: Hub, match_bits: float = 4) -> str:
    """Keep a version whose match line lies lower, and name it."""
    made = with_lines(hub.entity_type(TYPE), 3, match_bits)
    return keep_model(hub, made, Provenance("edited", "names are enough"), who="ann").version


def rematch(hub: Hub) -> None:
    while rematch_some(hub):
        pass


def test_an_activated_model_matches_what_is_there_and_what_arrives(hub: Hub) -> None:
    two_of_one_name(hub)
    assert len(partition_of(hub)) == 2

    done = activate(hub, TYPE, Asked(model=lower(hub), reason="names are enough"), who="ann")
    rematch(hub)

    assert done.activation is not None
    assert done.activation.number == 1
    assert len(partition_of(hub)) == 1
    deliver(hub, [delivery("crm-west/Account:3", TYPE, name="Kestrel")], who="test")
    assert len(partition_of(hub)) == 1
    assert_sound(hub)


def test_another_process_works_by_the_new_rules_at_once(hub: Hub, engine: Engine) -> None:
    other = hub_on(engine, entities=(WIDGETS,))
    activate(hub, TYPE, Asked(model=lower(hub), reason="names are enough"), who="ann")

    two_of_one_name(other)

    assert len(partition_of(hub)) == 1
    assert other.entity_type(TYPE).model.match_bits == 4


def test_a_process_that_only_reads_shows_the_new_rules_within_a_second(hub: Hub, database_url: str) -> None:
    with open_hub(Settings(database_url=database_url, pool_size=2, entities=(WIDGETS,)), database_url) as reader:
        with reading(reader.engine):
            assert reader.entity_type(TYPE).model.match_bits == 8
        activate(hub, TYPE, Asked(model=lower(hub), reason="names are enough"), who="ann")

        time.sleep(REFRESH_S + 0.1)
        with reading(reader.engine):
            pass

        assert reader.entity_type(TYPE).model.match_bits == 4
        assert reader.entity_type("customer") is reader.rules.declared["customer"]


def test_looking_for_new_rules_lets_a_connection_keep_its_prepared_statements(hub: Hub, database_url: str) -> None:
    """psycopg forgets them all with a rollback: every second, a connection planned each of its statements anew."""
    prepared = "SELECT count(*) FROM pg_prepared_statements"
    with open_hub(Settings(database_url=database_url, pool_size=1, entities=(WIDGETS,)), database_url) as reader:
        for _ in range(PREPARED_AFTER + 1):
            with reading(reader.engine) as connection:
                before = connection.exec_driver_sql(prepared).scalar_one()
        time.sleep(REFRESH_S + 0.1)
        with reading(reader.engine) as connection:
            after = connection.exec_driver_sql(prepared).scalar_one()

    assert after >= before > 0


def test_a_model_that_no_longer_fits_its_declaration_is_left_out(hub: Hub, engine: Engine) -> None:
    """A file that declares no more what the active model reads: it holds as declared, and the hub starts."""
    activate(hub, TYPE, Asked(model=lower(hub), reason="names are enough"), who="ann")
    widget = declared()[TYPE]
    without = replace(widget, attributes={name: one for name, one in widget.attributes.items() if name != "codes"})
    later = Hub(engine, {**declared(), TYPE: without}, Settings())

    with engine.connect() as connection:
        later.rules.refresh(connection)

    assert later.entity_type(TYPE) == without


def test_nothing_worked_out_by_rules_that_held_before_is_committed_after(hub: Hub, engine: Engine) -> None:
    """A writer that compared by the old model while another one is activated begins again with that."""
    other, version = hub_on(engine, entities=(WIDGETS,)), lower(hub)
    two_of_one_name(hub)
    models: list[float] = []

    def act(work: Work) -> None:
        models.append(work.declared[TYPE].model.match_bits)
        if len(models) == 1:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(activate, hub, TYPE, Asked(model=version, reason="lower"), who="ann").result(timeout=20)

    carry(other, act, who="test")

    assert models == [8, 4]


def test_whoever_activates_waits_for_writers_that_hold_the_rules(hub: Hub, engine: Engine) -> None:
    version = lower(hub)
    order: list[str] = []

    with ThreadPoolExecutor(1) as pool:

        def act(work: Work) -> None:
            work.hold_rules()
            waiting.append(pool.submit(activate, hub, TYPE, Asked(model=version, reason="lower"), who="ann"))
            waiting[0].add_done_callback(lambda _: order.append("activated"))
            with pytest.raises(TimeoutError):
                waiting[0].result(timeout=0.5)
            order.append("written")

        waiting: list[Future[Activated]] = []
        carry(hub_on(engine, entities=(WIDGETS,)), act, who="test")
        waiting[0].result(timeout=20)

    assert order == ["written", "activated"]


def test_an_activation_needs_a_reason_and_a_change(hub: Hub) -> None:
    version = lower(hub)

    with pytest.raises(InputInvalid, match="needs a reason"):
        activate(hub, TYPE, Asked(model=version, reason=" "), who="ann")
    with pytest.raises(RulesUnchanged, match="hold for widget_hold already"):
        activate(hub, TYPE, Asked(model=DECLARED, reason="as declared"), who="ann")
    with pytest.raises(MatchModelUnknown):
        activate(hub, TYPE, Asked(model="0" * 16, reason="a model nobody made"), who="ann")
    with pytest.raises(RulesUnchanged, match="no other rules were ever activated"):
        roll_back(hub, TYPE, reason="back", who="ann")


def test_rolling_back_brings_back_the_rules_before(hub: Hub) -> None:
    two_of_one_name(hub)
    first, second = lower(hub, 4), lower(hub, 6)
    activate(hub, TYPE, Asked(model=first, reason="names are enough"), who="ann")
    rematch(hub)
    activate(hub, TYPE, Asked(model=second, reason="not by themselves"), who="ann")

    done = roll_back(hub, TYPE, reason="they are", who="bob")

    assert done.activation is not None
    assert done.activation.rules == Pair(first, None)
    assert hub.entity_type(TYPE).model.match_bits == 4
    shown = overview(hub, TYPE)
    assert [one.rules.model for one in shown.activations] == [first, second, first]
    assert [one.reason for one in shown.activations] == ["they are", "not by themselves", "names are enough"]
    rematch(hub)
    assert_sound(hub)


def test_a_rolled_back_model_takes_apart_what_it_joined(hub: Hub) -> None:
    two_of_one_name(hub)
    activate(hub, TYPE, Asked(model=lower(hub), reason="names are enough"), who="ann")
    rematch(hub)

    roll_back(hub, TYPE, reason="they are not", who="ann")
    rematch(hub)

    assert len(partition_of(hub)) == 2
    found = overview(hub, TYPE).rematch
    assert found is not None
    assert (found.state, found.done, found.total) == ("done", 2, 2)
    assert_sound(hub)


def test_a_choice_of_values_is_a_version_too(hub: Hub) -> None:
    deliver(
        hub,
        [
            delivery("crm-east/Account:1", TYPE, at=1, codes=["x1"], name="Kestrel"),
            delivery("crm-west/Account:2", TYPE, at=2, codes=["x1"], name="Kestrel Two"),
        ],
        who="test",
    )
    made = with_choice(hub, hub.entity_type(TYPE), {"name": {"strategy": "most_recent"}})
    version = keep_choice(hub, made, reason="the newest name", who="ann").version
    assert compare(hub, TYPE, Pair(None, None), Pair(None, version)).values == {
        "name": ("source_priority", "most_recent")
    }

    activate(hub, TYPE, Asked(survivorship=version, reason="the newest name"), who="ann")
    rematch(hub)

    with hub.engine.connect() as connection:
        values = connection.execute(
            text("SELECT v.values ->> 'name' FROM golden_version v WHERE v.recorded_to IS NULL AND state = 'active'")
        ).scalars()
        assert list(values) == ["Kestrel Two"]
    assert_sound(hub)


def test_what_looks_like_nonsense_is_refused_with_its_reasons_and_may_be_forced(hub: Hub) -> None:
    """Sixty records of sixty names and twelve notes: blocked by nothing but the code that all of them share."""
    rows = [delivery(f"crm-east/Account:{n}", TYPE, name=f"n{n % 30}", codes=[f"c{n}"]) for n in range(60)]
    deliver(hub, rows, who="test")
    version = lower(hub)

    with pytest.raises(MatchModelRefused) as refused:
        activate(hub, TYPE, Asked(model=version, reason="names are enough"), who="ann")
    done = activate(hub, TYPE, Asked(model=version, reason="it is right", is_forced=True), who="ann")

    # Thirty names, each of two records: thirty of sixty golden records go up in others, more than one in five.
    assert refused.value.reasons == ("30 of 60 golden records would go up in others",)
    assert done.activation is not None
    assert done.activation.is_forced
    assert done.activation.refusals == refused.value.reasons


def test_a_second_person_approves_where_the_policy_asks(engine: Engine) -> None:
    policy = ReviewPolicy(approval=ReviewApproval(rules=True))
    types: dict[str, EntityType] = {**declared(), TYPE: replace(declared()[TYPE], reviews=policy)}
    hub = Hub(engine, types, Settings(entities=(WIDGETS,)))
    version = lower(hub)

    asked = activate(hub, TYPE, Asked(model=version, reason="names are enough"), who="ann")

    assert asked.activation is None
    assert asked.waiting is not None
    assert hub.entity_type(TYPE).model.match_bits == 8
    with pytest.raises(ApprovalNeedsAnother):
        approve(hub, asked.waiting.id, who="ann")
    done = approve(hub, asked.waiting.id, who="bob")
    assert done.activation is not None
    assert (done.activation.proposed_by, done.activation.who) == ("ann", "bob")
    assert hub.entity_type(TYPE).model.match_bits == 4
    again = roll_back(hub, TYPE, reason="no", who="ann")
    assert again.waiting is not None
    assert turn_down(hub, again.waiting.id, who="bob").state == "rejected"


def test_the_work_goes_on_where_it_was_killed(hub: Hub) -> None:
    two_of_one_name(hub)
    deliver(hub, [delivery(f"crm-west/Account:{n}", TYPE, name=f"x{n}") for n in range(60)], who="test")
    activate(hub, TYPE, Asked(model=lower(hub), reason="names are enough"), who="ann")

    assert rematch_some(hub) == 40
    with pytest.raises(FailpointHit), armed({"decide.stored": _killed}):
        rematch_some(hub)
    pause_rematch(hub, TYPE, who="ann")
    assert rematch_some(hub) == 0
    resume_rematch(hub, TYPE, who="ann")
    assert rematch_some(hub) == 22
    assert rematch_some(hub) == 0

    found = overview(hub, TYPE).rematch
    assert found is not None
    assert (found.state, found.done) == ("done", 62)
    assert found.found["forwarded"] == 1


def test_a_version_is_found_by_its_beginning_and_reads_back_as_it_was(hub: Hub) -> None:
    version = lower(hub)

    found = find_model(hub, version[:6])

    assert (found.version, found.origin, found.who, found.reason) == (version, "edited", "ann", "names are enough")
    assert entity_type_under(hub, TYPE, Pair(version, None)).model.version == version
    with pytest.raises(MatchModelUnknown):
        find_model(hub, version[:3])


def _killed() -> None:
    raise FailpointHit
