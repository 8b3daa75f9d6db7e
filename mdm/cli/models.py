"""`mdm model`: versions of match models and of whose value survives: train, show, compare, activate, roll back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mdm.cli.options import AsJson, Entity, MaybeEntity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mdm.hub import Hub
    from mdm.modelling.model import Activated, Difference, ModelVersion, Overview, Pair
    from mdm.modelling.trial import Trial

app = typer.Typer()

Version = Annotated[
    str, typer.Argument(help="Version, or its first four characters or more; `declared` for that of the files.")
]
Why = Annotated[str, typer.Option("--why", help="Why, in a few words.")]
Force = Annotated[bool, typer.Option("--force", help="Activate although the sanity gate refuses; the reason is kept.")]
DECLARED_HELP = "declared"


@app.command("list")
def list_(entity: MaybeEntity = None, as_json: AsJson = False) -> None:
    """List the versions of rules, which of them hold, what waits for a second person and what is at work."""
    from mdm.cli.output import print_json
    from mdm.cli.session import session
    from mdm.modelling.service import overview

    with session() as hub:
        found = [overview(hub, name) for name in ([entity] if entity else sorted(hub.declared))]
    if as_json:
        print_json(found)
        return
    for one in found:
        _print_overview(one)


@app.command("show")
def show(
    version: Annotated[str, typer.Argument(help="Version or its beginning; left out: the one that holds.")] = "",
    entity: MaybeEntity = None,
    yaml: Annotated[bool, typer.Option("--yaml", help="Print the whole declaration as YAML.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a version of a match model: where it comes from, its lines, what each level is worth."""
    from mdm.cli.output import print_json, print_table, print_text
    from mdm.cli.session import session
    from mdm.entities.frozen import model_definition
    from mdm.modelling.editing import as_yaml
    from mdm.modelling.service import entity_type_under

    with session() as hub:
        name, rules, kept = _named(hub, version, entity)
        made = entity_type_under(hub, name, rules) if version else hub.entity_type(name)
        if yaml:
            print_text(as_yaml(hub, made))
            return
    if as_json:
        print_json({"version": made.model.version, "kept": kept, "model": _plain(model_definition(made.model))})
        return
    if kept is not None:
        print_version(kept)
    print_text(
        f"{name}: prior {made.model.prior_bits:+.2f}, review from {made.model.review_bits:+.2f},"
        f" match from {made.model.match_bits:+.2f} bits; {made.model.population.records_count:,} records known"
    )
    print_table(
        ["comparison", "level", "bits"],
        [(one.name, level.label, f"{level.bits:+.2f}") for one in made.model.comparisons for level in one.levels],
    )


