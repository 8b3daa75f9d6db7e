"""Who belongs to which golden record, now and at any time.

`plan` turns a partition of records into an `IdentityPlan`, a pure value that says every id and state before and after.
`service.carry_out` is the one place that writes it. The inverse of a plan takes it back. `crosswalk` answers look-ups.
"""
