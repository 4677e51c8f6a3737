"""Access to PostgreSQL: a connection pool that survives restarts of the database."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg

from server.monitoring import DATABASE_RETRIES

log = logging.getLogger(__name__)
T = TypeVar("T")

if TYPE_CHECKING:
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    # asyncpg's classes are not generic at runtime.
    Connection, Pool = asyncpg.pool.PoolConnectionProxy, asyncpg.Pool

# The database is restarting or its connection broke: a retry may succeed.
TRANSIENT_ERRORS = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    ConnectionError,
    TimeoutError,
    OSError,
)
# For a connection of the pool.
ACQUIRE_TIMEOUT_S = 5.0
RETRY_DELAY_S = 0.1
MAX_RETRY_DELAY_S = 1.0


# Referenced entities by foreign key column, which PostgreSQL's constraint names contain.
REFERENCED_ENTITIES = {"user_id": "user", "organization_id": "organization", "meeting_id": "meeting"}


class DatabaseUnavailable(Exception):
    """The database stayed unreachable for the caller's patience."""


class DatabaseFull(DatabaseUnavailable):
    """The database's disk is full."""


class ReferenceDeleted(Exception):
    """An entity that a new row refers to was deleted meanwhile."""

    def __init__(self, entity: str) -> None:
        """
        Args:
            entity: ``user``, ``organization``, ``meeting``, else the name of the foreign key.
        """
        super().__init__(f"the {entity} was deleted meanwhile")
        self.entity = entity