@app.command("diff")
def diff(
    before: Version,
    after: Version,
    entity: MaybeEntity = None,
    consequences: Annotated[
        bool, typer.Option("--consequences", help="Also try the second on the hub's records: what it would change.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what differs between two versions: lines, weights, rules; and what the second would change."""
    from mdm.cli.output import print_json, progress
    from mdm.cli.session import session
    from mdm.modelling.service import compare, entity_type_under
    from mdm.modelling.service import consequences as consequences_of

    with session() as hub:
        name, first, _ = _named(hub, before, entity)
        other, second, _ = _named(hub, after, name if after == DECLARED_HELP else entity)
        if name != other and before == DECLARED_HELP:
            name, first, _ = _named(hub, before, other)
        found = compare(hub, other, first, second)
        tried = None
        if consequences:
            with progress("reading") as shown:
                tried = consequences_of(
                    hub,
                    entity_type_under(hub, other, second),
                    tell=lambda words: shown.update(shown.task_ids[0], description=words),
                )
    if as_json:
        trial = None if tried is None else {"before": tried[0], "after": tried[1], "reasons_against": tried[2]}
        print_json({"difference": _plain_difference(found), "consequences": trial})
        return
    _print_difference(found)
    if tried is not None:
        _print_trial(*tried)


@app.command("activate")
def activate(
    version: Version, why: Why, entity: MaybeEntity = None, force: Force = False, as_json: AsJson = False
) -> None:
    """Let another version hold; the worker then matches all records anew. Refused with reasons when it looks wrong."""
    from mdm.cli.session import session, who
    from mdm.modelling import service
    from mdm.modelling.model import Asked

    with session() as hub:
        name, rules, _ = _named(hub, version, entity)
        asked = Asked(
            model=None if rules.model is None and rules.survivorship else rules.model or DECLARED_HELP,
            survivorship=rules.survivorship or (DECLARED_HELP if version == DECLARED_HELP else None),
            reason=why,
            is_forced=force,
        )
        _print_activated(service.activate(hub, name, asked, who=who()), as_json=as_json)


@app.command("rollback")
def rollback(entity: Entity, why: Why, force: Force = False, as_json: AsJson = False) -> None:
    """Let the rules hold again that held before those that hold now."""
    from mdm.cli.session import session, who
    from mdm.modelling import service

    with session() as hub:
        done = service.roll_back(hub, entity, reason=why, who=who(), is_forced=force)
        _print_activated(done, as_json=as_json)


@app.command("approve")
def approve(
    proposal: Annotated[str, typer.Argument(help="Id of the change that waits.", metavar="ID")],
    reject: Annotated[bool, typer.Option("--reject", help="Turn it down instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Approve, as the second person, a change of rules that waits; or turn it down."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.modelling import service

    with session() as hub:
        if not reject:
            _print_activated(service.approve(hub, proposal, who=who()), as_json=as_json)
            return
        found = service.turn_down(hub, proposal, who=who())
    if as_json:
        print_json(found)
    else:
        print_text(f"{found.id} is {found.state}.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="YAML file with the declaration, as `mdm model show --yaml` prints it.")],
    entity: Entity,
    why: Why,
    as_json: AsJson = False,
) -> None:
    """Keep the match model and the survivorship of a YAML file as versions; nothing is activated."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.entities.document import read_text
    from mdm.errors import FileUnreadable
    from mdm.modelling.editing import from_yaml
    from mdm.modelling.service import keep_parts

    text, faults = read_text(file)
    if text is None:
        raise FileUnreadable(str(file), faults[0].problem, remedy=faults[0].remedy)
    with session() as hub:
        made = from_yaml(hub, text, based_on=hub.entity_type(entity))
        rules = keep_parts(hub, made, origin="file", reason=why, who=who())
    if as_json:
        print_json(rules)
        return
    for what, kept in (("match model", rules.model), ("survivorship", rules.survivorship)):
        print_text(f"{what}: {kept or 'as it holds'}")


def _named(hub: "Hub", version: str, entity: str | None) -> "tuple[str, Pair, ModelVersion | None]":
    """Find what a version names: a model, else a choice of values; `declared` and nothing need the entity type."""
    from mdm.errors import MatchModelUnknown
    from mdm.modelling.model import Pair
    from mdm.modelling.service import find_choice, find_model, overview

    if version in {"", DECLARED_HELP}:
        name = hub.entity_type(entity or "customer").name
        return name, overview(hub, name, limit=1).holds if not version else Pair(None, None), None
    try:
        found = find_model(hub, version)
    except MatchModelUnknown:
        choice = find_choice(hub, version)
        return choice.entity_type, Pair(None, choice.version), None
    return found.entity_type, Pair(found.version, None), found


def _print_overview(found: "Overview") -> None:
    from mdm.cli.output import print_list, print_text

    print_text(f"{found.entity_type}: model {found.holds.model or f'as declared ({found.declared})'},")
    print_text(f"  survivorship {found.holds.survivorship or 'as declared'}")
    if found.waiting is not None:
        print_text(f"  {found.waiting.id} waits for a second person: {found.waiting.reason} ({found.waiting.who})")
    if found.rematch is not None:
        print_text(f"  matching anew: {found.rematch.state}, {found.rematch.done:,} of {found.rematch.total:,} records")
    if found.models:
        rows = [
            (one.version, one.origin, f"{one.recorded_at:%Y-%m-%d %H:%M}", one.who, one.reason) for one in found.models
        ]
        print_list(["version", "from", "made", "by", "why"], rows, of="versions")
    for one in found.choices:
        print_text(f"{one.version}  survivorship  {one.recorded_at:%Y-%m-%d %H:%M}  {one.who}  {one.reason}")


def print_version(made: "ModelVersion") -> None:
    """Print where a version comes from, and what training found out in short."""
    from mdm.cli.output import print_facts

    report = made.report or {}
    print_facts(
        {
            "version": made.version,
            "entity type": made.entity_type,
            "from": made.origin,
            "made from": made.made_from,
            "made": f"{made.recorded_at:%Y-%m-%d %H:%M} by {made.who}",
            "why": made.reason or None,
            "labels": f"{report['labels_same']:g} same, {report['labels_different']:g} different"
            if "labels_same" in report
            else None,
            "calibration error": f"{report['calibration_error']:.3f}" if report.get("calibration_error") else None,
            "notes": "; ".join(report.get("notes", ())) or None,
        }
    )


def _print_difference(found: "Difference") -> None:
    from mdm.cli.output import print_table, print_text

    if found.is_empty:
        print_text("the same")
        return
    rows = [(name, "", f"{pair[0]:g}", f"{pair[1]:g}") for name, pair in found.lines.items()]
    rows += [(one.comparison, one.level, _bits(one.before), _bits(one.after)) for one in found.levels]
    rows += [(name, "survivorship", *pair) for name, pair in found.values.items()]
    if rows:
        print_table(["what", "level", "before", "after"], rows)
    for part in found.parts:
        print_text(part)


def _print_trial(before: "Trial", after: "Trial", reasons: tuple[str, ...]) -> None:
    from mdm.cli.output import print_table, print_text

    seen = "all records" if after.share >= 1 else f"{after.share:.1%} of the records; counts are of these"
    print_text(f"\nTried on {seen}:")
    now, then = before.figures, after.figures
    print_table(
        ["", "as it holds", "then"],
        [
            ("golden records", f"{now.goldens:,}", f"{then.goldens:,}"),
            ("joined into another", f"{before.joined:,}", f"{after.joined:,}"),
            ("fallen apart", f"{before.split:,}", f"{after.split:,}"),
            ("questions to stewards", f"{now.questions:,}", f"{then.questions:,}"),
            ("pairs that match", f"{now.matches:,}", f"{then.matches:,}"),
            ("largest golden record", f"{now.largest:,}", f"{then.largest:,}"),
        ],
    )
    for title, examples in (("Would be one:", after.joins), ("Would fall apart:", after.splits)):
        for place, one in enumerate(examples):
            print_text(f"{title if not place else ' ' * len(title)} {' | '.join(one.names)}")
    for reason in reasons:
        print_text(f"Speaks against it: {reason}")


def _print_activated(done: "Activated", *, as_json: bool) -> None:
    from mdm.cli.output import print_json, print_text

    if as_json:
        print_json(done)
    elif done.waiting is not None:
        print_text(f"{done.waiting.id} waits for a second person: `mdm model approve {done.waiting.id}`.")
    elif done.activation is not None and done.rematch is not None:
        print_text(f"Activation {done.activation.number} holds.")
        print_text(f"`mdm worker` matches {done.rematch.total:,} records anew; `mdm model list` tells how far it is.")


def _bits(bits: float | None) -> str:
    return "-" if bits is None else f"{bits:+.2f}"


def _plain(definition: "Mapping[str, Any]") -> Any:
    import orjson

    from mdm.db.types import as_json

    return orjson.loads(as_json(definition))


def _plain_difference(found: "Difference") -> "dict[str, Any]":
    return {
        "before": found.before,
        "after": found.after,
        "lines": dict(found.lines),
        "levels": list(found.levels),
        "parts": list(found.parts),
        "values": dict(found.values),
    }
