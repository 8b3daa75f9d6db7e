"""`mdm why`: why two records are one golden record, or why not."""

from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.options import AsJson

if TYPE_CHECKING:
    from matching.explain import Explanation
    from mdm.stewardship.why_model import Why

Named = Annotated[str, typer.Argument(help="Source key, as salesforce-us/Account:0015g, or a golden id.")]


def why(left: Named, right: Named, as_json: AsJson = False) -> None:
    """Say why two records are one golden record, or why not, with the evidence."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session
    from mdm.db.transaction import snapshot
    from mdm.stewardship.why import why as explain

    with session() as hub, snapshot(hub.engine) as connection:
        found = explain(hub, connection, left, right)
    if as_json:
        print_json(found)
        return
    print_text(f"{found.sentence}.")
    _print_evidence(found)
    if found.explanation is not None:
        _print_waterfall(found, found.explanation)


def _print_evidence(found: "Why") -> None:
    from mdm.cli.output import print_table, print_text

    if found.way:
        links = [
            (link.left, link.right, link.decision_id or "", "" if link.bits is None else f"{link.bits:+.1f}")
            for link in found.way
        ]
        print_text("\nThe way from one to the other:\n")
        print_table(["left", "right", "decision", "bits"], links)
    chain = found.decisions or (found.opposition.decisions if found.opposition else ())
    for fact in chain:
        print_text(f"  because {fact}")
    if found.kind in {"not_compared", "block_too_large"}:
        print_text("\nBlocking rules:\n")
        sizes = {block.rule: block.size for block in found.blocks}
        rows = [
            (rule.rule, rule.meeting, part.feature, ", ".join(part.left), ", ".join(part.right), sizes.get(rule.rule))
            for rule in found.rules
            for part in rule.parts
        ]
        print_table(["rule", "meeting", "feature", "left", "right", "records"], rows)


def _print_waterfall(found: "Why", explanation: "Explanation") -> None:
    """Print the sum as it adds up; the numbers are those of the answer in JSON, to the last place."""
    from mdm.cli.output import print_table, print_text

    print_text("\nThe two records compared, in bits:\n")
    rows = [("before anything is compared", "", _bits(explanation.prior_bits), "", "")]
    for step in explanation.steps:
        sides = ", ".join(step.left), ", ".join(step.right)
        rows.append((step.comparison, step.level, _bits(step.bits), *sides))
        if step.frequency_bits:
            rows.append((f"{step.comparison}, how common it is", "", _bits(step.frequency_bits), "", ""))
    rows.append(("sum", explanation.verdict, _bits(explanation.bits), "", ""))
    print_table(["comparison", "level", "bits", "left", "right"], rows)
    rules = f"; rules that hold: {', '.join(explanation.rules)}" if explanation.rules else ""
    print_text(f"\nreview line {found.review_bits:g}, match line {found.match_bits:g}{rules}")


def _bits(value: float) -> str:
    """Write bits with as many places as they have, and a sign."""
    return f"{value:+.6f}".rstrip("0").rstrip(".")
