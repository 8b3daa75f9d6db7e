"""What the source systems delivered: instances, source records with all their versions, references, exceptions.

A delivery is one record as a system sent it. It becomes a new version of a source record, or is told to be unchanged,
stale or rejected. Versions are never overwritten; a rejected delivery waits in the exception queue with every reason.
"""
