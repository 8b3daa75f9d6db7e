"""Entity types from folders of YAML files: read all, check all, then build; or raise once, with every fault."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from matching.model import BlockingRule, Comparison, FeatureSpec, KeyPart, Level, MatchModel, Rule, Veto
from mdm.entities import declaration as declared
from mdm.entities.code_lists import read_code_lists
from mdm.entities.crosscheck import Vocabulary, crosscheck, crosscheck_together
from mdm.entities.document import Document, Fault, read_document
from mdm.entities.model import (
    Attribute,
    CodeList,
    Condition,
    EntityType,
    Reference,
    ReviewApproval,
    ReviewDue,
    ReviewGuards,
    ReviewPolicy,
    ReviewRoute,
    SurvivorshipRule,
    Validation,
)
from mdm.entities.overlay import is_complete, with_matching
from mdm.entities.shape import check_shape
from mdm.errors import EntityDeclarationInvalid


def load_entity_types(
    folders: Sequence[Path], *, forms: frozenset[str], comparators: frozenset[str], transforms: frozenset[str]
) -> dict[str, EntityType]:
    """Load the entity types of all folders, or single files; a later one replaces a type of the same name.

    forms, comparators, transforms  what the matching engine offers
    raises  EntityDeclarationInvalid with every fault of every file
    """
    listed = read_code_lists(folders)
    documents, names, unread = _documents(folders)
    faults = [*listed.faults, *unread]
    vocabulary = Vocabulary(forms, comparators, transforms, listed.names, names)
    declarations = []
    for written in documents.values():
        document, unmatched = with_matching(written)
        declaration, found = check_shape(document, declared.EntityDeclaration)
        if not is_complete(document):
            # Where nothing could be derived, the cause is told; that it is missing is no fault of its own.
            found = [fault for fault in found if not _might_be_derived(fault)]
        faults += [*unmatched, *found, *crosscheck(document, vocabulary)]
        if declaration is not None:
            declarations.append(declaration)
    faults += crosscheck_together(documents.values())
    if faults:
        ordered = sorted(set(faults), key=lambda fault: (fault.file, fault.line, fault.place))
        raise EntityDeclarationInvalid([str(fault) for fault in ordered])
    return {declaration.entity: _entity_type(declaration, listed.lists) for declaration in declarations}


def declared_contents(folders: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Read the plain content of every declaration by entity name, of folders that were loaded without a fault."""
    documents, *_ = _documents(folders)
    return {name: document.content for name, document in documents.items()}


def _documents(folders: Sequence[Path]) -> tuple[dict[str, Document], frozenset[str] | None, list[Fault]]:
    """Read the declarations by entity name; and all these names, None where one of them cannot be read."""
    documents: dict[str, Document] = {}
    faults: list[Fault] = []
    is_known = True
    for folder in folders:
        if not folder.is_dir() and not folder.is_file():
            faults.append(
                Fault(
                    str(folder), 0, "", "is not a folder", "name a folder that holds one YAML file for each entity type"
                )
            )
            is_known = False
            continue
        here: dict[str, str] = {}
        for path in [folder] if folder.is_file() else sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
            document, found = read_document(path)
            faults += found
            if document is None:
                is_known = False
                continue
            if "code_list" in document.content and "entity" not in document.content:
                remedy = "move the file into the folder code_lists beside it"
                faults.append(document.fault((), "is a code list among the entity types", remedy))
                continue
            name = document.content.get("entity")
            if isinstance(name, str) and name in here:
                problem = f"{name} is declared in {here[name]} already"
                faults.append(document.fault(("entity",), problem, "keep one file for each entity type"))
                continue
            key = name if isinstance(name, str) else str(path)
            is_known = is_known and isinstance(name, str)
            here[key], documents[key] = path.name, document
    return documents, frozenset(documents) if is_known else None, faults


def _might_be_derived(fault: Fault) -> bool:
    is_named = fault.place.endswith(".name")  # a name is what a written part is laid over the derived one by
    return fault.problem == "is missing" and fault.place.split(".")[0] == "matching" and not is_named


