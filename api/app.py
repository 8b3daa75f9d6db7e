"""The application: settings in, ASGI out. Nothing touches the database before the lifespan begins."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, nullcontext
from typing import Final

import anyio.to_thread
from fastapi import FastAPI
from psycopg_pool import AsyncConnectionPool

from api import docs, errors, openapi
from api.access_log import access_log
from api.console import lost
from api.console.routes import PAGE_ROUTERS
from api.dependencies import Opened
from api.hot import HotReads, HubApp
from api.middleware import Edge
from api.routes import ROUTERS
from mdm.access.oidc_provider import OidcProvider, registration_of
from mdm.access.rates import limiter_of
from mdm.access.service import KeyRing
from mdm.access.sessions import SessionRing
from mdm.db.engine import conninfo
from mdm.db.provide import hub_database
from mdm.history.hot_reads import HotConnection
from mdm.hub import open_hub
from mdm.memory import spare_what_stays
from mdm.resolution.warming import make_ready
from mdm.settings import Settings, load_settings
from mdm.telemetry import configure_logging

# Chosen: a hot read that waits longer for a connection is better refused, so that the caller can try elsewhere.
_POOL_WAIT_S: Final = 5.0


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; without settings, read them from the environment."""
    chosen = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging(chosen)
        anyio.to_thread.current_default_thread_limiter().total_tokens = chosen.pool_size
        with hub_database(chosen) as url, open_hub(chosen, url) as hub:
            async with _open_pool(url, chosen.pool_size) as pool:
                registration = registration_of(chosen)
                with nullcontext() if registration is None else closing(OidcProvider(registration)) as provider:
                    rings = KeyRing(hub.engine), SessionRing(hub.engine)
                    app.state.opened = Opened(hub, url, pool, *rings, limiter_of(chosen), provider)
                    make_ready(hub.declared.values())
                    spare_what_stays("a server is loaded")
                    yield

    app = HubApp(
        title="Golden-record hub",
        version=openapi.VERSION,
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    write = access_log(chosen)
    app.add_middleware(Edge, write=write)
    app.hot_reads = HotReads(app.long_way, app, ROUTERS, write)
    errors.install(app)
    lost.install(app)
    # A request is held against router after router: a steward waits for the pages, and the hot reads pass by all of it.
    for router in (*PAGE_ROUTERS, *ROUTERS):
        app.include_router(router)
    app.include_router(docs.router(app))
    openapi.install(app)
    return app


def _open_pool(url: str, size: int) -> AsyncConnectionPool[HotConnection]:
    """Make the pool of the hot reads: autocommit, as a transaction around one select costs two more round trips."""
    return AsyncConnectionPool(
        conninfo(url, statement_s_max=_POOL_WAIT_S),
        connection_class=HotConnection,
        min_size=1,
        max_size=size,
        open=False,
        timeout=_POOL_WAIT_S,
        kwargs={"autocommit": True},
    )
