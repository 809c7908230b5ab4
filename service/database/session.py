"""Sessions that find their connection once a transaction, not once a statement."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import SessionTransaction
from sqlmodel.ext.asyncio.session import AsyncSession

from service.database.inline_sqlite import InlineSQLite


class AtOnce(AsyncConnection):
    """A connection to SQLite, whose driver never waits: its statements need no greenlet.

    One costs about as much as a small statement.
    """

    __slots__ = ()

    async def execute(  # type: ignore[override]  # One signature for the overloads.
        self,
        statement: Executable,
        parameters: dict[str, Any] | Sequence[dict[str, Any]] | None = None,
        *,
        execution_options: Any = None,
    ) -> CursorResult[Any]:
        return self._proxied.execute(statement, parameters, execution_options=execution_options)

    async def exec_driver_sql(
        self, statement: str, parameters: Any = None, execution_options: Any = None
    ) -> CursorResult[Any]:
        return self._proxied.exec_driver_sql(statement, parameters, execution_options)


class Session(AsyncSession):
    """Keeps its connection as long as a transaction lasts.

    Rules ask for it at every statement, and each time it would be looked up in a greenlet.
    """

    _kept: tuple[SessionTransaction, AsyncConnection] | None = None

    async def connection(self, *args: Any, **options: Any) -> AsyncConnection:
        """As ever; after a rollback or a failed flush the kept one isn't taken."""
        transaction = self._transaction()
        is_kept = self._kept and self._kept[0] is transaction and transaction.is_active
        if self._kept and is_kept and not args and not options:
            return self._kept[1]
        found = await self._found(*args, **options)
        transaction = self._transaction()
        self._kept = (transaction, found) if transaction else None
        return found

    async def _found(self, *args: Any, **options: Any) -> AsyncConnection:
        if isinstance(self.bind, AtOnce) and not args and not options:
            # There already; only the session's savepoint is begun on it.
            return AtOnce(self.bind.engine, self.sync_session.connection())
        return at_once(await super().connection(*args, **options))

    async def exec(self, statement: Any, **options: Any) -> Any:  # Overloaded in the base.
        """As ever, and without a greenlet on SQLite; the rows are all there in both cases."""
        if not isinstance(await self.connection(), AtOnce):
            return await super().exec(statement, **options)
        buffered = {**options.pop("execution_options", {}), "prebuffer_rows": True}
        return self.sync_session.exec(statement, execution_options=buffered, **options)

    def _transaction(self) -> SessionTransaction | None:
        session = self.sync_session
        return session.get_nested_transaction() or session.get_transaction()


def at_once(connection: AsyncConnection) -> AsyncConnection:
    """The same connection, without greenlets where the driver never waits."""
    is_inline = isinstance(connection.dialect, InlineSQLite)
    if not is_inline or isinstance(connection, AtOnce):
        return connection
    return AtOnce(connection.engine, connection.sync_connection)
