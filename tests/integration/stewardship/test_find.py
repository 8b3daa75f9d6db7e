"""One search finds a golden record by whatever somebody has at hand, says why, and shows nobody more than they may."""

import pytest
from sqlalchemy import Engine, text

from mdm.access.limits import Limits
from mdm.db.transaction import run
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship.find import Found, find, gather_terms
from mdm.stewardship.model import By, Merge, Retire
from mdm.stewardship.operations import perform
from tests.hubs import delivery, golden_by_key, hub_on, register_instances

pytestmark = pytest.mark.db

MUELLER, RED_HAT, ACME = "salesforce-emea/Account:001A", "netsuite-us/customer:10482", "salesforce-emea/Account:001B"
PROJECT = "certinia-uk/pse__Proj__c:a0X77"
ANN = By("ann", "a test")


@pytest.fixture
def hub(engine: Engine) -> Hub:
    """Give a hub with three customers and a project."""
    opened = hub_on(engine)
    register_instances(opened, "salesforce-emea", "netsuite-us", "certinia-uk")
    deliver(
        opened,
        [
            delivery(
                MUELLER,
                "customer",
                Name="Müller Maschinenbau GmbH",
                BillingCountry="DE",
                BillingCity="Köln",
                vat_number="DE 136 695 976",
                registration_number="HRB 4711",
                phone="+49 (0)221 9876-540",
                website="https://www.mueller-maschinenbau.de/kontakt",
                email="Info@Mueller-Maschinenbau.de",
                former_name="Schmidt & Sohn Werkzeuge KG",
                shoe_size="fortyfour",
            ),
            delivery(RED_HAT, "customer", companyName="Red Hat Consulting Inc", country="US", city="Boston"),
            delivery(ACME, "customer", Name="Acme Tools Ltd", BillingCountry="GB", BillingCity="Leeds"),
            delivery(PROJECT, "project", Name="Portal Rollout", pse__Project_ID__c="PRJ-0042"),
        ],
        who="test",
    )
    return opened


def ask(hub: Hub, words: str, limits: Limits | None = None, **more: object) -> Found:
    return find(hub, words, limits=limits or Limits.none(hub.declared), **more)  # type: ignore[arg-type]


def first(hub: Hub, words: str) -> tuple[str, str, str]:
    """Give the key of the first hit's golden record, by what it was found, and in which attribute."""
    found = ask(hub, words)
    assert found.hits, f"nothing found by {words!r}"
    key_by_golden = {golden_id: key for key, golden_id in golden_by_key(hub).items()}
    why = found.hits[0].reasons[0]
    return key_by_golden[found.hits[0].golden_id], why.by, why.attribute


AT_HAND = [
    (MUELLER, (MUELLER, "source_key", "")),
    ("001A", (MUELLER, "source_key", "")),
    ("10482", (RED_HAT, "source_key", "")),
    ("104", (RED_HAT, "beginning", "")),
    ("netsuite-us/customer:10", (RED_HAT, "beginning", "")),
    ("DE136695976", (MUELLER, "number", "tax_ids")),
    ("136.695.976", (MUELLER, "number", "tax_ids")),
    ("USt-IdNr.: DE-136 695 976", (MUELLER, "number", "tax_ids")),
    ("de13669", (MUELLER, "beginning", "tax_ids")),
    ("hrb4711", (MUELLER, "number", "registration_number")),
    ("4711", (MUELLER, "number", "registration_number")),
    ("0221/9876540", (MUELLER, "number", "phones")),
    ("+49 221 987 65 40", (MUELLER, "number", "phones")),
    ("0049221 9876540", (MUELLER, "number", "phones")),
    ("9876540", (MUELLER, "number", "phones")),
    ("info@mueller-maschinenbau.de", (MUELLER, "number", "emails")),
    ("http://mueller-maschinenbau.de", (MUELLER, "number", "website")),
    ("prj 42", (PROJECT, "number", "code")),
    ("PRJ-0042", (PROJECT, "number", "code")),
    ("portal rollout", (PROJECT, "name", "name")),
    ("MULLER maschinenbau", (MUELLER, "name", "legal_name")),
    ("Mueller Maschinenbau AG", (MUELLER, "name", "legal_name")),
    ("schmidt und sohn werkzeuge", (MUELLER, "name", "former_names")),
    ("Schmidt", (MUELLER, "similar_name", "former_names")),
    ("masch", (MUELLER, "similar_name", "legal_name")),
    ("Müler Maschinenbau", (MUELLER, "similar_name", "legal_name")),
    ("Muller Mashcinenbau", (MUELLER, "similar_name", "legal_name")),
    ("Maschinembau", (MUELLER, "similar_name", "legal_name")),
    ("redhat", (RED_HAT, "similar_name", "legal_name")),
    ("Red Hat Conslting", (RED_HAT, "similar_name", "legal_name")),
    ("fortyfour", (MUELLER, "words", "undeclared")),
    ("acme leeds", (ACME, "words", "city")),
]


