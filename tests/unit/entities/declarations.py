"""A small sound declaration that tests break in one place at a time."""

from pathlib import Path

import pytest

from mdm.entities.service import entity_types
from mdm.errors import EntityDeclarationInvalid

SOUND = """\
entity: plant
title: Plant
id_prefix: pla
attributes:
  name:
    title: Name
    type: company_name
    columns: [plant name]
    survivorship: {strategy: most_recent}
  country:
    title: Country
    type: code
    code_list: country
  opened:
    title: Opened
    type: date
  closed:
    title: Closed
    type: date
  owner:
    title: Owner
    type: reference
    reference: {entity: customer}
validations:
  - name: closed_before_opened
    kind: cross_field
    attributes: [closed, opened]
    operator: ">="
    severity: warn
    message: the plant closes before it opens
    remedy: correct one of the dates
matching:
  features:
    name: {form: company_name, attributes: [name], country_from: [country]}
  blocking:
    - {name: name, key: ["name|first:4"]}
  comparisons:
    - name: name
      feature: name
      comparator: company_name
      levels:
        - {label: same, at_least: 0.95, bits: 10}
        - {label: other, at_least: 0, bits: -6}
  rules:
    - {name: same_name, verdict: possible_match, when: {name: same}}
  prior_bits: -8
  match_bits: 4
  review_bits: 0
"""


def faults_of(folder: Path, text: str, name: str = "plant.yaml") -> list[str]:
    """Give what is told of a file, without its folder."""
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(EntityDeclarationInvalid) as refused:
        entity_types([folder])
    return [fault.removeprefix(f"{folder}/") for fault in refused.value.faults]
