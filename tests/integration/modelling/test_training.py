"""A model is learnt from stewards' decisions or from a file of pairs, kept with its report, and never activated."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from mdm.decisions.model import Verdict
from mdm.errors import InputInvalid
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.modelling.learner import Learner
from mdm.modelling.model import Pair
from mdm.modelling.picture import html_of
from mdm.modelling.service import compare, overview
from mdm.modelling.training import Lesson, read_labels, train
from mdm.sources.model import SourceKey
from mdm.stewardship.service import decide
from tests.hubs import WIDGETS, delivery, hub_on, register_instances

pytestmark = pytest.mark.db
TYPE = "widget_hold"


@pytest.fixture
def hub(engine: Engine) -> Hub:
    """Give thirty pairs of one name each; fifteen of them share a code besides."""
    opened = hub_on(engine, entities=(WIDGETS,))
    register_instances(opened, "crm-east", "crm-west")
    rows = [
        delivery(f"{source}/Account:{n}", TYPE, name=f"name {n}", codes=[f"c{n}" if n < 15 else f"{source}{n}"])
        for n in range(30)
        for source in ("crm-east", "crm-west")
    ]
    deliver(opened, rows, who="test")
    return opened


def decided(hub: Hub) -> None:
    """Decide that who shares a code is the same, and that an equal name alone is not."""
    for n in range(30):
        left, right = (SourceKey.parse(f"{source}/Account:{n}") for source in ("crm-east", "crm-west"))
        decide(hub, left, right, Verdict("same" if n < 15 else "different", "looked at"), who="ann")


def test_what_stewards_decided_changes_what_agreement_is_worth(hub: Hub) -> None:
    decided(hub)

    made = train(hub, Lesson(TYPE, "thirty decisions"), Learner(1), who="ann")

    assert (made.origin, made.made_from, made.reason) == (
        "decisions",
        hub.entity_type(TYPE).model.version,
        "thirty decisions",
    )
    assert made.report is not None
    assert (made.report["labels_same"], made.report["labels_different"]) == (15, 15)
    differs = compare(hub, TYPE, Pair(None, None), Pair(made.version, None))
    bits = {(one.comparison, one.level): one.after for one in differs.levels}
    assert bits["code", "other"] is not None
    assert bits["code", "other"] < 0  # different codes were worth nothing before, and speak against it now
    assert overview(hub, TYPE).holds == Pair(None, None)
    assert train(hub, Lesson(TYPE, "again"), Learner(1), who="bob").version == made.version


def test_the_report_draws_what_was_found_out(hub: Hub) -> None:
    decided(hub)
    made = train(hub, Lesson(TYPE, "<b>thirty</b> decisions"), Learner(1), who="ann")

    page = html_of(made)

    assert page.count("<svg") >= 3
    assert "&lt;b&gt;thirty&lt;/b&gt; decisions" in page
    assert "<b>thirty" not in page
    assert "code: same" in page
    assert "http" not in page


def test_a_list_of_pairs_teaches_as_decisions_do(hub: Hub, tmp_path: Path) -> None:
    rows = [f"crm-east/Account:{n},crm-west/Account:{n},{'same' if n < 15 else 'different'}" for n in range(30)]
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(("Left,Right,Judgement", *rows, "crm-east/Account:99,crm-west/Account:1,same")))

    labels = read_labels(path)
    made = train(hub, Lesson(TYPE, "", "labels", labels), Learner(1), who="ann")

    assert len(labels) == 31
    assert (made.origin, made.reason) == ("labels", "learnt from 30 labels")
    decided(hub)
    assert train(hub, Lesson(TYPE, ""), Learner(1), who="ann").version == made.version


def test_too_little_to_learn_from_and_rows_that_cannot_be_read_are_refused(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("left,right,judgement\ncrm-east/Account:1,crm-west/Account:1,perhaps\n")

    with pytest.raises(InputInvalid, match="0 stewards' decisions about widget_hold"):
        train(hub, Lesson(TYPE, ""), Learner(1), who="ann")
    with pytest.raises(InputInvalid, match="'perhaps' is no judgement"):
        read_labels(path)
    path.write_text("left,right\na,b\n")
    with pytest.raises(InputInvalid, match="needs the columns left, right and judgement"):
        read_labels(path)