def test_whatever_somebody_has_at_hand_finds_it_and_says_why(hub: Hub) -> None:
    assert {words: first(hub, words) for words, _ in AT_HAND} == dict(AT_HAND)


def test_a_hit_names_value_record_and_system(hub: Hub) -> None:
    (hit,) = ask(hub, "de136695976").hits

    assert (hit.name, hit.entity_type, hit.state, hit.sources) == (
        "Müller Maschinenbau GmbH",
        "customer",
        "active",
        ("salesforce-emea",),
    )
    assert (hit.reasons[0].shown, hit.reasons[0].source_keys) == ("DE 136 695 976", (MUELLER,))


def test_an_id_leads_on_when_it_was_merged_and_says_so_when_it_was_retired(hub: Hub) -> None:
    ids = golden_by_key(hub)
    perform(hub, Merge(ids[ACME], ids[RED_HAT], ids[RED_HAT]), ANN)  # type: ignore[arg-type]
    perform(hub, Retire(ids[MUELLER]), ANN)  # type: ignore[arg-type]

    (led,) = ask(hub, ids[ACME]).hits
    (retired,) = ask(hub, ids[MUELLER]).hits
    (mueller,) = ask(hub, MUELLER).hits

    assert (led.golden_id, led.forwarded_from, led.state) == (ids[RED_HAT], ids[ACME], "active")
    assert (retired.golden_id, retired.state) == (ids[MUELLER], "retired")
    assert (mueller.state, mueller.reasons[0].is_gone) == ("retired", True)
    assert {hit.golden_id for hit in ask(hub, ids[ACME][:10]).hits} >= {ids[RED_HAT]}
    assert [hit.golden_id for hit in ask(hub, "acme tools").hits] == [ids[RED_HAT]]


def test_an_exact_id_or_key_or_number_stands_before_a_name(hub: Hub) -> None:
    deliver(
        hub,
        [
            delivery("netsuite-us/customer:1", "customer", companyName="Alpha 4711 Ltd", country="GB"),
            delivery("netsuite-us/customer:4711", "customer", companyName="Beta Ltd", country="GB"),
        ],
        who="test",
    )

    assert [hit.reasons[0].by for hit in ask(hub, "4711").hits] == ["source_key", "number", "similar_name"]


def test_a_name_written_the_same_stands_before_one_that_is_only_like_it(hub: Hub) -> None:
    names = ("Kestrel Group Ltd", "Kestrel Group plc", "Kestrel Group Services Ltd", "Kestral Group Ltd")
    deliver(
        hub,
        [
            delivery(f"netsuite-us/customer:{place}", "customer", companyName=name, country="GB", city=f"Town{place}")
            for place, name in enumerate(names)
        ],
        who="test",
    )

    assert [hit.name for hit in ask(hub, "kestrel group ltd").hits] == list(names)


