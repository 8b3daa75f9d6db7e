"""Learn what agreement is worth: match models from identifiers, from labels and from stewards' decisions.

A learnt model is the declared one with other bits: the same features, blocking and comparisons, levels worth what the
records or the labels say, and never far from the declaration where they say little. All here is pure: forms and a
model in, frozen values out; the same input gives the same bytes, in any order of labels.

    learn_unsupervised(forms, model, *, seed) -> Learnt            weak labels from identifiers, nobody asked
    taught_by_identifiers(forms, model, *, seed) -> MatchModel     the same without the report
    learn_cold(forms, model, *, seed) -> Learnt                    neither labels nor identifiers, on trial
    learn_supervised(forms, model, labels, *, seed) -> Learnt      the same learner on decided pairs
    choose_pairs(forms, model, count, asked) -> Pairs              the most useful pairs to ask next
    figures_of(found) -> RunFigures                                what the sanity gate compares of a run
    gate(old, new) -> GateReport                                   refuse nonsense, in words and figures
    matching.model_json: write_model(model) -> str, read_model(text) -> MatchModel    byte-equal, same version

The values (Labels, Pairs, Learnt, LearningReport, RunFigures, GateReport) are in model.py. What a learnt score has
above the match line is the log odds of a match, in bits; the line keeps its declared place and so stands at even odds.
What identifiers taught lies one bit below, for caution.
"""

from matching.learning.queue import choose_pairs
from matching.learning.sanity import figures_of, gate
from matching.learning.train import learn_cold, learn_supervised, learn_unsupervised, taught_by_identifiers

__all__ = [
    "choose_pairs",
    "figures_of",
    "gate",
    "learn_cold",
    "learn_supervised",
    "learn_unsupervised",
    "taught_by_identifiers",
]
