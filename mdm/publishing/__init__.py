"""Between the hub and the world: the change feed, and one message per golden version and subscribed target.

Events and messages are written in the transaction of their cause and carry ids and versions, no values. Nothing is sent
from inside a transaction: a target reads the newest values when it is told.
"""