def test_the_limit_cuts_and_says_so(hub: Hub) -> None:
    whole, cut = ask(hub, "00"), ask(hub, "001", limit=1)

    assert whole.is_complete
    assert (len(cut.hits), cut.is_complete) == (1, False)
    assert [hit.entity_type for hit in ask(hub, "portal", entity_type="project").hits] == ["project"]
    assert ask(hub, "portal", entity_type="customer").hits == ()


def test_nobody_is_shown_what_they_may_not_read(hub: Hub) -> None:
    golden_id = golden_by_key(hub)[MUELLER]
    outside = (Limits({"project": None}), Limits({"customer": frozenset({"netsuite-us"})}), Limits({}))

    for words in (MUELLER, "001A", "DE136695976", "müller", "maschinenbau köln", "fortyfour", "schm", golden_id):
        assert golden_id in {hit.golden_id for hit in ask(hub, words).hits}
        for limits in outside:
            assert golden_id not in {hit.golden_id for hit in ask(hub, words, limits).hits}
            assert golden_id not in {hit.golden_id for hit in ask(hub, golden_id[:12], limits).hits}


def test_a_caller_of_one_source_is_shown_what_that_source_says_and_no_more(hub: Hub) -> None:
    ids = golden_by_key(hub)
    perform(hub, Merge(ids[MUELLER], ids[RED_HAT], ids[MUELLER]), ANN)  # type: ignore[arg-type]
    netsuite = Limits({"customer": frozenset({"netsuite-us"})})

    (hit,) = ask(hub, "red hat", netsuite).hits
    by_id = ask(hub, ids[RED_HAT], netsuite).hits[0]

    assert (hit.name, hit.sources) == (by_id.name, by_id.sources) == ("Red Hat Consulting Inc", ("netsuite-us",))
    assert {key for why in hit.reasons for key in why.source_keys} == {RED_HAT}
    for words in ("Müller Maschinenbau", "136695976", "fortyfour", "Schmidt", MUELLER):
        assert ask(hub, words, netsuite).hits == ()


HOSTILE = [
    "",
    " ",
    "%",
    "_",
    "%_\\",
    "\\",
    "\0",
    "a\0b",
    "'; DROP TABLE golden_search; --",
    "':* | ''",
    "a & b | !c:*",
    "\u202e\u2066\u200b",
    "\ud800",
    "(" * 500,
    "x" * 10_000,
    "word " * 2_000,
    "é" * 10_000,
    "💥" * 300,
    "cus_" + "z" * 300,
    "a/b:" + "c" * 9_000,
    "1" * 10_000,
    "+" * 50 + "49",
    "@@@@",
    "http://",
]


def test_anything_may_be_typed(hub: Hub) -> None:
    found = [ask(hub, words) for words in HOSTILE]

    assert [one.question for one in found if one.hits] == []
    assert max(len(one.question) for one in found) <= 400


def test_what_an_earlier_schema_left_is_found_by_its_words_and_read_by_the_worker(hub: Hub) -> None:
    run(hub.engine, lambda connection: connection.execute(text("UPDATE golden_search SET names = NULL, terms = NULL")))

    assert first(hub, "maschinenbau")[0] == MUELLER
    assert first(hub, MUELLER)[0] == MUELLER
    assert first(hub, "001A")[:2] == (MUELLER, "source_key")
    assert ask(hub, "Maschinembau").hits == ()

    assert (gather_terms(hub), gather_terms(hub)) == (4, 0)
    assert first(hub, "Maschinembau")[0] == MUELLER


def test_the_terms_follow_the_record_when_it_changes_or_goes(hub: Hub) -> None:
    deliver(hub, [delivery(ACME, "customer", Name="Zenith Tools Ltd", BillingCountry="GB")], who="test")
    deliver(hub, [delivery(RED_HAT, "customer", deleted=True)], who="test")

    assert ask(hub, "acme").hits == ()
    assert first(hub, "zenih")[0] == ACME
    assert ask(hub, "red hat").hits == ()
    (gone,) = ask(hub, str(SourceKey.parse(RED_HAT))).hits
    assert (gone.state, gone.reasons[0].is_gone) == ("retired", True)
