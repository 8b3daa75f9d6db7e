"""What may stand under `options` of a survivorship rule, checked when a declaration is loaded, not at the first tie."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mdm.entities.model import EntityType, SurvivorshipRule
from mdm.errors import EntityDeclarationInvalid
from mdm.survivorship.strategies import STRATEGIES
from mdm.survivorship.trust import CURVES

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Wanted = str | list[str]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Trust(_Part):
    maximum: Percent = 50
    minimum: Percent = 0
    period_days: Annotated[float, Field(ge=0, le=36_525, allow_inf_nan=False)] = 365
    curve: str = "linear"

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if self.minimum > self.maximum:
            message = f"minimum {self.minimum:g} is above maximum {self.maximum:g}"
            raise ValueError(message)
        if self.curve not in CURVES:
            message = f"there is no curve {self.curve!r}; write {', '.join(CURVES)}"
            raise ValueError(message)
        return self


class _FailingValidation(_Part):
    lowers_percent: Percent = 50
    reserve_minimum: bool = True


class _Not(_Part):
    not_: Annotated[Wanted, Field(alias="not")]


class _Present(_Part):
    present: bool


class _Options(_Part):
    trust: dict[str, _Trust] = {}
    failing_validation: _FailingValidation = _FailingValidation()
    verified_by: str | None = None
    when: dict[str, Wanted | _Not | _Present] = {}
    attribute: str | None = None


def check_options(entity_type: EntityType) -> None:
    """Check the survivorship rules of an entity type; raises EntityDeclarationInvalid with every fault."""
    faults = [f"{entity_type.name}: {fault}" for fault in _faults(entity_type)]
    if faults:
        raise EntityDeclarationInvalid(faults)


def _faults(entity_type: EntityType) -> Iterator[str]:
    for name, attribute in entity_type.attributes.items():
        rule = attribute.survivorship
        for fault in (*_unknown_strategies(rule), *_wrong_shapes(rule), *_wrong_names(rule, entity_type)):
            yield f"survivorship of {name}: {fault}"
        if _goes_round(name, entity_type):
            yield f"survivorship of {name}: same_winner_as leads back to {name}: let one of them have a rule of its own"


def _unknown_strategies(rule: SurvivorshipRule) -> Iterator[str]:
    for strategy in (rule.strategy, *rule.fallback):
        if strategy not in STRATEGIES:
            yield f"there is no strategy {strategy!r}: write one of {', '.join(STRATEGIES)}"
    if "union" in rule.fallback:
        yield "union cannot be a fallback: make it the strategy"


def _wrong_shapes(rule: SurvivorshipRule) -> Iterator[str]:
    try:
        _Options.model_validate(dict(rule.options))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False):
            yield f"options.{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


def _wrong_names(rule: SurvivorshipRule, entity_type: EntityType) -> Iterator[str]:
    options: Mapping[str, Any] = rule.options
    conditions = options.get("when")
    named = [
        options.get("verified_by"),
        options.get("attribute"),
        *(conditions if isinstance(conditions, Mapping) else ()),
    ]
    for name in named:
        if name is not None and name not in entity_type.attributes:
            yield f"options name the attribute {name!r}, which is not declared: check the spelling"
    if "same_winner_as" in (rule.strategy, *rule.fallback) and "attribute" not in options:
        yield "same_winner_as needs options.attribute: name the attribute to follow"


def _goes_round(name: str, entity_type: EntityType) -> bool:
    followed = name
    for _ in entity_type.attributes:
        rule = entity_type.attributes[followed].survivorship
        followed = rule.options.get("attribute", "") if "same_winner_as" in (rule.strategy, *rule.fallback) else ""
        if followed == name:
            return True
        if followed not in entity_type.attributes:
            return False
    return False
