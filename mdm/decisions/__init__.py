"""What people decided, and what they are asked.

Decisions bind two source records and are never overwritten, only revoked. `closure` refuses one that cannot hold beside
the others and proves why. Reviews are derived: they open while a question stands and close when its cause goes.
"""
