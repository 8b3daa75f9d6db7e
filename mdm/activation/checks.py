"""What must be right about a deal before anything is made of it: account and parents, tax, currency, who bills.

Every reason is told at once, each with what to do; none of them changes anything.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from matching.standardise import FORMS
from mdm.activation import store
from mdm.activation.model import Billing, Made, Recipe
from mdm.entities.code_lists import fold
from mdm.entities.mapping import map_record
from mdm.entities.model import EntityType, Origin, Reason
from mdm.errors import SourceKeyInvalid
from mdm.identity import crosswalk_store
from mdm.sources.model import HUB, SourceKey
from mdm.sources.service import systems

DEPTH_MAX: Final = 20
"""Levels of parents that are followed (chosen: groups of firms are five or six deep)."""
_MADE: Final[tuple[Made, ...]] = ("customer", "project", "contract")


@dataclass(frozen=True, slots=True)
class Checked:
    """A deal that was looked at: its facts in the hub's words, who bills it, and every reason against it."""

    facts: Mapping[str, Any]
    billing: Billing | None
    reasons: tuple[Reason, ...]


def check_deal(
    connection: Connection,
    recipe: Recipe,
    declared: Mapping[str, EntityType],
    opportunity: SourceKey,
    fields: Mapping[str, Any],
) -> Checked:
    """Look at a deal as a whole."""
    known = systems(connection)
    origin = Origin(opportunity.instance, known.get(opportunity.instance, ""))
    mapped = map_record(recipe.facts, fields, origin=origin)
    facts = mapped.values
    billing = billing_of(recipe, str(facts.get("legal_entity", "")))
    # A value that cannot be read must not be lost on the way to an invoice, so that here no fault is a mere warning.
    reasons = [replace(fault, severity="reject") for fault in mapped.faults]
    if opportunity.instance not in known or opportunity.instance == HUB:
        reasons.append(
            _reason(
                "opportunity", "source_unknown", f"{opportunity.instance} is no source instance", "register it first"
            )
        )
    reasons += _about_billing(recipe, billing, facts, known)
    reasons += _about_account(connection, facts)
    reasons += _about_tax(recipe, facts)
    reasons += _about_records(recipe, declared, facts, billing)
    return Checked(facts, billing, tuple(dict.fromkeys(reasons)))


def billing_of(recipe: Recipe, legal_entity: str) -> Billing | None:
    """Find who bills for one of our legal entities; case, blanks and punctuation do not count."""
    if not legal_entity:
        return None
    folded = fold(legal_entity)
    return next((one for one in recipe.billing if folded in {fold(name) for name in one.legal_entities}), None)


def _about_billing(
    recipe: Recipe, billing: Billing | None, facts: Mapping[str, Any], known: Collection[str]
) -> list[Reason]:
    if "legal_entity" not in facts:
        return []  # that it is missing is told already
    if billing is None:
        names = ", ".join(one.legal_entities[0] for one in recipe.billing)
        problem = f"nobody bills for {facts['legal_entity']}"
        return [
            _reason("legal_entity", "legal_entity_unknown", problem, f"send one of {names}, or add it to the recipe")
        ]
    found = []
    if billing.instance not in known:
        remedy = "register it with `mdm sources add`, or name another instance in the recipe"
        found.append(
            _reason("legal_entity", "billing_unknown", f"{billing.instance} bills it and is not registered", remedy)
        )
    currency = facts.get("currency")
    if currency is not None and currency not in billing.currencies:
        remedy = f"sell in {' or '.join(sorted(billing.currencies))}, or let another legal entity bill"
        problem = f"{billing.instance} does not bill {facts['legal_entity']} in {currency}"
        found.append(_reason("currency", "currency_not_billed", problem, remedy))
    return found


def _about_account(connection: Connection, facts: Mapping[str, Any]) -> list[Reason]:
    """Look at the account and all above it: each must be there, and none may be its own parent."""
    if "account" not in facts:
        return []
    try:
        key = SourceKey.parse(facts["account"])
    except SourceKeyInvalid as error:
        return [_reason("account", "account_malformed", error.message, error.remedy)]
    found = crosswalk_store.select_golden_ids(connection, [key], as_of=None)
    if key not in found or found[key][1] != "customer":
        return [_reason("account", "account_unknown", f"no customer has the key {key}", "deliver the account first")]
    parents, is_circular = store.select_parents(connection, found[key][0], depth_max=DEPTH_MAX)
    if is_circular:
        problem = f"the parents of {key} lead back to where they began"
        return [_reason("account", "account_parents_circular", problem, "correct a parent company in the source")]
    if "" in parents:
        problem = f"a parent above {key} is no customer that the hub knows"
        return [_reason("account", "account_parent_unknown", problem, "deliver the parent company, or correct it")]
    return []


def _about_tax(recipe: Recipe, facts: Mapping[str, Any]) -> list[Reason]:
    """Ask for a tax id that keeps the rules of its country, where nobody is billed without."""
    country = str(facts.get("country", ""))
    if country not in recipe.tax_id_required:
        return []
    given = facts.get("tax_ids") or []
    if not given:
        problem = f"nobody is billed in {country} without a tax id"
        return [_reason("tax_ids", "tax_id_missing", problem, "ask the client for it")]
    forms = [form for tax_id in given for form in FORMS["tax_id"]([tax_id], [country])[0]]
    if any(not form.startswith("weak:") for form in forms):
        return []
    problem = f"no tax id keeps the rules of {country}"
    return [_reason("tax_ids", "tax_id_invalid", problem, "compare it with the client's letterhead; a digit is wrong")]


def _about_records(
    recipe: Recipe, declared: Mapping[str, EntityType], facts: Mapping[str, Any], billing: Billing | None
) -> list[Reason]:
    """Look whether the customer, project and contract that will be made of it would be taken."""
    if billing is None:
        return []
    found = []
    for made in _MADE:
        mapped = map_record(declared[made], recipe.fields_of(made, facts), origin=Origin(HUB))
        fact_by_attribute = {attributes[made]: name for name, attributes in recipe.fills.items() if made in attributes}
        found += [
            replace(fault, field=fact_by_attribute[fault.field])
            for fault in mapped.faults
            if fault.severity == "reject" and fact_by_attribute.get(fault.field) in facts
        ]
    return found


def _reason(field: str, code: str, message: str, remedy: str) -> Reason:
    return Reason(field, code, message, remedy, "reject")
