"""``meetra keys``, in a real database."""

from __future__ import annotations

from uuid import uuid4

import pytest

from cli.__main__ import parser
from cli.database_roles import OWNER
from cli.keys import NoSuchKey, run_keys
from cli.postgres import PostgresServer
from cli.users import NoSuchUser
from server.auth import ApiKey
from server.storage import keys
from server.storage.pool import Database
from tests.server.storage.rows import make_user


async def test_a_key_is_made_listed_and_revoked(
    postgres: PostgresServer,
    database_name: str,
    owner: Database,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = postgres.url(OWNER).removesuffix("/postgres") + f"/{database_name}"
    monkeypatch.setenv("MEETRA_DATABASE_OWNER_URL", url)
    user = await make_user(owner, "Org", "bot@example.org", "bot")

    async def run(*arguments: str) -> str:
        assert await run_keys(parser().parse_args(["keys", *arguments])) == 0
        return capsys.readouterr().out

    said = await run("add", "bot@example.org", "--name", "a bot", "--scope", "live", "--scope", "upload", "--days", "9")
    secret = said.split(": ")[1].split()[0]
    found = await database.run(lambda c: keys.find_user(c, ApiKey.of(secret).secret_hash))
    assert found is not None
    assert (found.user_id, found.role, found.scopes) == (user.id, "bot", ("upload", "live"))
    (line,) = (await run("list")).splitlines()
    id_, email, scopes, *_ = line.split()
    assert (email, scopes) == ("bot@example.org", "upload,live")
    assert secret not in line
    assert await run("list", "another@example.org") == ""
    assert await run("revoke", id_) == "key revoked\n"
    assert await database.run(lambda c: keys.find_user(c, ApiKey.of(secret).secret_hash)) is None
    with pytest.raises(NoSuchKey, match=f"key not found: {id_}"):
        await run("revoke", id_)
    with pytest.raises(NoSuchUser):
        await run("add", f"{uuid4()}@example.org", "--name", "n", "--scope", "read")
