"""What routes ask for: the open hub, the caller, the wrapper that makes an unsafe request happen once."""

from asyncio import Future
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, Final, TypeVar, cast

import orjson
from fastapi import Depends, Header, Request, Response
from psycopg import OperationalError
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import Connection

from api.errors import HttpRefusal
from api.schemas.shape import Told
from mdm.access import replies
from mdm.access.model import Attempt, Principal, Reply, Verb
from mdm.access.oidc_provider import OidcProvider
from mdm.access.rates import Limiter
from mdm.access.service import KeyRing
from mdm.access.sessions import SessionRing
from mdm.db.transaction import run
from mdm.delivery.overview import KeptTargets
from mdm.errors import Forbidden
from mdm.history.hot_reads import HotConnection
from mdm.hub import UNBRACKETED, Bracket, Hub
from mdm.jobs.group_commit import GroupCommit
from mdm.modelling.desk import KeptScores
from mdm.stewardship.state_of_the_hub import KeptFigures

Answer = TypeVar("Answer")
Result = TypeVar("Result")

_KEY_LENGTH_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class Opened:
    """What one process of the API holds open."""

    hub: Hub
    url: str
    pool: AsyncConnectionPool[HotConnection]
    keys: KeyRing
    sessions: SessionRing
    limiter: Limiter
    provider: OidcProvider | None = None
    keys_read: dict[str, "Future[Principal | None]"] = field(default_factory=dict)
    figures: KeptFigures = field(default_factory=KeptFigures)
    scores: KeptScores = field(default_factory=KeptScores)
    targets: KeptTargets = field(default_factory=KeptTargets)
    deliveries: GroupCommit = field(default_factory=GroupCommit)

    async def ask(self, question: Callable[[HotConnection], Awaitable[Answer]]) -> Answer:
        """Run one hot read; where the database was restarted meanwhile, replace the broken connections and ask again.

        Checking each connection before use instead would cost every look-up another 100 µs (November 2026).
        """
        connection = await self.pool.getconn()
        try:
            return await question(connection)
        except OperationalError:
            if not connection.closed:
                raise
        finally:
            # Not `async with pool.connection()`: these connections commit by themselves, so that the block's own
            # commit and context managers were 15 µs for nothing (November 2026).
            await self.pool.putconn(connection)
        await self.pool.check()
        async with self.pool.connection() as connection:
            return await question(connection)


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal of a request, asked once more when entity type and source are known."""

    principal: Principal

    @property
    def name(self) -> str:
        """Name the caller as it stands under `who` in facts and decisions."""
        return self.principal.who

    def require(self, verb: Verb, *, entity_type: str | None = None, source: str | None = None) -> None:
        """Refuse unless the verb is allowed on this entity type and source; None means on all of them."""
        if self.principal.may(verb, entity_type=entity_type, source=source):
            return
        where = " of ".join(filter(None, (entity_type or "every entity type", source or "every source")))
        raise Forbidden(
            f"{self.principal.name!r} may not {verb} {where}",
            remedy="ask an administrator for a scope or a role that covers it",
        )


@dataclass(frozen=True, slots=True)
class Once:
    """The unsafe request at hand: its effect and its reply are stored together, once."""

    opened: Opened
    attempt: Attempt | None

    def __call__(self, effect: Callable[[Connection], Told], *, status: int = 200) -> Response:
        """Carry out the effect in one transaction and answer what it returns, or repeat the first answer."""
        return self._answer(lambda connection: Reply(status, _bytes(effect(connection))))

    def showing(self, effect: Callable[[Connection], tuple[Told, Told]], *, status: int = 200) -> Response:
        """Do the same for an effect that returns two answers: one to keep and repeat, one with a secret to show now."""

        def work(connection: Connection) -> Reply:
            kept, shown = effect(connection)
            return Reply(status, _bytes(kept), _bytes(shown))

        return self._answer(work)

    def around(self, act: Callable[[Bracket[Result]], Result], tell: Callable[[Result], Told]) -> Response:
        """Do the same for a use case with transactions of its own; the reply is kept in the last of them.

        A crash before that leaves no reply: the repeat does what is left, and finds the rest done. Twins that overlap
        get one reply, or 409.
        """
        attempt = self.attempt
        if attempt is None:
            return _respond(Reply(200, _bytes(tell(act(UNBRACKETED)))))
        bracket: Bracket[Result] = Bracket(
            lambda connection: replies.begin(connection, attempt),
            lambda connection, result: replies.keep(connection, attempt, Reply(200, _bytes(tell(result)))),
        )
        try:
            return _respond(Reply(200, _bytes(tell(act(bracket)))))
        except replies.Answered as repeated:
            return _respond(repeated.reply)

    def _answer(self, work: Callable[[Connection], Reply]) -> Response:
        engine = self.opened.hub.engine
        return _respond(run(engine, lambda connection: replies.once(connection, self.attempt, work)))


def _respond(reply: Reply) -> Response:
    return Response(reply.shown or reply.body, reply.status, media_type="application/json")


def _bytes(told: Told) -> bytes:
    return told.model_dump_json(exclude_none=True).encode()


def json_answer(told: Told) -> Response:
    """Send an answer that nobody has to keep, as a dry run's."""
    return _respond(Reply(200, _bytes(told)))


def json_response(content: Any, status: int = 200) -> Response:
    """Send plain values as JSON without a model, for the hot reads."""
    return Response(orjson.dumps(content, option=orjson.OPT_UTC_Z), status, media_type="application/json")


def opened_by(request: Request) -> Opened:
    """Return what this application holds open."""
    return cast("Opened", request.app.state.opened)


async def _opened(request: Request) -> Opened:
    return opened_by(request)


async def _hub(request: Request) -> Hub:
    return opened_by(request).hub


async def _caller(request: Request) -> Caller:
    return caller_of(request)


def caller_of(request: Request) -> Caller:
    """Return who asks; the route has checked the key before."""
    return Caller(cast("Principal", request.scope["mdm.principal"]))


async def _once(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="A text of your own, 1 to 255 characters, fresh for every new request."
            " A repeat within 24 hours gets the first reply and has no second effect.",
            examples=["9f1c2c0e-6f0a-4c1e-9a53-5b1f4f5f6f10"],
        ),
    ] = None,
) -> Once:
    opened = opened_by(request)
    if idempotency_key is None:
        return Once(opened, None)
    if not 0 < len(idempotency_key) <= _KEY_LENGTH_MAX or not (
        idempotency_key.isascii() and idempotency_key.isprintable()
    ):
        raise HttpRefusal(
            400,
            "idempotency_key_malformed",
            "the Idempotency-Key is not 1 to 255 printable ASCII characters",
            remedy="send a UUID",
            place="header idempotency-key",
        )
    who, route = caller_of(request).principal.id, cast("str", request.scope["mdm.route"])
    fingerprint = sha256()
    for part in (who, route, idempotency_key, request.url.path, request.url.query):
        fingerprint.update(part.encode() + b"\0")
    fingerprint.update(await request.body())
    return Once(opened, Attempt(who, route, idempotency_key, fingerprint.digest()))


TheHub = Annotated[Hub, Depends(_hub)]
Everything = Annotated[Opened, Depends(_opened)]
Asker = Annotated[Caller, Depends(_caller)]
Unsafe = Annotated[Once, Depends(_once)]
