"""The room of the database: PostgreSQL, its own or a given one, reached by one engine and changed in one place.

`provide` gives a URL: the configured server, or the embedded one (`embedded`, with its `binaries`, its `place` and its
`launcher`). `engine` opens the pool, `transaction` is the only place that commits, `metadata` names all tables alike,
`migrate` brings the schema to the newest revision.
"""
