"""The sentences of `why`: each names both records, what kept them apart or together, and what would change it. Pure."""

from collections.abc import Sequence
from typing import Final

from matching.explain import Clash
from matching.meet import Meetings, PartSeen
from matching.model import MatchModel
from mdm.decisions.model import Decision
from mdm.ids import ReviewId
from mdm.resolution.model import Bounds
from mdm.resolution.pairing import PairSeen
from mdm.stewardship.why_model import Link, Opposition, Side

_TEXTS_MAX: Final = 3


def two_entity_types(left: Side, right: Side) -> str:
    """Tell that only records of one entity type are compared."""
    return (
        f"{left.source_key} is a {left.entity_type} and {right.source_key} a {right.entity_type}:"
        " only records of one entity type are compared"
    )


def not_a_member(left: Side, right: Side) -> str:
    """Tell that a record is no member of anything now."""
    because = {"deleted": "was deleted in its source", "withdrawn": "was withdrawn by a steward"}
    gone = [side for side in (left, right) if side.state != "active"]
    told = " and ".join(f"{side.source_key} {because.get(side.state, side.state)}" for side in gone)
    return (
        f"{left.source_key} and {right.source_key} are not one now: {told};"
        " such a record is kept, and belongs to no golden record until it returns"
    )


def together(left: Side, right: Side, way: Sequence[Link]) -> str:
    """Tell what holds two members of one golden record together."""
    begin = f"{left.source_key} and {right.source_key} are both members of {left.golden_id}"
    if not way:
        held = "it is established, so its members stay" if left.is_established else "a wider search has to part them"
        return f"{begin}, though no evidence that stands now connects them: {held}"
    if len(way) == 1 and way[0].decision_id is not None:
        return f"{begin}: a decision says that they are the same ({way[0].decision_id})"
    if len(way) == 1:
        return f"{begin}: they match with {way[0].bits:.1f} bits"
    weakest = min((link.bits for link in way if link.decision_id is None and link.bits is not None), default=None)
    over = ", ".join(link.right for link in way[:-1])
    strength = "by decisions alone" if weakest is None else f"its weakest link has {weakest:.1f} bits"
    return f"{begin}: connected over {over}; {strength}"


def decided(left: Side, right: Side, parts: Decision, chain: Sequence[str]) -> str:
    """Tell which decision forbids it, and over which others it reaches the two."""
    judgement = parts.verdict.judgement if parts.verdict.relation is None else f"related ({parts.verdict.relation})"
    lifted = "" if len(chain) == 1 else ", and others say who is the same as the two that it names"
    return (
        f"{left.source_key} and {right.source_key} are kept apart by a decision of {parts.who}: {judgement},"
        f" {parts.verdict.reason!r} ({parts.id}){lifted}; revoke it to let them be clustered again"
    )


def vetoed(left: Side, right: Side, clashes: Sequence[Clash]) -> str:
    """Tell which strong identifier stands against it."""
    return (
        f"{left.source_key} and {right.source_key} never join, since their strong identifiers contradict each other:"
        f" {clash_words(clashes)}; correct it in a source, or decide that they are the same"
    )


def not_compared(
    left: Side, right: Side, meetings: Meetings, review_id: ReviewId | None, review_kind: str | None
) -> str:
    """Tell that no block brought the two together, and what is nearest to one."""
    begin = f"{left.source_key} and {right.source_key} were never compared: they share no block"
    return f"{begin}; {_nearest(meetings)}{_question(review_id, review_kind)}"


def _nearest(meetings: Meetings) -> str:
    if meetings.is_apart:
        return "each is matched within its parent, and they are not known to have the same"
    stopped = [rule.rule for rule in meetings.rules if rule.meeting == "stopped"]
    if stopped:
        return f"what they agree in is too common to tell anything ({', '.join(stopped)})"
    near = min(meetings.rules, key=lambda rule: (len(rule.lacking), rule.meeting == "missing"), default=None)
    if near is None:
        return "the match model has no blocking rule"
    return f"they would meet under {near.rule} if {' and '.join(map(_lack, near.lacking))}"


def _lack(part: PartSeen) -> str:
    if part.left and part.right:
        return f"{part.feature} agreed ({_some(part.left)} against {_some(part.right)})"
    missing = "neither record has one" if not (part.left or part.right) else "one of them has none"
    return f"both had the same {part.feature} ({missing})"


