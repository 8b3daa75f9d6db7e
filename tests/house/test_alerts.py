"""The alert rules ask for metrics that there are, with labels that they have, and lead to a heading of the guide.

No Prometheus is needed: expressions are read as far as these questions go.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, get_args

import pytest
from ruamel.yaml import YAML

from mdm.activation.model import STATES, Standing
from mdm.gauges import (
    DEALS,
    DRIFTS,
    TARGETS,
    DriftReading,
    StateReading,
    StepReading,
    TargetGauges,
    TargetReading,
)
from mdm.reconciliation.model import DRIFT
from mdm.telemetry import REGISTRY

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = [
    rule
    for group in YAML(typ="safe").load((ROOT / "deploy" / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
NAMES = [rule["alert"] for rule in RULES]
# What the labels of gauges may say, where it is known beforehand.
VALUES: dict[tuple[str, str], Collection[str]] = {
    ("mdm_target_standing", "state"): TargetGauges.STANDINGS,
    ("mdm_target_lanes", "state"): ("ready", "waiting", "dead"),
    ("mdm_target_drift", "state"): ("found", "repaired"),
    ("mdm_target_drift", "finding"): DRIFT,
    ("mdm_deals_at_step", "standing"): get_args(Standing),
    ("mdm_deals_late", "state"): STATES,
}
SCRAPED = {"instance"}
"""Labels that Prometheus gives to whatever it scrapes."""


@pytest.fixture(scope="module")
def labels_by_metric() -> dict[str, set[str]]:
    """Give the labels of each sample, of metrics that nothing has happened to as well."""
    before = TARGETS._readings, DRIFTS._readings, DEALS._readings
    DRIFTS.tell([DriftReading("t", {"missed": 1}, "found", 1.0, 0.0)])
    DEALS.tell(([StateReading("sold", 1, 0, 1.0, 0)], [StepReading("sold", "validate", "failing", 1)]))
    TARGETS.tell([TargetReading("t", {"ready": 1}, 0, 1.0, "running", 0, 0)])
    found: dict[str, set[str]] = {}
    for family in REGISTRY.collect():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    TARGETS.tell(before[0])
    DRIFTS.tell(before[1])
    DEALS.tell(before[2])
    for collector, names in REGISTRY._collector_to_names.items():
        for name in names:
            found.setdefault(name, set()).update(getattr(collector, "_labelnames", ()))
            if name.endswith("_bucket"):
                found[name].add("le")
    return found


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_an_alert_is_whole(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Mdm[A-Za-z]+", rule["alert"])
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert re.fullmatch(r"\d+[mh]", rule.get("for", "0m"))
    assert rule["annotations"]["summary"]
    for opening, closing in ("()", "{}", "[]"):
        assert rule["expr"].count(opening) == rule["expr"].count(closing)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_an_alert_asks_for_what_there_is(rule: dict[str, Any], labels_by_metric: dict[str, set[str]]) -> None:
    for metric, _, matchers in re.findall(r"\b(mdm_\w+)(\{([^}]*)\})?", rule["expr"]):
        assert metric in labels_by_metric, metric
        for label, values in re.findall(r'(\w+)\s*=~?\s*"([^"]*)"', matchers):
            assert label in labels_by_metric[metric], (metric, label)
            if (metric, label) in VALUES:
                assert set(values.split("|")) <= set(VALUES[metric, label]), (metric, label)
    named = {label for metric in re.findall(r"\bmdm_\w+", rule["expr"]) for label in labels_by_metric[metric]}
    for labels in re.findall(r"(?:by|on) \(([^)]+)\)", rule["expr"]):
        assert set(re.split(r"\s*,\s*", labels)) <= named | SCRAPED
    for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
        assert label in named, label


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_an_alert_leads_to_what_to_do(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_names_are_unique_and_only_one_alarm_counts_parked_lanes() -> None:
    assert len(set(NAMES)) == len(NAMES)
    parked = [rule["alert"] for rule in RULES if 'state="dead"' in rule["expr"]]
    whole = [rule["alert"] for rule in RULES if re.search(r"mdm_target_lanes(?!\{)", rule["expr"])]

    assert parked == ["MdmTargetDeadLetters"]
    assert whole == []
