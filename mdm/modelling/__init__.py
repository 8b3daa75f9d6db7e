"""Rules as frozen versions: trained or edited, tried on the hub's own records, activated with a reason, rolled back.

    store, service   versions, which of them hold, activation, a second person, roll back
    trial            what rules would make of the hub's records: scored pairs, golden records joined and split; pure
    evidence         the records, decisions and pairs a trial or a training reads
    lines            what each position of the two lines would cost: pairs, hours, wrong joins; pure
    sanity           why rules are not activated; pure
    training         a model from decisions or from a file of pairs
    editing          rules as YAML, and changed by a form
    picture          a training's report as one HTML file

Nothing here matches records anew: `mdm.jobs.rematch` does, after an activation.
"""
