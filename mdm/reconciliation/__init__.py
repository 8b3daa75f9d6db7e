"""What a system of records really holds beside what it should: drift that is found, and the backfill of a new target.

remote records  what a target has, read through its connector, by keys of its own
survey          the comparison of a whole target with what it should hold; its findings are drift, by kind
prospect        what a backfill would do with a golden record: link, fill, create, or leave it
job             a backfill that was ordered: a report that a worker has under a lease, with its progress
report          what a survey or a backfill found or did, in counts and examples

Delivery tells a target what changed; this room reads it as a whole. Repairing is delivery's work again, by an order.
"""
