"""Questions to what the hub knows, and the log of what changed in it.

`hot_reads` answers for the present moment, thousands of times a minute. The audit log: triggers append entries,
`service` seals, verifies and reads them, `chain` is the hash chain, `checkpoints` are signed files, `store` the SQL,
and `model` names the tables that are recorded.
"""
