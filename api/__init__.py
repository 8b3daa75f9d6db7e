"""The HTTP edge of the hub: a thin skin over its services.

A request passes, in this order: `middleware.Edge` (id, log, metrics, last resort), `route.HubRoute` (key, scope, size,
JSON gate), one function in `routes/`, one service call. `access_table` says what each route needs; `errors` turns every
refusal into a problem document. Nothing here holds a rule of the hub.
"""
