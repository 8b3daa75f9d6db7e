"""Recipes in YAML: the shape they have, what a shape cannot say, and the value that the hub works with.

All faults of a file are told at once, each with its line and what to write instead, as with entity types.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from matching.model import MatchModel
from mdm.activation.model import DEAL, STATES, Billing, DealState, Does, Made, Recipe, Step
from mdm.entities.declaration import Name, Part, Text, ValidationDeclaration
from mdm.entities.document import Document, Fault, read_document
from mdm.entities.model import Attribute, CodeList, Condition, EntityType, SemanticType, SurvivorshipRule, Validation
from mdm.entities.service import code_lists, entity_types
from mdm.entities.shape import check_shape, suggest
from mdm.errors import RecipeInvalid

BUILT_IN: Final = Path(__file__).parent / "recipes" / "closed_won.yaml"
NEEDED: Final = ("account", "legal_entity", "currency", "country", "tax_ids")
"""Facts that the step `check` looks at by their names."""
_DECLARE: Final = "declare it, or leave it out"
_ORDER: Final[tuple[Does, ...]] = ("check", "reserve_customer", "make_project", "make_contract")


class BillingDeclaration(Part):
    """Which source instance bills for which of our legal entities."""

    legal_entity: Annotated[list[Text], Field(min_length=1)]
    instance: Text
    currencies: Annotated[list[Text], Field(min_length=1)]
    keeps: list[Made] = Field(["customer", "project", "contract"], min_length=1)


class FactDeclaration(Part):
    """One fact of a deal."""

    title: Text
    type: SemanticType = "text"
    is_list: bool = Field(default=False, alias="list")
    code_list: Name | None = None
    columns: list[Text] = Field([])
    required: bool = False
    fills: dict[Name, Name] = Field({})


class StepDeclaration(Part):
    """One step of the way."""

    name: Name
    does: Does
    reaches: DealState | None = None
    of: Made | None = None


class RecipeDeclaration(Part):
    """The way of a deal."""

    recipe: Name
    title: Text
    billing: Annotated[list[BillingDeclaration], Field(min_length=1)]
    facts: Annotated[dict[Name, FactDeclaration], Field(min_length=1)]
    validations: list[ValidationDeclaration] = Field([])
    tax_id_required: list[Text] = Field([])
    steps: Annotated[list[StepDeclaration], Field(min_length=1)]
    hours_allowed: dict[DealState, Annotated[int, Field(ge=1)]] = Field({})
    attempts_max: Annotated[int, Field(ge=1, le=100)] = 8
    reserved_days: Annotated[int, Field(ge=1, le=30)] = 30


def recipe_of(path: Path | None, folders: Sequence[Path] = ()) -> Recipe:
    """Give the recipe of this installation, its own or the built-in one; read once a process. Raises RecipeInvalid."""
    return _loaded((path or BUILT_IN).absolute(), tuple(folders))


@lru_cache(maxsize=16)
def _loaded(path: Path, folders: tuple[Path, ...]) -> Recipe:
    document, faults = read_document(path)
    if document is None:
        raise RecipeInvalid([str(fault) for fault in faults])
    return recipe_from(document, list(faults), entity_types(folders), code_lists(folders))


def recipe_from(
    document: Document, faults: list[Fault], types: Mapping[str, EntityType], lists: Mapping[str, CodeList]
) -> Recipe:
    """Check a document and make the recipe of it; raises RecipeInvalid with every fault."""
    declaration, found = check_shape(document, RecipeDeclaration)
    faults += found
    if declaration is not None:
        faults += _misnamed(document, declaration, types, lists)
        faults += _misordered(document, declaration)
    if faults or declaration is None:
        ordered = sorted(set(faults), key=lambda fault: (fault.file, fault.line, fault.place))
        raise RecipeInvalid([str(fault) for fault in ordered])
    return _recipe(declaration, lists)


def _misnamed(
    document: Document, declaration: RecipeDeclaration, types: Mapping[str, EntityType], lists: Mapping[str, CodeList]
) -> Iterator[Fault]:
    """Find names that nothing has: facts, code lists, entity types and their attributes."""
    for name in NEEDED:
        if name not in declaration.facts:
            yield document.fault(("facts",), f"the fact {name} is missing", "the step check looks at it; declare it")
    for name, fact in declaration.facts.items():
        place = ("facts", name)
        if fact.code_list is not None and fact.code_list not in lists:
            problem = f"there is no code list {fact.code_list}"
            yield document.fault((*place, "code_list"), problem, suggest(fact.code_list, lists, otherwise=_DECLARE))
        for made, attribute in fact.fills.items():
            if made not in {"customer", "project", "contract"}:
                problem = f"a deal makes no {made}"
                yield document.fault((*place, "fills", made), problem, "choose customer, project or contract")
            elif attribute not in types[made].attributes:
                problem = f"a {made} has no attribute {attribute}"
                yield document.fault(
                    (*place, "fills", made), problem, suggest(attribute, types[made].attributes, otherwise=_DECLARE)
                )
    for position, rule in enumerate(declaration.validations):
        for name in rule.attributes:
            if name not in declaration.facts:
                problem = f"there is no fact {name}"
                yield document.fault(
                    ("validations", position), problem, suggest(name, declaration.facts, otherwise=_DECLARE)
                )


def _misordered(document: Document, declaration: RecipeDeclaration) -> Iterator[Fault]:
    """Find steps that cannot follow each other, and states that are not reached one after the other."""
    steps = declaration.steps
    names = [step.name for step in steps]
    does = [step.does for step in steps]
    for position, step in enumerate(steps):
        place = ("steps", position)
        if step.name in names[:position]:
            yield document.fault(place, f"the step {step.name} stands there twice", "give each step a name of its own")
        if (step.does == "key") is (step.of is None):
            remedy = "write of: customer, project or contract beside does: key, and nowhere else"
            yield document.fault(place, "`of` names whose key a step waits for", remedy)
    if [one for one in does if one in _ORDER] != list(_ORDER):
        remedy = f"write each of {', '.join(_ORDER)} once, in this order"
        yield document.fault(("steps",), "the steps that make something are not complete and in order", remedy)
    elif does[0] != "check":
        yield document.fault(("steps", 0), "the first step does not check the deal", "begin with does: check")
    elif "approval" in does and does.index("approval") < does.index("make_contract"):
        yield document.fault(("steps",), "a contract is approved before it is made", "put the approval behind it")
    reached = [step.reaches for step in steps if step.reaches is not None]
    if reached != list(STATES[1:]) or steps[-1].reaches != STATES[-1]:
        remedy = "let steps reach activated, approved and ready_to_bill in this order, the last step the last of them"
        yield document.fault(("steps",), "the states are not reached one after the other", remedy)


def _recipe(declaration: RecipeDeclaration, lists: Mapping[str, CodeList]) -> Recipe:
    attributes = {name: _attribute(name, fact) for name, fact in declaration.facts.items()}
    required = (
        Validation(
            f"{name}_missing",
            "required",
            "reject",
            (name,),
            f"{fact.title} is missing",
            f"send it as {(fact.columns or [name])[0]!r}",
        )
        for name, fact in declaration.facts.items()
        if fact.required
    )
    rules = (
        Validation(
            rule.name,
            rule.kind,
            rule.severity,
            tuple(rule.attributes),
            rule.message,
            rule.remedy,
            Condition(rule.when.attribute, tuple(rule.when.values)) if rule.when else None,
            rule.pattern,
            tuple(rule.values),
            rule.operator,
        )
        for rule in declaration.validations
    )
    facts = EntityType(
        name=DEAL,
        title="Deal",
        id_prefix="dea",
        policy="hold",
        merge_bits=None,
        within=None,
        attributes=MappingProxyType(attributes),
        groups=MappingProxyType({}),
        validations=(*required, *rules),
        model=MatchModel(DEAL, (), (), (), (), (), 0.0, 0.0, 0.0, 1),
        version=declaration.recipe,
        code_lists=MappingProxyType(
            {fact.code_list: lists[fact.code_list] for fact in attributes.values() if fact.code_list}
        ),
    )
    return Recipe(
        name=declaration.recipe,
        title=declaration.title,
        billing=tuple(
            Billing(tuple(one.legal_entity), one.instance, frozenset(one.currencies), frozenset(one.keeps))
            for one in declaration.billing
        ),
        facts=facts,
        fills=MappingProxyType({name: fact.fills for name, fact in declaration.facts.items() if fact.fills}),
        tax_id_required=frozenset(declaration.tax_id_required),
        steps=tuple(Step(one.name, one.does, one.reaches, one.of) for one in declaration.steps),
        time_allowed=MappingProxyType(
            {state: timedelta(hours=hours) for state, hours in declaration.hours_allowed.items()}
        ),
        attempts_max=declaration.attempts_max,
        reserved_days=declaration.reserved_days,
    )


def _attribute(name: str, fact: FactDeclaration) -> Attribute:
    return Attribute(
        name=name,
        title=fact.title,
        semantic_type=fact.type,
        is_list=fact.is_list,
        element_key=None,
        code_list=fact.code_list,
        reference=None,
        columns=tuple(fact.columns),
        group=None,
        survivorship=SurvivorshipRule("most_recent", (), (), {}),
        weight=1.0,
    )
