"""People in the database: added, limited, disabled, let in by a link that works once; one administrator is left."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import Connection, Engine, text

from mdm import clock
from mdm.access import people, sessions
from mdm.access.passwords import PasswordCost
from mdm.access.people_model import Chosen, NewLink, NewSession, Person, PersonChange, Role, Standing
from mdm.db.transaction import run, transaction
from mdm.errors import Conflict, InputInvalid, LinkUnusable, PersonUnknown
from tests.hubs import assert_sound, hub_on

QUICK = PasswordCost(memory_kib=8, passes=1)
HOME = "192.0.2.1"
ANNA = Chosen("Anna Berg", "seven green boats")
FIRST = Chosen("Ada Root", "seven green boats", login="Ada@Example.com")


def add(connection: Connection, login: str = "anna", role: Role = "steward") -> Person:
    return people.add_person(connection, login, name="Anna", standing=Standing(role), by="test")


def invited(engine: Engine, login: str = "anna") -> tuple[Person, NewLink]:
    def work(connection: Connection) -> tuple[Person, NewLink]:
        person = add(connection, login)
        return person, people.make_link(connection, person.id, by="test")

    return run(engine, work)


def first_link(engine: Engine) -> NewLink:
    made = run(engine, lambda connection: people.first_admin_link(connection, by="test"))
    assert made is not None
    return made


def redeem(engine: Engine, link: NewLink, chosen: Chosen = ANNA) -> NewSession:
    return sessions.redeem_link(engine, link.token, chosen, address=HOME, cost=QUICK)


def test_a_person_is_found_by_id_and_by_login_however_it_is_written(connection: Connection) -> None:
    anna = add(connection, " Anna.Berg@EXAMPLE.com ")

    assert anna.login == "anna.berg@example.com"
    assert people.find_person(connection, anna.id) == anna
    assert people.find_person(connection, "ANNA.BERG@example.com") == anna
    assert people.find_person(connection, "ａｎｎａ.berg@example.com") == anna  # full-width letters are the same ones
    for unknown in ("аnna.berg@example.com", "per_" + "0" * 26, "", "\0", "x" * 10_000):
        with pytest.raises(PersonUnknown):
            people.find_person(connection, unknown)


def test_a_login_belongs_to_one_person(connection: Connection) -> None:
    add(connection, "straße")

    with pytest.raises(Conflict, match="taken"):
        add(connection, "STRASSE")


def test_a_change_leaves_alone_what_it_does_not_name(connection: Connection) -> None:
    anna = add(connection)

    limited = people.change_person(
        connection, anna.id, PersonChange(role="lead", entity_types=("customer",), sources=("crm-eu",)), by="ada"
    )
    renamed = people.change_person(connection, anna.id, PersonChange(name="Anna Sommer"), by="ada")
    freed = people.change_person(connection, anna.id, PersonChange(sources=()), by="ada")

    assert (limited.role, limited.entity_types, limited.sources) == ("lead", ("customer",), ("crm-eu",))
    assert renamed.name == "Anna Sommer"
    assert renamed.standing == limited.standing
    assert freed.standing == Standing("lead", ("customer",))
    assert [person.login for person in people.list_people(connection)] == ["anna"]


def test_limits_go_when_somebody_becomes_administrator(connection: Connection) -> None:
    anna = add(connection)
    people.change_person(connection, anna.id, PersonChange(entity_types=("customer",)), by="test")

    promoted = people.change_person(connection, anna.id, PersonChange(role="admin"), by="test")

    assert promoted.standing == Standing("admin")
    with pytest.raises(InputInvalid, match="cannot be limited"):
        people.change_person(connection, anna.id, PersonChange(sources=("crm-eu",)), by="test")


def test_the_last_administrator_stays(connection: Connection) -> None:
    ada = add(connection, "ada", "admin")
    bert = add(connection, "bert", "admin")
    people.change_person(connection, bert.id, PersonChange(is_disabled=True), by="ada")

    for change in (PersonChange(is_disabled=True), PersonChange(role="lead")):
        with pytest.raises(Conflict, match="last administrator"):
            people.change_person(connection, ada.id, change, by="ada")
    people.change_person(connection, bert.id, PersonChange(is_disabled=False), by="ada")
    people.change_person(connection, ada.id, PersonChange(role="lead"), by="ada")

    assert [person.role for person in people.list_people(connection)] == ["lead", "admin"]


def test_two_administrators_who_disable_each_other_leave_one(engine: Engine) -> None:
    ids = run(engine, lambda c: [add(c, login, "admin").id for login in ("ada", "bert")])
    start = Barrier(2)

    def disable(person_id: str) -> bool:
        start.wait()
        try:
            run(engine, lambda c: people.change_person(c, person_id, PersonChange(is_disabled=True), by="test"))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(disable, ids)) == [False, True]


def test_settings_of_ones_own_are_checked(connection: Connection) -> None:
    anna = add(connection)

    changed = people.change_own_settings(connection, anna.id, locale="de", theme="dark", has_shortcuts=False)

    assert (changed.locale, changed.theme, changed.has_shortcuts) == ("de", "dark", False)
    for locale, theme in (("../de", "dark"), ("de", "neon"), ("", "auto"), ("de\n", "auto")):
        with pytest.raises(InputInvalid):
            people.change_own_settings(connection, anna.id, locale=locale, theme=theme, has_shortcuts=True)


def test_behind_a_link_a_person_chooses_name_and_password_and_is_signed_in(engine: Engine) -> None:
    person, link = invited(engine)

    offer = sessions.look_at_link(engine, link.token)
    new = redeem(engine, link)

    assert offer.person == person
    assert timedelta(hours=23, minutes=59) < link.expires_at - clock.now() <= timedelta(hours=24)
    assert link.path == f"/sign-in/link/{link.token}"
    assert (new.session.person.id, new.session.person.name) == (person.id, "Anna Berg")
    again = sessions.sign_in(engine, "anna", ANNA.password, address=HOME, cost=QUICK)
    assert again.session.person.id == person.id
    with pytest.raises(LinkUnusable):
        redeem(engine, link)


@pytest.mark.parametrize(
    "chosen",
    [
        Chosen("", ANNA.password),
        Chosen("Anna\0", ANNA.password),
        Chosen("Anna", "short"),
        Chosen("Anna", "password-2026!"),
        Chosen("Anna", "x" * 10_000),
        Chosen("Anna", ANNA.password + "\0"),
    ],
)
def test_a_choice_that_is_refused_leaves_the_link_as_it_was(engine: Engine, chosen: Chosen) -> None:
    _, link = invited(engine)

    with pytest.raises(InputInvalid):
        redeem(engine, link, chosen)

    assert redeem(engine, link).session.person.login == "anna"


def test_a_link_ends_after_a_day_by_a_newer_one_and_with_its_person(engine: Engine) -> None:
    person, expired = invited(engine)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE person_link SET expires_at = expires_at - interval '24 hours'"))
    replaced = run(engine, lambda c: people.make_link(c, person.id, by="test"))
    left = run(engine, lambda c: people.make_link(c, person.id, by="test"))
    run(engine, lambda c: people.change_person(c, person.id, PersonChange(is_disabled=True), by="test"))

    for token in (expired.token, replaced.token, left.token, "", "x" * 10_000, "\0", "\ud800"):
        with pytest.raises(LinkUnusable):
            sessions.look_at_link(engine, token)
        with pytest.raises(LinkUnusable):
            sessions.redeem_link(engine, token, ANNA, address=HOME, cost=QUICK)
    with pytest.raises(Conflict, match="disabled"):
        run(engine, lambda c: people.make_link(c, person.id, by="test"))
    assert_sound(hub_on(engine))


def test_a_link_that_resets_a_password_ends_the_sessions_before(engine: Engine) -> None:
    person, link = invited(engine)
    before = redeem(engine, link)
    reset = run(engine, lambda c: people.make_link(c, person.id, by="ada"))

    after = redeem(engine, reset, Chosen("Anna Berg", "nine blue mountains"))

    ring = sessions.SessionRing(engine)
    assert ring.read(before.token) is None
    assert ring.read(after.token) is not None
    assert_sound(hub_on(engine))


def test_of_two_who_redeem_one_link_at_once_one_wins(engine: Engine) -> None:
    _, link = invited(engine)
    start = Barrier(2)

    def attempt(password: str) -> NewSession | None:
        start.wait()
        try:
            return redeem(engine, link, Chosen("Anna", password))
        except LinkUnusable:
            return None

    passwords = ("seven green boats", "nine blue mountains")
    with ThreadPoolExecutor(2) as pool:
        opened = list(pool.map(attempt, passwords))

    won = [password for password, new in zip(passwords, opened, strict=True) if new]
    assert len(won) == 1
    assert sessions.sign_in(engine, "anna", won[0], address=HOME, cost=QUICK).session.person.login == "anna"


def test_the_first_administrator_chooses_a_login_too(engine: Engine) -> None:
    link = first_link(engine)

    assert sessions.look_at_link(engine, link.token).person is None
    with pytest.raises(InputInvalid, match="login"):
        redeem(engine, link, ANNA)
    new = redeem(engine, link, FIRST)

    assert (new.session.person.login, new.session.person.role) == ("ada@example.com", "admin")
    assert run(engine, lambda c: people.first_admin_link(c, by="test")) is None


def test_there_is_one_first_administrator_however_many_links_were_printed(engine: Engine) -> None:
    links = [first_link(engine) for _ in range(4)]
    start = Barrier(4)

    def attempt(number: int) -> bool:
        start.wait()
        try:
            redeem(engine, links[number], Chosen("Ada", "seven green boats", login=f"ada-{number}"))
        except LinkUnusable:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == [False, False, False, True]
    for link in links:
        with pytest.raises(LinkUnusable):
            sessions.look_at_link(engine, link.token)


def test_the_audit_log_tells_what_was_done_to_whom_by_id_and_never_by_name(engine: Engine) -> None:
    person, link = invited(engine, "anna.berg@example.com")
    new = redeem(engine, link)
    sessions.sign_out(engine, new.session, address=HOME)
    run(engine, lambda c: people.change_person(c, person.id, PersonChange(is_disabled=True), by="ada"))

    with transaction(engine) as connection:
        rows = connection.execute(
            text("SELECT action, subject_id, related, changed, who FROM audit_entry ORDER BY id")
        ).all()

    told = [(row.action, "password_hash" in row.changed or "disabled_at" in row.changed) for row in rows]
    assert told == [
        ("person.made", False),
        ("person_link.made", False),
        ("person_link.changed", False),
        ("person.changed", False),  # the name
        ("person.changed", True),
        ("sign_in_attempt.made", False),
        ("sign_in_attempt.made", False),
        ("person.changed", True),
    ]
    assert {row.subject_id for row in rows if row.action.startswith("person.")} == {person.id}
    assert all("Anna" not in str((row.subject_id, row.related, row.changed)) for row in rows)
    assert [row.who for row in rows if row.action.startswith("sign_in")] == [person.id, person.id]
    assert rows[-1].who == "ada"
    assert_sound(hub_on(engine))
