"""What happened to records inside their sources: merged, re-keyed, deleted, out of sight, a retired instance.

An event is a fact about source keys. From all facts about a key follows what its record is: *ended* (it stays a member,
matches and resolves, but is no live key and silent beside others) with a *successor*, or not; `settle` brings a record
to what its facts say, in whatever order they came, and binds it to its successor by a decision of the source.
"""