def too_large(left: Side, right: Side, seen: PairSeen, review_id: ReviewId | None, review_kind: str | None) -> str:
    """Tell that the blocks they share are too large to be searched."""
    largest = max(seen.blocks, key=lambda block: block.size)
    then = "they wait for the worker, which searches wider" if seen.is_deferred else "nobody searches it"
    return (
        f"{left.source_key} and {right.source_key} were not compared: the blocks that they share are too large"
        f" ({largest.rule}: {largest.size - 1:,} records are the most that is searched);"
        f" {then}{_question(review_id, review_kind)}"
    )


def below(
    left: Side,
    right: Side,
    seen: PairSeen,
    model: MatchModel,
    review_id: ReviewId | None,
    review_kind: str | None,
) -> str:
    """Tell that the evidence is not enough for a question, or that a rule bounds it."""
    bits = seen.explanation.bits
    begin = f"{left.source_key} and {right.source_key} were compared: {bits:.1f} bits"
    bounding = _bounding(seen, model)
    if bits >= model.review_bits and bounding:
        return (
            f"{begin} would do, but a rule says that they do not match: {bounding}{_question(review_id, review_kind)}"
        )
    return f"{begin}, below the review line of {model.review_bits:g}{_question(review_id, review_kind)}"


def possible(
    left: Side,
    right: Side,
    seen: PairSeen,
    model: MatchModel,
    review_id: ReviewId | None,
    review_kind: str | None,
) -> str:
    """Tell that they may match, and which review asks."""
    bits, bounding = seen.explanation.bits, _bounding(seen, model)
    why = f"between the review line of {model.review_bits:g} and the match line of {model.match_bits:g}"
    if bits >= model.match_bits and bounding:
        why = f"enough for a match, but a rule leaves it to a steward: {bounding}"
    elif bits < model.review_bits:
        why = f"raised to a question by a rule: {', '.join(seen.explanation.rules)}"
    question = _question(review_id, review_kind) or "; no review is open, since a decision parts their golden records"
    return f"{left.source_key} and {right.source_key} may be the same: {bits:.1f} bits, {why}{question}"


def refused(left: Side, right: Side, opposition: Opposition) -> str:
    """Tell which two others stand between two that match."""
    own = {opposition.left, opposition.right} & {left.source_key, right.source_key}
    who = "one of them and a fellow of the other" if own else "two others of their clusters"
    because = (
        f"decided: {'; '.join(opposition.decisions)}"
        if opposition.decisions
        else f"what they say of themselves is contradictory: {clash_words(opposition.clashes)}"
    )
    return (
        f"{left.source_key} and {right.source_key} match, but joining them would bring together {who} that conflict:"
        f" {opposition.left} and {opposition.right} ({because})"
    )


def held(left: Side, right: Side, review_id: ReviewId | None) -> str:
    """Tell that both are established and that a steward is asked."""
    asks = f"review {review_id} asks a steward" if review_id else "a steward can merge them"
    return (
        f"{left.source_key} and {right.source_key} match, but {left.golden_id} and {right.golden_id} are both"
        f" established, so neither is joined to the other by matching alone; {asks}"
    )


def component_too_large(left: Side, right: Side, bounds: Bounds) -> str:
    """Tell that the part of the graph is larger than is clustered online."""
    return (
        f"{left.source_key} and {right.source_key} match, but more than {bounds.component_records_max:,} records hang"
        " together with them: what is held stays until the worker has looked further"
    )


def deferred(left: Side, right: Side) -> str:
    """Tell that one of the two waits for the worker."""
    return f"{left.source_key} and {right.source_key} match; one of them waits for the worker, which searches wider"


def pending(left: Side, right: Side) -> str:
    """Tell that nothing stands against joining them by what the hub knows now."""
    return (
        f"{left.source_key} and {right.source_key} match by what the hub knows now, and nothing stands against joining"
        " them: they are joined when either is next clustered; deliver one again, or decide that they are the same"
    )


def clash_words(clashes: Sequence[Clash]) -> str:
    """Name contradicting identifiers with their values."""
    return "; ".join(
        f"{clash.veto}{f' ({clash.scope})' if clash.scope else ''} {_some(clash.left)} against {_some(clash.right)}"
        for clash in clashes
    )


def _bounding(seen: PairSeen, model: MatchModel) -> str:
    bounds = {rule.name for rule in model.rules if rule.bound == "at_most"}
    return ", ".join(name for name in seen.explanation.rules if name in bounds)


def _question(review_id: ReviewId | None, review_kind: str | None) -> str:
    if review_id is None:
        return ""
    return f"; review {review_id} ({review_kind}) asks whether their golden records are one"


def _some(texts: Sequence[str]) -> str:
    shown = ", ".join(texts[:_TEXTS_MAX])
    return f"{shown} and {len(texts) - _TEXTS_MAX} more" if len(texts) > _TEXTS_MAX else shown
