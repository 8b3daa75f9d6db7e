"""Things on their way to exist in other systems: reservations, and sold deals until they can be billed.

reservation  somebody is about to create a record in a system; it has a golden id before that system has a key
deal         an opportunity that was won, followed through the steps of its recipe until it is ready to bill
recipe       the steps, required facts, currencies and time limits, declared in YAML
"""