def _entity_type(declaration: declared.EntityDeclaration, code_lists: dict[str, CodeList]) -> EntityType:
    group_by_attribute = {name: group for group, part in declaration.groups.items() for name in part.attributes}
    attributes = {
        name: _attribute(name, part, group_by_attribute.get(name), declaration)
        for name, part in declaration.attributes.items()
    }
    used = {attribute.code_list for attribute in attributes.values()}
    lists = {name: code_list for name, code_list in code_lists.items() if name in used}
    return EntityType(
        name=declaration.entity,
        title=declaration.title,
        id_prefix=declaration.id_prefix,
        policy=declaration.policy,
        merge_bits=declaration.merge_bits,
        within=declaration.within,
        attributes=MappingProxyType(attributes),
        groups=MappingProxyType({name: tuple(part.attributes) for name, part in declaration.groups.items()}),
        prefixes=MappingProxyType({name: tuple(part.prefixes) for name, part in declaration.groups.items()}),
        validations=tuple(_validation(part) for part in declaration.validations),
        model=_match_model(declaration),
        version=_version(declaration, lists),
        code_lists=MappingProxyType(lists),
        reviews=_review_policy(declaration.reviews),
    )


def _attribute(
    name: str, part: declared.AttributeDeclaration, group: str | None, declaration: declared.EntityDeclaration
) -> Attribute:
    rule = declaration.groups[group].survivorship if group else part.survivorship or declared.SurvivorshipDeclaration()
    return Attribute(
        name=name,
        title=part.title,
        semantic_type=part.type,
        is_list=part.is_list,
        element_key=part.element_key,
        code_list=part.code_list,
        reference=Reference(part.reference.entity, part.reference.object) if part.reference else None,
        columns=tuple(part.columns),
        group=group,
        survivorship=SurvivorshipRule(rule.strategy, tuple(rule.sources), tuple(rule.fallback), rule.options),
        weight=part.weight,
        composed_of=tuple(part.composed_of),
    )


def _validation(part: declared.ValidationDeclaration) -> Validation:
    return Validation(
        name=part.name,
        kind=part.kind,
        severity=part.severity,
        attributes=tuple(part.attributes),
        message=part.message,
        remedy=part.remedy,
        when=_condition(part.when),
        pattern=part.pattern,
        values=tuple(part.values),
        operator=part.operator,
    )


def _condition(part: declared.ConditionDeclaration | None) -> Condition | None:
    return Condition(part.attribute, tuple(part.values)) if part else None


def _review_policy(part: declared.ReviewsDeclaration) -> ReviewPolicy:
    return ReviewPolicy(
        guards=ReviewGuards(**part.guards.model_dump()),
        routes=tuple(
            ReviewRoute(route.to, tuple(route.kinds), tuple(route.sources), _condition(route.when))
            for route in part.routes
        ),
        due=tuple(ReviewDue(due.days, tuple(due.kinds), due.stake_min) for due in part.due),
        approval=ReviewApproval(**part.approval.model_dump()),
    )


def _match_model(declaration: declared.EntityDeclaration) -> MatchModel:
    matching = declaration.matching
    return MatchModel(
        entity_type=declaration.entity,
        features=tuple(
            FeatureSpec(name, part.form, tuple(part.attributes), tuple(part.country_from))
            for name, part in matching.features.items()
        ),
        blocking=tuple(
            BlockingRule(part.name, tuple(_key_part(text) for text in part.key), part.size_max)
            for part in matching.blocking
        ),
        comparisons=tuple(
            Comparison(
                name=part.name,
                feature=part.feature,
                comparator=part.comparator,
                levels=tuple(Level(level.label, level.at_least, level.bits) for level in part.levels),
                term_frequency=part.term_frequency,
            )
            for part in matching.comparisons
        ),
        rules=tuple(
            Rule(part.name, part.verdict, tuple(part.when.items()), tuple(part.unless.items()), part.bound)
            for part in matching.rules
        ),
        vetoes=tuple(Veto(part.name, part.feature, part.reach) for part in matching.vetoes),
        prior_bits=matching.prior_bits,
        match_bits=matching.match_bits,
        review_bits=matching.review_bits,
        block_size_max=matching.block_size_max,
    )


def _key_part(text: str) -> KeyPart:
    feature, _, transform = text.partition("|")
    return KeyPart(feature, transform or "whole")


def _version(declaration: declared.EntityDeclaration, lists: dict[str, CodeList]) -> str:
    plain = {
        "declaration": declaration.model_dump(mode="json", exclude={"reviews"}),
        "code_lists": {
            name: [
                dict(part.codes),
                dict(part.synonyms),
                {source: dict(words) for source, words in part.by_source.items()},
            ]
            for name, part in lists.items()
        },
    }
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()
