"""The declaration of a target: every fault at once with its line, and never a secret in the file."""

from datetime import time, timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from mdm.delivery.declaration import declaration_of, read_declaration, target_schema
from mdm.delivery.schedule import Schedule
from mdm.errors import TargetDeclarationInvalid
from tests.hubs import declared
from tests.targets import ERP


def faults(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "t.yaml"
    file.write_text(dedent(text))
    with pytest.raises(TargetDeclarationInvalid) as refused:
        read_declaration(file, declared())
    return [fault.removeprefix(f"{file}:") for fault in refused.value.faults]


def test_what_is_read_is_what_was_kept(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(dedent(ERP))
    declaration, content = read_declaration(file, declared())

    assert declaration_of(content) == declaration
    assert declaration.entity_types == ("gizmo", "widget_hold")
    assert declaration.records["widget_hold"].fields[1].owner == "fill"


def test_what_cannot_be_merged_is_linked_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    def read(text: str) -> str:
        (tmp_path / "t.yaml").write_text(dedent(text))
        declaration, _ = read_declaration(tmp_path / "t.yaml", declared())
        return declaration.records["widget_hold"].where_it_cannot

    chosen = ERP.replace("creates: true", "creates: true\n        on_merge: merge\n        where_it_cannot: CHOICE", 1)

    assert [read(ERP), read(chosen.replace("CHOICE", "leave"))] == ["link", "leave"]
    assert "known: deactivate, leave, link" in " ".join(faults(tmp_path, chosen.replace("CHOICE", "merge")))
    properties = target_schema()["$defs"]["RecordsDeclaration"]["properties"]
    assert properties["where_it_cannot"]["enum"] == ["link", "deactivate", "leave"]


def test_every_fault_is_named_with_its_line(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """\
        target: ERP
        title: ERP
        kind: records
        connection: {connector: record_api, url: 'http://x', api_key: abc}
        instance: erp-us
        records:
          widget_hold:
            object: Widget
            fields:
              nome: {field: title}
              name: {owner: nobody}
        """,
    )

    assert [line.partition(":")[0] for line in found] == ["1", "4", "4", "10", "11"]
    found = faults(
        tmp_path,
        """\
        target: erp
        title: ERP
        kind: records
        connection: {connector: record_api, url: 'http://x', api_key: abc}
        records:
          widget_hold:
            object: Widget
            fields:
              nome: {field: title}
          wodget: {object: x, fields: {}}
        """,
    )
    assert [line.partition(":")[0] for line in found] == ["3", "4", "4", "9", "10"]
    assert "'nome' is not declared" in found[3]
    assert "api_key is not a key here" in found[1]
    assert "MDM_SECRET_" in found[2]


def test_a_part_of_no_right_shape_hides_no_fault_of_meaning(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """\
        target: erp
        title: ERP
        kind: records
        connection: {connector: record_api, url: 'http://x'}
        schedule:
          hours: 8-17
        records:
          gizmo:
            object: Gizmo
            on_merge: mrge
            when: {colour: [red]}
            match_on: [nome, widget, 3]
            fields:
              nome: {}
              name: {owner: nobody, codes: {a: b, b: c}}
              widget: {}
          wodget: {}
        reconcile: {every_hours: often}
        """,
    )

    assert [" ".join(line.split(": ")[:2]) for line in found] == [
        "3 kind",  # `instance` is missing
        "5 schedule.timezone",
        "6 schedule.hours",
        "10 records.gizmo.on_merge",
        "11 records.gizmo.when.colour",
        "12 records.gizmo.match_on.2",
        "12 records.gizmo.match_on.1",
        "14 records.gizmo.fields.nome",
        "15 records.gizmo.fields.name.owner",
        "15 records.gizmo.fields.name.codes.a",
        "17 records.wodget.object",
        "17 records.wodget.fields",
        "17 records.wodget",
        "18 reconcile.every_hours",
    ]


def test_news_of_no_right_shape_hide_no_fault_of_meaning_and_none_is_told_twice(tmp_path: Path) -> None:
    events = "{entities: [gizmo, widget_hold, Wodget, wodget], kinds: [mergd], payload: fat, when: {colour: [red]}}"
    found = faults(
        tmp_path,
        f"target: t\ntitle: T\nkind: webhook\nconnection: {HOOK}\nevents: {events}\nschedule: {{timezone: Berlin}}\n",
    )

    assert [line.split(": ")[1] for line in found] == [
        "events.entities.2",
        "events.payload",
        "events.entities.3",
        "events.kinds.0",
        "events.when.colour",
        "schedule.timezone",
    ]


def test_fields_that_cannot_be_read_make_no_key_look_wrong(tmp_path: Path) -> None:
    text = dedent(ERP).partition("    fields:")[0] + "    match_on: [batch, bach]\n"

    found = faults(tmp_path, text)

    assert [line.split(": ")[1] for line in found] == [
        "records.widget_hold.fields",
        "records.widget_hold.match_on.1",
    ]


def test_an_instance_that_is_not_registered_is_told_with_the_other_faults(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(dedent(ERP).replace("creates: true", "creates: maybe", 1))
    with pytest.raises(TargetDeclarationInvalid) as refused:
        read_declaration(file, declared(), ["erp-de"])

    assert [place[0] for place in refused.value.places] == ["instance", "records"]
    assert "there is no source instance 'erp-us'; register it with `mdm sources add`" in refused.value.faults[0]


@pytest.mark.parametrize("target", ["ERP_A", "erp_a", "-erp"])
def test_an_id_is_written_with_hyphens(tmp_path: Path, target: str) -> None:
    (fault,) = faults(tmp_path, dedent(ERP).replace("target: erp", f"target: {target}"))

    assert "target: should match pattern" in fault
    assert "write lower-case letters, digits and -, at most 63, beginning with a letter or digit" in fault


HOOK = "{url: 'http://x', secret: MDM_SECRET_HOOK}"


@pytest.mark.parametrize(
    ("kind", "connection"), [("webhook", HOOK), ("records", "{connector: record_api, url: 'http://x'}")]
)
def test_kind_and_sections_have_to_fit(tmp_path: Path, kind: str, connection: str) -> None:
    (fault,) = faults(tmp_path, f"target: t\ntitle: T\nkind: {kind}\nconnection: {connection}\n")

    assert "needs" in fault


def test_what_a_backfill_and_a_comparison_need_is_declared(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    text = dedent(ERP).replace(
        "    object: Widget\n", "    object: Widget\n    match_on: [batch]\n    unknown: leave\n", 1
    )
    file.write_text(f"{text}reconcile: {{every_hours: 24, repair: ingest}}\n")
    declaration, _ = read_declaration(file, declared())

    subscription = declaration.records["widget_hold"]
    assert (subscription.match_on, subscription.unknown) == (("batch",), "leave")
    assert (declaration.reconcile.every, declaration.reconcile.repair) == (timedelta(days=1), "ingest")


def test_what_cannot_be_matched_on_or_read_back_is_refused(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """\
        target: erp
        title: ERP
        kind: records
        connection: {connector: record_api, url: 'http://x'}
        instance: erp-us
        records:
          gizmo:
            object: Gizmo
            match_on: [widget, grade]
            fields:
              name: {codes: {a: b, b: c}}
              widget: {}
        """,
    )
    assert "'grade' is not declared" in found[0] + found[1]
    assert "'widget' is no attribute to match on" in found[0] + found[1]
    assert "'b' stands for 'a' and is a code of its own" in found[2]


def test_a_field_is_that_of_one_attribute(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """
        target: erp
        title: ERP
        kind: records
        connection: {connector: record_api, url: "http://localhost:1"}
        instance: erp-us
        records:
          gizmo:
            object: Gizmo
            fields:
              name: {}
              grade: {field: name, owner: fill}
              widget: {field: grade}
        """,
    )

    assert [fault.partition(": ")[2] for fault in found] == [
        "records.gizmo.fields.grade: the field 'name' is that of name already; give one attribute a field"
    ]


def test_only_records_can_be_compared(tmp_path: Path) -> None:
    text = f"target: t\ntitle: T\nkind: webhook\nconnection: {HOOK}\nevents: {{entities: [gizmo]}}\nreconcile: {{}}\n"

    (fault,) = faults(tmp_path, text)

    assert "holds nothing to compare" in fault


NEWS = f"target: t\ntitle: T\nkind: webhook\nconnection: {HOOK}\nevents: {{entities: [gizmo]}}\n"


@pytest.mark.parametrize(
    ("schedule", "read"),
    [
        ("{hours: 20:00-06:00, timezone: Europe/Berlin}", Schedule(time(20), time(6), zone="Europe/Berlin")),
        ("{days: [fri, mon], timezone: UTC}", Schedule(days=(0, 4))),
        ('{hours: "18:30-24:00", days: [sun], timezone: UTC}', Schedule(time(18, 30), time(0), (6,))),
    ],
)
def test_a_schedule_is_read_as_hours_and_days_of_a_zone(tmp_path: Path, schedule: str, read: Schedule) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(f"{NEWS}schedule: {schedule}\n")

    declaration, content = read_declaration(file, declared())

    assert declaration.schedule == declaration_of(content).schedule == read


def test_every_fault_of_a_schedule_is_named_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        f"""{NEWS}schedule:
  hours: 08:00-08:00
  days:
  - mon
  - tue
  - mon
  timezone: Europe/Berlim
""",
    )

    assert [line.partition(":")[0] for line in found] == ["7", "11", "12"]
    assert "ends as it begins" in found[0]
    assert "'mon' is named twice" in found[1]
    assert "write Europe/Berlin" in found[2]


@pytest.mark.parametrize(
    "hours", ["8-17", "24:00-06:00", "20:00", "20:60-06:00", "20:00-06:00 ", "20:00-06:00\\n", "٢٠:00-06:00"]
)
def test_hours_are_written_in_one_way(tmp_path: Path, hours: str) -> None:
    (fault,) = faults(tmp_path, f'{NEWS}schedule: {{hours: "{hours}", timezone: UTC}}\n')

    assert 'write it as "20:00-06:00"' in fault


def test_a_schedule_names_its_zone_and_known_days(tmp_path: Path) -> None:
    found = faults(tmp_path, f"{NEWS}schedule: {{hours: 20:00-06:00, days: [mo], until: 3}}\n")

    assert {place for place in ("timezone", "days.0", "until") if any(place in fault for fault in found)} == {
        "timezone",
        "days.0",
        "until",
    }
    assert "at least one" in faults(tmp_path, f"{NEWS}schedule: {{days: [], timezone: UTC}}\n")[0]
    for zone in ("Europe", "../etc", "utc+1", "/etc/localtime"):
        (fault,) = faults(tmp_path, f"{NEWS}schedule: {{timezone: {zone}}}\n")
        assert "is no time zone" in fault


def test_the_schema_is_one_for_editors() -> None:
    assert target_schema()["properties"].keys() >= {"target", "kind", "records", "events", "schedule"}
