"""The superuser of a system's database: what operators do that no role of the servers may."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from cli.home import Home
from cli.postgres import SUPERUSER
from server.storage import Connection, Database, audit


def superuser_url(home: Home) -> str:
    """Return the URL of the running system's database as its superuser, password included."""
    address = urlsplit(home.database_url_file.read_text(encoding="utf-8").strip())
    password = quote(home.secret("database-password")[0], safe="")
    return f"postgresql://{SUPERUSER}:{password}@{address.hostname}:{address.port}{address.path}"


async def record_everywhere(home: Home, command: str, action: str) -> None:
    """Have the audit log of every organization say that an operator ran ``command``. Raises DatabaseUnavailable."""

    async def work(connection: Connection) -> None:
        for record in await connection.fetch("SELECT id FROM organizations"):
            await audit.add_by_operator(connection, record["id"], command, action)

    database = await Database.connect(superuser_url(home))
    try:
        await database.run(work)
    finally:
        await database.close()
