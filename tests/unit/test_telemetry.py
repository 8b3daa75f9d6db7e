"""Telemetry: lines carry context and never values, stages are timed, counters are rendered."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from mdm import telemetry
from mdm.errors import GoldenRecordUnknown
from mdm.settings import Settings


@pytest.fixture(autouse=True)
def logging_given_back() -> Iterator[None]:
    """Undo what configure_logging does to the process, so that pytest's own capture works afterwards."""
    root, hub = logging.getLogger(), logging.getLogger("mdm")
    before = root.handlers[:], root.level, hub.level
    yield
    root.handlers[:], root.level, hub.level = before


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_line_is_json_on_stderr_with_its_context(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging(Settings())

    with telemetry.log_context(request_id="req-1"):
        telemetry.logger("mdm.sources").info("records stored", count=3, golden_id="cus_1")
    telemetry.logger("mdm.sources").info("outside")

    inside, outside = lines(capsys)
    assert (inside["event"], inside["count"], inside["golden_id"]) == ("records stored", 3, "cus_1")
    assert (inside["level"], inside["logger"], inside["request_id"]) == ("info", "mdm.sources", "req-1")
    assert inside["timestamp"].endswith("Z")
    assert "request_id" not in outside


def test_values_of_records_are_withheld(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging(Settings())

    telemetry.logger("mdm.sources").info(
        "record refused", values={"legal_name": "Ada Ltd"}, names=["Ada", "Ltd"], note="Ada " * 50, thing=object()
    )

    (line,) = lines(capsys)
    assert line["values"] == "withheld (1 entries)"
    assert line["names"] == "withheld (2 entries)"
    assert len(line["note"]) == 121
    assert line["thing"] == "withheld (object)"


def test_an_exception_is_told_by_type_code_and_place_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging(Settings())

    try:
        try:
            raise ValueError("Key (name)=(Ada Ltd) already exists")
        except ValueError as error:
            raise GoldenRecordUnknown("cus_Ada") from error
    except GoldenRecordUnknown:
        telemetry.logger("mdm.sources").exception("look-up failed")

    (line,) = lines(capsys)
    unknown, cause = line["exception"]
    assert (unknown["type"], unknown["code"]) == ("GoldenRecordUnknown", "golden_record_unknown")
    assert cause["type"] == "ValueError"
    assert "test_telemetry.py" in cause["frames"][0]
    assert "Ada" not in json.dumps(line)


def test_lines_of_libraries_have_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging(Settings())

    logging.getLogger("sqlalchemy.pool").warning("connection %s is gone", 7)
    logging.getLogger("sqlalchemy.pool").info("too quiet to be written")

    (line,) = lines(capsys)
    assert (line["event"], line["logger"], line["level"]) == ("connection 7 is gone", "sqlalchemy.pool", "warning")


def test_the_level_is_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging(Settings(log_level="warning"))

    telemetry.logger("mdm.sources").info("quiet")
    telemetry.logger("mdm.sources").warning("loud")

    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_people_can_ask_for_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging(Settings(log_format="console"))

    telemetry.logger("mdm.sources").info("records stored", count=3)

    assert "records stored" in capsys.readouterr().err


def test_a_stage_is_logged_and_observed(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging(Settings(log_level="debug"))
    before = observations("cluster")

    with telemetry.stage("cluster") as timer:
        timer.count = 12

    (line,) = lines(capsys)
    assert (line["stage"], line["count"], line["outcome"]) == ("cluster", 12, "done")
    assert line["seconds"] >= 0
    assert observations("cluster") == before + 1


def test_a_stage_that_fails_is_observed_too(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging(Settings(log_level="debug"))
    before = observations("survive")

    with pytest.raises(ZeroDivisionError), telemetry.stage("survive"):
        _ = 1 / 0

    assert lines(capsys)[0]["outcome"] == "failed"
    assert observations("survive") == before + 1


def test_counters_are_rendered_for_prometheus() -> None:
    telemetry.RECORDS.labels("customer", "created").inc(2)

    rendered = telemetry.render_metrics().decode()

    assert 'mdm_source_records_total{entity_type="customer",status="created"}' in rendered
    assert "process_cpu_seconds_total" in rendered


def observations(stage: str) -> float:
    return telemetry.REGISTRY.get_sample_value("mdm_stage_seconds_count", {"stage": stage}) or 0