class Database:
    """Run work in transactions, retrying when the database becomes unreachable.

    Work must be idempotent: if the connection breaks during the commit, it is unknown whether the transaction took
    effect.
    """

    def __init__(self, url: str, pool: Pool) -> None:
        self._url = url
        self._pool = pool
        self._shares: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()
        """Of each organization that has work now."""

    @classmethod
    async def connect(cls, url: str, *, patience_s: float = 30.0, max_connections: int = 16) -> Database:
        """Open the pool.

        Args:
            url: ``postgresql://user:password@host:port/name``.
            patience_s: how long to wait for a database that is starting, seconds.
            max_connections: size limit of the pool.

        Raises DatabaseUnavailable.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while True:
            try:
                pool = await asyncpg.create_pool(
                    url,
                    min_size=1,
                    max_size=max_connections,
                    init=_register_json_codecs,
                    reset=_skip_reset,
                    command_timeout=60,
                    timeout=5,
                )
                return cls(url, pool)
            except TRANSIENT_ERRORS as error:
                if loop.time() > deadline:
                    raise DatabaseUnavailable(f"no database within {patience_s:g} s: {error}") from error
                await asyncio.sleep(RETRY_DELAY_S)

    async def run(
        self,
        work: Callable[[Connection], Awaitable[T]],
        *,
        organization_id: UUID | None = None,
        patience_s: float = 5.0,
        snapshot: bool = False,
    ) -> T:
        """Run ``work(connection)`` in one transaction, retried while the database is unreachable, and return its
        result.

        An organization has half of the connections at most: however much it asks at once, the others find one.

        Args:
            organization_id: the only organization whose rows the transaction sees and changes. None: no row at all,
                only the functions of the database that work across organizations.
            patience_s: for how long to retry, seconds.
            snapshot: whether all statements of the work see the database as it is at the first.

        Raises DatabaseUnavailable when that is over, DatabaseFull and ReferenceDeleted at once.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        delay = RETRY_DELAY_S
        isolation: Literal["repeatable_read"] | None = "repeatable_read" if snapshot else None
        while True:
            try:
                async with (
                    self._share_of(organization_id),
                    self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection,
                    connection.transaction(isolation=isolation),
                ):
                    if organization_id is not None:
                        await enter_organization(connection, organization_id)
                    return await work(connection)
            except asyncpg.ForeignKeyViolationError as error:
                raise ReferenceDeleted(_referenced_entity(error)) from error
            except asyncpg.DiskFullError as error:
                raise DatabaseFull("the database's disk is full") from error
            except TRANSIENT_ERRORS as error:
                if loop.time() > deadline:
                    raise DatabaseUnavailable(f"the database is unreachable: {error}") from error
                log.info("the database is unreachable (%s), retrying", type(error).__name__)
                DATABASE_RETRIES.inc()
                await asyncio.sleep(delay)
                delay = min(2 * delay, MAX_RETRY_DELAY_S)

    @asynccontextmanager
    async def _share_of(self, organization_id: UUID | None) -> AsyncIterator[None]:
        """Hold one of the connections that the organization may have at once. Raises TimeoutError."""
        if organization_id is None:
            yield
            return
        share = self._shares.get(organization_id)
        if share is None:
            share = self._shares[organization_id] = asyncio.Semaphore(max(1, self._pool.get_max_size() // 2))
        async with asyncio.timeout(ACQUIRE_TIMEOUT_S):
            await share.acquire()
        try:
            yield
        finally:
            share.release()

    def connections(self) -> tuple[int, int, int]:
        """Return how many connections of the pool are in use, how many are idle, and how many it opens at most."""
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        return max(0, size - idle), idle, self._pool.get_max_size()

    async def listen(self, channel: str, wake: Callable[[str], None]) -> asyncpg.Connection[asyncpg.Record]:
        """Open a dedicated connection that calls ``wake`` with the payload of each NOTIFY of ``channel``.

        The caller closes it.
        """
        connection = await asyncpg.connect(self._url, timeout=5)
        await connection.add_listener(channel, lambda _connection, _process, _channel, payload: wake(str(payload)))
        return connection

    async def keep_listening(
        self, channel: str, wake: Callable[[str], None], look_every_s: float, began: Callable[[], None] | None = None
    ) -> None:
        """Call ``wake`` as ``listen`` does until cancelled, on a new connection when one breaks.

        Args:
            look_every_s: between two looks at the connection, or two tries to open one, seconds. What is announced
                without a connection is never heard of.
            began: called each time that a connection is there.
        """
        while True:
            try:
                connection = await self.listen(channel, wake)
            except TRANSIENT_ERRORS:
                await asyncio.sleep(look_every_s)
                continue
            if began is not None:
                began()
            try:
                while not connection.is_closed():  # noqa: ASYNC110 - a closed connection wakes nobody
                    await asyncio.sleep(look_every_s)
            finally:
                with suppress(*TRANSIENT_ERRORS):
                    await connection.close(timeout=2)

    async def keep_checking(self, tell: Callable[[bool], Awaitable[None]], every_s: float) -> None:
        """Tell now and every ``every_s`` seconds whether the database answers, until cancelled.

        On a connection of its own: all of the pool's may be at work in a database that is well.
        """
        connection: asyncpg.Connection[asyncpg.Record] | None = None
        answers: bool | None = None
        try:
            while True:
                try:
                    if connection is None:
                        connection = await asyncpg.connect(self._url, timeout=5, command_timeout=5)
                    await connection.execute("SELECT 1")
                    answers = True
                except Exception as error:
                    # Whatever it is: who stopped looking would say for ever what was seen last.
                    if not isinstance(error, (*TRANSIENT_ERRORS, asyncpg.PostgresError)) and answers is not False:
                        log.exception("looking whether the database answers")
                    if connection is not None:
                        connection.terminate()
                    connection, answers = None, False
                await tell(answers)
                await asyncio.sleep(every_s)
        finally:
            if connection is not None:
                connection.terminate()

    async def close(self) -> None:
        """Close all connections; running work gets five seconds."""
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


class HeldTransaction(Database):
    """A database whose work all runs in one transaction, which is open already."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def run(self, work: Callable[[Connection], Awaitable[T]], **_: Any) -> T:
        """Run ``work`` in the transaction, which sees what it was opened for. Nothing is retried."""
        return await work(self._connection)


async def enter_organization(connection: Connection, organization_id: UUID) -> None:
    """Let the transaction see and change the rows of this organization, and of no other, until it ends."""
    await connection.execute("SELECT set_config('meetra.organization', $1, true)", str(organization_id))


def _referenced_entity(error: asyncpg.ForeignKeyViolationError) -> str:
    key = str(error.constraint_name)
    return next((entity for column, entity in REFERENCED_ENTITIES.items() if key.endswith(f"_{column}_fkey")), key)


async def _skip_reset(_: asyncpg.Connection[asyncpg.Record]) -> None:
    """Skip the reset: no session state outlives a transaction, and a reset would double the cost of a read."""


async def _register_json_codecs(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
