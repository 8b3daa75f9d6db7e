"""Every route of the API, one file a room; `ROUTERS` lists them in the order of the docs."""

from api.routes import (
    api_keys,
    audit,
    changes,
    crosswalk,
    decisions,
    exceptions,
    explanations,
    golden_records,
    health,
    match,
    operations,
    overrides,
    relations,
    reviews,
    source_records,
    sources,
)

ROUTERS = (
    source_records.router,
    crosswalk.router,
    golden_records.router,
    overrides.router,
    relations.router,
    explanations.router,
    match.router,
    operations.router,
    decisions.router,
    reviews.router,
    exceptions.router,
    changes.router,
    sources.router,
    api_keys.router,
    audit.router,
    health.router,
)
