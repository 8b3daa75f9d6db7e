"""Which of its members' values a golden record shows, and why.

`model` holds the plain values (contribution, override, lineage, golden values), `trust` the decay of trust with age,
`strategies` one scoring function per declared strategy, `rules` the pure functions `survive` and `losers` over them,
and `options` the check of what a declaration may ask for.
"""
