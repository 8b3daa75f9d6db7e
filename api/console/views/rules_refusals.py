"""Why rules are refused, or look wrong: the sentences of the hub that the page Rules shows, for `sentences.told`."""

from typing import Final

from api.console.views.vocabulary import N_

REFUSALS: Final = (
    N_("a change of rules needs a reason"),
    N_("a number is needed here"),
    N_("write it as 1.5"),
    N_("nothing was changed"),
    N_("change something first"),
    N_("these rules hold for %(entity)s already"),
    N_("there is nothing to activate"),
    N_("no other rules were ever activated"),
    N_("no other rules were ever activated for %(entity)s"),
    N_("there is nothing to take back"),
    N_("the review line would lie above the match line"),
    N_("move one of them"),
    N_("there is no level %(level)s of %(comparison)s"),
    N_("there is no attribute %(name)s"),
    N_("look at the model"),
    N_("look at the declaration"),
    N_("the model does not fit %(entity)s: %(problems)s"),
    N_("it is a model of %(entity)s, not of %(other_entity)s"),
    N_("it reads the attribute %(attribute)s, which is not declared"),
    N_("declare what it reads, or take another model"),
    N_("%(name)s is not activated: %(problems)s"),
    N_("look at what it would change; a lead may force it with a reason"),
    N_("%(who)s asked for this change"),
    N_("a change of the rules of %(entity)s waits for a second person already"),
    N_("approve it or turn it down first"),
    N_("this change is of another entity type"),
    N_("your role does not show these rules"),
    N_("this is no change of this page"),
    N_("no work on the rules of %(entity)s is %(state)s"),
    # What looks wrong about the rules that are tried.
    N_("the largest golden record would have %(number)s records, %(before)s by the rules that hold"),
    N_("%(number)s of %(count)s golden records would go up in others"),
    N_("%(number)s of %(count)s golden records would fall apart"),
    N_("%(number)s pairs would match, %(before)s by the rules that hold"),
    N_("only %(number)s pairs would match, %(before)s by the rules that hold"),
    N_("%(number)s of %(count)s joins would contradict identifiers, %(before)s do now"),
    N_("%(number)s of %(count)s pairs decided different would be joined unasked"),
    N_("%(number)s of %(count)s pairs decided the same would not be asked about"),
    # Whose value survives.
    N_("%(entity)s: survivorship of %(attribute)s: %(problem)s"),
    N_("there is no strategy '%(name)s': write one of %(names)s"),
    N_("union cannot be a fallback: make it the strategy"),
    N_("same_winner_as needs options.attribute: name the attribute to follow"),
    N_("same_winner_as leads back to %(name)s: let one of them have a rule of its own"),
    N_("options name the attribute '%(name)s', which is not declared: check the spelling"),
    N_("there is no version of rules '%(name)s'"),
    N_("there is no change of rules that waits '%(name)s'"),
    # Where the hub names its commands, the page says what to do on it.
    "mend the lines named above; `mdm schema` prints the JSON Schema",
    "look with `mdm model list`",
)
PLAINLY: Final = {
    "mend the lines named above; `mdm schema` prints the JSON Schema": N_("mend what is named above"),
    "look with `mdm model list`": N_("load the page again"),
}
