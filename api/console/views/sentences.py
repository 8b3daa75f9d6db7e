"""Says sentences of the hub in the reader's language.

The hub tells what it refuses, and what proves it, in English, as its commands and its API do. A page tells the same in
the language of whoever reads it: each sentence is a message of the catalogue whose parts are names, numbers and keys.
One that no message fits is told as it came. Pure.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from api.console.views import vocabulary
from api.console.views.reasons import REASONS
from api.console.views.rules_refusals import PLAINLY, REFUSALS
from api.console.views.vocabulary import N_

# What a steward can meet on the pages of reviews and records. A part is a name, a number or a key, and is told as it
# came; `entity`, `other_entity`, `state`, `judgement`, `relation` and `cause` are words of the hub, and are said.
_MESSAGES: Final = (
    # What is not there.
    "there is no review '%(name)s'",
    "there is no golden record '%(name)s'",
    "there is no source record '%(name)s'",
    N_("there is no event '%(name)s'"),
    N_("there is no attribute '%(name)s'"),
    N_("there is no decision '%(name)s'"),
    N_("there is no band '%(name)s'"),
    N_("there is no exception '%(name)s'"),
    N_("there is no person '%(name)s'"),
    N_("there is no operation %(name)s"),
    N_("there is no deal '%(name)s'"),
    N_("there is no target '%(name)s'"),
    "`mdm deals list` shows those that are on their way",
    "list them with `%(command)s`",
    "check the id, or search for a name with `mdm find`; ids that this hub gave out always resolve",
    "load the record first, or check instance, object and scope",
    N_("look at the history of the golden record for the ids of its events"),
    "this is neither a key nor a golden id; search with `mdm find`",
    N_("at %(when)s the hub had not given out this id"),
    N_("it has no version %(number)s"),
    N_("look at a band first; its preview names the id"),
    # Answers to reviews.
    N_("review %(name)s is claimed by %(who)s until %(when)s"),
    N_("take another one, or ask %(who)s to release it"),
    N_("review %(name)s is closed: %(because)s"),
    N_("undo its answer, or take another one"),
    N_("review %(name)s is not as you read it: %(changes)s"),
    N_("read the review again and answer what it says now"),
    N_("a merge for review %(name)s has risks that were not confirmed: %(risks)s"),
    N_("a merge has risks: %(risks)s"),
    N_("look at them on the card, and confirm them with the answer: %(marks)s"),
    N_("an answer to review %(name)s waits for a second person"),
    N_("approve or reject it, or let its author undo it"),
    N_("review %(name)s is open because somebody was unsure"),
    N_("comment on it, or answer same, different or related"),
    N_("no answer to review %(name)s stands"),
    N_("there is nothing to undo"),
    N_("%(who)s answered review %(name)s, not %(other)s"),
    N_("ask %(who)s to undo it, or revoke the decision"),
    N_("no answer to review %(name)s waits for a second person"),
    N_("answer it yourself"),
    N_("%(who)s gave the answer to review %(name)s"),
    N_("let somebody else approve or reject it; undo withdraws it"),
    N_("you have no answer left to take back"),
    N_("answers of others are theirs"),
    N_("the answer to review %(name)s that was shown waits no longer"),
    N_("values are chosen for a merge, and this answer merges nothing"),
    N_("leave the choices out, or set overrides"),
    N_("there is no column %(number)s"),
    N_("pick one of %(first)s to %(last)s"),
    N_("an assignee has 1 to %(most)s printable characters"),
    N_("name a person as the hub does, or write group:NAME"),
    N_("a comment has 1 to %(most)s characters"),
    N_("say it in fewer words"),
    N_("a decision needs a reason"),
    N_("an operation needs a reason"),
    N_("say in a few words why"),
    N_("a relation belongs to the judgement 'related', and only to it"),
    N_("the days on which it holds belong to the judgement 'related', and only to it"),
    N_("choose one of %(names)s"),
    N_("the form names no answer"),
    N_("send verdict as one of %(names)s"),
    N_("a version is a number"),
    # Decisions that stand against it.
    N_("the two records are decided to be apart: %(chain)s"),
    N_("the two records are decided to be the same: %(chain)s"),
    N_("the relation stands the other way round: %(chain)s"),
    N_("%(relation)s would lead back to where it began: %(chain)s"),
    N_("revoke one decision of the chain, or decide anew"),
    N_("%(left)s is the same as %(right)s (%(decision)s, %(who)s)"),
    N_("%(left)s is different from %(right)s (%(decision)s, %(who)s)"),
    N_("%(left)s is perhaps the same as %(right)s (%(decision)s, %(who)s)"),
    N_("%(left)s is %(relation)s %(right)s (%(decision)s, %(who)s)"),
    # Operations on golden records.
    N_("expect versions of golden records that exist; what a dry run mints gets another id later"),
    N_("golden record %(name)s is %(found)s, the plan expected %(planned)s"),
    N_("make the plan again and look at the difference"),
    N_("golden record %(name)s is %(found)s, not version %(number)s any more"),
    N_("read it again, look at what changed, and ask again with its present version"),
    N_("golden record %(name)s is retired: it has no members left"),
    N_("ask again once one of its records has come back"),
    N_("event %(name)s cannot be taken back: %(because)s"),
    N_("%(key)s was put into %(place)s by %(event)s (%(cause)s)"),
    N_("%(left)s and %(right)s were put together by %(event)s (%(cause)s)"),
    N_("%(name)s is %(state)s since %(event)s"),
    N_("none of the records of %(name)s is left"),
    N_("%(event)s took it back already"),
    N_("take %(event)s back first"),
    N_("it may be what you want already; else take %(event)s back first"),
    N_("wait until one of them returns, or let the source deliver it again"),
    N_("%(event)s retired them: bring them back with `%(command)s`"),
    N_("nothing to do, or do again what it took back"),
    N_("%(left)s and %(right)s are one golden record already"),
    N_("%(left)s and %(right)s are one golden record"),
    N_("name two of its records by their keys"),
    N_("each pair is one golden record already"),
    N_("nothing to do"),
    N_("%(left)s is a %(entity)s, %(right)s a %(other_entity)s"),
    N_("name two golden records of one entity type"),
    N_("move a record to a golden record of its own entity type"),
    N_("%(key)s is %(state)s and belongs to no golden record"),
    N_("%(key)s is no member of %(name)s"),
    N_("name its members only"),
    N_("%(key)s belongs to %(name)s already"),
    N_("%(key)s stands alone already"),
    N_("nothing to take apart"),
    N_("%(name)s has one record, which stands alone"),
    N_("%(name)s is neither of the two golden records"),
    N_("let %(left)s or %(right)s survive"),
    N_("each record goes to exactly one part, and no part is empty"),
    N_("name every record once"),
    N_("the parts leave %(name)s as it is"),
    N_("name at least two parts, or less than all"),
    N_("no record of %(name)s was retired by a steward"),
    N_("nothing to restore"),
    N_("%(name)s never absorbed another golden record"),
    N_("split it instead"),
    N_("%(event)s followed from %(other)s"),
    N_("take that one back, and this one goes with it"),
    N_("this would part %(pairs)s pairs of records of %(entity)s, at most %(most)s at once"),
    N_("take smaller parts out, one after the other"),
    N_("golden record %(name)s has no members, so there is nothing to compare"),
    N_("something is not chosen yet"),
    N_("choose it on the left"),
    # Values of one's own.
    "an override needs a reason of 1 to %(most)s characters",
    N_("the value cannot be taken: %(problems)s"),
    N_("%(attribute)s: the value says nothing"),
    "give a value, or blank the attribute: null over HTTP, --blank on the command line",
    N_("%(attribute)s points at another record, and what a record points at only its source can say"),
    N_("correct it in the source; two golden records are joined or related by a decision"),
    N_("the override would have ended at %(when)s"),
    N_("name an instant to come"),
    N_("an end belongs to the term 'until', and only to it"),
    N_("name the instant, or choose another term"),
    N_("%(value)s is no instant"),
    N_("%(column)s: %(value)s is not a date"),
    N_("%(column)s: %(value)s is not a number"),
    N_("%(column)s: %(value)s is no amount"),
    N_("%(column)s: %(value)s is neither yes nor no"),
    N_("%(column)s: %(value)s is no code of %(list)s"),
    N_("%(column)s: is longer than %(most)s characters"),
    N_("write it as YYYY-MM-DD"),
    N_("write digits with a decimal point"),
    N_("write true or false"),
    N_("shorten it in the source"),
    # The queue.
    N_("no open review passes the filter"),
    N_("more than %(most)s reviews pass the filter"),
    N_("choose others: by kind, bits, stake or source"),
    N_("the name of a queue has 1 to %(most)s printable characters"),
    N_("choose another"),
    N_("%(who)s keeps %(most)s queues already"),
    N_("end one of them first"),
    N_("this queue is not yours, or gone already"),
    N_("nothing was chosen"),
    N_("tick the answers, then approve or reject them"),
    N_("an answer was not chosen"),
    N_("choose one of the answers"),
    N_("%(value)s cannot be chosen here"),
    N_("choose from the lists"),
    N_("a score is 1 to 99 percent"),
    N_("write a whole number"),
    N_("band %(name)s is %(state)s"),
    N_("the preview of band %(name)s is too old"),
    N_("look at the reviews again"),
    N_("%(moved)s of %(count)s reviews of band %(name)s moved since, %(shown)s of the sample shown"),
    N_("%(who)s accepted band %(name)s"),
    N_("%(who)s looked at band %(name)s"),
    N_("look at it yourself first"),
    N_("let somebody else approve it"),
    N_("a contradiction is answered by itself"),
    # Who may do what, and what cannot be done now.
    N_("your role does not open this page"),
    N_("ask an administrator of the hub for the role"),
    N_("your role does not let you see this record"),
    N_("your role does not let you %(verb)s %(entity)s"),
    N_("your role is limited to some systems, and questions are about records of all of them"),
    N_("ask an administrator of the hub for a role without that limit"),
    N_("ask an administrator of the hub"),
    N_("the request comes from another site"),
    N_("open the page here"),
    N_("this form belongs to another session"),
    N_("load the page again"),
    N_("the database does not answer"),
    N_("other writers were in the way %(number)s times"),
    N_("send the same request again"),
    N_("if they stay in the way, ask for less at once or wait for their load"),
    N_("try again in a few seconds; nothing was changed"),
    N_("there is no page at this address"),
    N_("the address is not one of this page"),
    N_("go back and follow a link"),
    N_("go back to the record"),
    N_("the hub failed"),
    N_("try again; if it fails again, report the number below to whoever runs the hub"),
    N_("exception %(name)s is %(state)s"),
    N_("only open exceptions can be changed"),
    N_("a dismissal needs a reason"),
    N_("say it in a few words"),
    # Why two records are one, or are not.
    N_("%(left)s and %(right)s are both members of %(name)s: they match with %(bits)s bits"),
    N_("%(left)s and %(right)s are both members of %(name)s: a decision says that they are the same (%(decision)s)"),
    N_("%(left)s and %(right)s are both members of %(name)s: connected over %(over)s"),
    N_("its weakest link has %(bits)s bits"),
    N_("by decisions alone"),
    N_(
        "%(left)s and %(right)s are both members of %(name)s, though no evidence that stands now connects them:"
        " %(because)s"
    ),
    N_("it is established, so its members stay"),
    N_("a wider search has to part them"),
    N_("%(left)s and %(right)s are kept apart by a decision of %(who)s: %(judgement)s, %(reason)s (%(decision)s)"),
    N_("revoke it to let them be clustered again"),
    N_("%(left)s and %(right)s were never compared: they share no block"),
    N_("each is matched within its parent, and they are not known to have the same"),
    N_("what they agree in is too common to tell anything (%(rules)s)"),
    N_("they would meet under %(rules)s if %(lacking)s"),
    N_("review %(name)s (%(kind)s) asks whether their golden records are one"),
    N_("%(left)s and %(right)s were compared: %(bits)s bits, below the review line of %(line)s"),
    N_(
        "%(left)s and %(right)s may be the same: %(bits)s bits, between the review line of %(line)s and the match line"
        " of %(most)s"
    ),
    N_("no review is open, since a decision parts their golden records"),
    N_(
        "%(left)s and %(right)s match, but %(name)s and %(other)s are both established, so neither is joined to the"
        " other by matching alone"
    ),
    N_("review %(name)s asks a steward"),
    N_("a steward can merge them"),
    N_("%(left)s and %(right)s match by what the hub knows now, and nothing stands against joining them: %(because)s"),
    N_("they are joined when either is next clustered"),
    N_("deliver one again, or decide that they are the same"),
    N_("%(left)s and %(right)s match"),
    N_("one of them waits for the worker, which searches wider"),
    N_(
        "%(left)s and %(right)s never join, since their strong identifiers contradict each other: %(clashes)s;"
        " correct it in a source, or decide that they are the same"
    ),
    N_("%(left)s is a %(entity)s and %(right)s a %(other_entity)s: only records of one entity type are compared"),
    # Why a value does not rule.
    N_("masked by the override of %(who)s"),
    N_("the rule leaves its record out"),
    N_("its source comes later in the order of sources"),
    N_("older in its source"),
    N_("its record is less complete"),
    N_("fewer records hold it"),
    N_("shorter"),
    N_("greater"),
    N_("smaller"),
    N_("another record gives this element first"),
    N_("not verified"),
    N_("less trusted"),
    N_("its record did not win the attribute that this one follows"),
    N_("as good by the rule, but older in its source"),
    N_("as good by the rule and as recent, but its source ranks lower"),
    N_("as good in all, but its source key sorts later"),
    # Why something waits.
    N_("it is about %(published)s published keys, %(most)s or more"),
    N_("it joins two established golden records"),
)
# Where the hub names its commands and its own words, a page says the same plainly, in English too.
_PLAINLY: Final[Mapping[str, str]] = {
    "`mdm deals list` shows those that are on their way": N_("go back to the list and choose there"),
    "there is no golden record '%(name)s'": N_("there is no record with the number %(name)s"),
    "there is no source record '%(name)s'": N_("no system delivered a record with the key %(name)s"),
    "there is no review '%(name)s'": N_("there is no question with the number %(name)s that you may answer"),
    "list them with `%(command)s`": N_("go back to the list and choose there"),
    "check the id, or search for a name with `mdm find`; ids that this hub gave out always resolve": N_(
        "look for its name with Ctrl K; every number that this hub gave out leads somewhere"
    ),
    "this is neither a key nor a golden id; search with `mdm find`": N_(
        "this is neither a key of a system nor a number of the hub; look for its name with Ctrl K"
    ),
    "load the record first, or check instance, object and scope": N_("check the key, letter by letter"),
    "give a value, or blank the attribute: null over HTTP, --blank on the command line": N_(
        "give a value, or choose to leave it empty"
    ),
    "an override needs a reason of 1 to %(most)s characters": N_(
        "your choice needs a reason of 1 to %(most)s characters"
    ),
    **PLAINLY,
}
_WORDS: Final[Mapping[str, str]] = {
    "entity": "entity",
    "other_entity": "entity",
    "state": "state",
    "judgement": "judgement",
    "relation": "relation",
    "cause": "cause",
    "kind": "review",
}
# Parts that are sentences themselves, one or several.
_TOLD: Final = frozenset({"because", "chain", "changes", "problem", "problems"})
# Parts that may hold blanks; all others are one word.
_WIDE: Final = _TOLD.union(
    [
        "attribute",
        "clashes",
        "column",
        "command",
        "comparison",
        "found",
        "judgement",
        "key",
        "lacking",
        "level",
        "left",
        "list",
        "marks",
        "name",
    ],
    ["names", "other", "over", "planned", "reason", "right", "risks", "rules", "value", "who"],
)
_PART: Final = re.compile(r"%\((\w+)\)s")
LENGTH_MAX: Final = 1_000  # chosen: longer is no sentence but a text, and is told as it came


def told(sentence: str, translate: Callable[[str], str]) -> str:
    """Say a sentence of the hub by the catalogue, or several that a semicolon parts; an unknown one stays as it is."""
    if len(sentence) > LENGTH_MAX or not sentence:
        return sentence
    said = _said(sentence, translate)
    if said is not None:
        return said
    first, mark, last = sentence.rpartition("; ")
    said = _said(last, translate) if mark else None
    return f"{told(first, translate)}; {said}" if said is not None else sentence


def _said(sentence: str, translate: Callable[[str], str]) -> str | None:
    for pattern, literal, message in _patterns():
        if literal not in sentence:
            continue
        found = pattern.fullmatch(sentence)
        if found is not None:
            parts = {name: _part(name, value, translate) for name, value in found.groupdict().items()}
            return translate(_PLAINLY.get(message, message)) % parts
    return None


def _part(name: str, value: str, translate: Callable[[str], str]) -> str:
    if name in _TOLD:
        return "; ".join(told(each, translate) for each in value.split("; "))
    if name in _WORDS and vocabulary.is_known(_WORDS[name], value):
        return translate(vocabulary.message(_WORDS[name], value))
    return value


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    """Compile each message into what it looks like when its parts are filled in, the most exact first.

    With each stands the longest text in it, which a sentence must hold to be worth a look.
    """
    compiled = []
    for message in (*_MESSAGES, *REASONS, *REFUSALS):
        pieces = _PART.split(message)
        text = "".join(re.escape(one) if place % 2 == 0 else _hole(one) for place, one in enumerate(pieces))
        literals = pieces[::2]
        compiled.append((sum(map(len, literals)), re.compile(text, re.DOTALL), max(literals, key=len), message))
    return tuple(one[1:] for one in sorted(compiled, key=lambda one: -one[0]))


def _hole(name: str) -> str:
    return f"(?P<{name}>{'.' if name in _WIDE else '[^ ]'}+?)"
