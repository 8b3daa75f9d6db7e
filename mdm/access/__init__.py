"""Who may ask the hub for what, and which unsafe requests it has already answered.

`model` holds the values (scope, principal, API key, stored reply), `service` the use cases on keys, `replies` those on
idempotency records, `store` the SQL of both. A key is shown once and stored as a hash; revoking it takes effect
everywhere within `service.CACHE_LIFE_S`.

People have `people_model`, `people` (add, change, links), `sessions` (sign in and out, `SessionRing`), `passwords`, and
for an OpenID provider `oidc` (begin, finish) on `oidc_provider` (what it says, checked); `people_store` and
`sessions_store` hold their SQL.
"""
