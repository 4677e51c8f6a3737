"""The keys of tokens: made closed to others, replaced without voiding tokens, revoked at once."""

from __future__ import annotations

import asyncio
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from privacy import UnsafeFile
from server.auth import (
    KeySet,
    TokenKey,
    TokenKeys,
    Tokens,
    UnusableTokenKeys,
    add_key,
    ensure_key,
    read_keys,
    remove_spent,
    revoke_key,
)
from server.auth.session_tokens import SessionMaker, SessionTokens
from server.auth.token_keys import REVOKED_KEPT, SIGNS_AFTER
from server.errors import Unauthenticated

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
TTL = timedelta(hours=12)
PATIENCE_S = 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a key that is a day old."""
    folder = tmp_path / "token-keys"
    ensure_key(folder, datetime.now(UTC) - timedelta(days=1))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_first_key_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "token-keys"
    for _ in range(2):
        ensure_key(folder, NOW)
    (key,) = read_keys(folder).keys
    assert names(folder) == [f"{key.key_id}.pem"]
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())]
    assert modes == [0o700, 0o600]
    assert (key.made_at, key.key_id[:16]) == (NOW, "20261129T120000Z")
    assert set(key.jwk) == {"kty", "crv", "x", "kid", "alg", "use"}


def test_a_new_key_signs_once_everybody_knows_it_and_the_old_one_goes_when_its_last_token_has(tmp_path: Path) -> None:
    ensure_key(tmp_path, NOW - timedelta(days=30))
    (old,) = read_keys(tmp_path).keys
    new = add_key(tmp_path, NOW)
    keys = read_keys(tmp_path)
    assert [key.key_id for key in keys.keys] == [old.key_id, new.key_id]
    assert keys.signing(NOW + SIGNS_AFTER - timedelta(seconds=1)).key_id == old.key_id
    assert keys.signing(NOW + SIGNS_AFTER).key_id == new.key_id
    last_token_expires = NOW + SIGNS_AFTER + TTL
    assert remove_spent(tmp_path, TTL, last_token_expires) == []
    assert remove_spent(tmp_path, TTL, last_token_expires + timedelta(seconds=1)) == [old.key_id]
    assert [key.key_id for key in read_keys(tmp_path).keys] == [new.key_id]
    # The only key stays, however old.
    assert remove_spent(tmp_path, TTL, NOW + timedelta(days=10_000)) == []


def test_of_several_new_keys_the_oldest_signs_until_one_is_known() -> None:
    keys = KeySet(tuple(TokenKey.new(NOW + timedelta(seconds=s)) for s in (0, 1, 2)))
    signing = [keys.keys.index(keys.signing(NOW + timedelta(seconds=s))) for s in (0, 60, 61, 90)]
    assert signing == [0, 0, 1, 2]


def test_keys_of_one_second_are_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    made = [add_key(tmp_path, NOW).key_id for _ in range(5)]
    assert [key.key_id for key in read_keys(tmp_path).keys] == made


def test_tokens_of_old_keys_are_valid_until_the_key_is_gone(folder: Path) -> None:
    keys = TokenKeys.in_folder(folder)
    tokens, user_id = Tokens(keys, 60), uuid4()
    old = tokens.issue(user_id, 0)
    new = add_key(folder, datetime.now(UTC) - SIGNS_AFTER)
    keys.reload()
    token = tokens.issue(user_id, 0)
    assert jwt.get_unverified_header(token)["kid"] == new.key_id
    assert (tokens.validate(old).user_id, tokens.validate(token).user_id) == (user_id, user_id)
    (folder / f"{jwt.get_unverified_header(old)['kid']}.pem").unlink()
    keys.reload()
    assert tokens.validate(token).user_id == user_id
    with pytest.raises(Unauthenticated):
        tokens.validate(old)


def test_a_revoked_key_voids_its_tokens_also_what_they_opened(folder: Path) -> None:
    keys = TokenKeys.in_folder(folder)
    tokens = Tokens(keys, 60)
    token = tokens.issue(uuid4(), 0)
    opened = tokens.validate(token)
    maker, sessions = SessionMaker(uuid4(), uuid4(), uuid4(), 0, None), SessionTokens(tokens)
    session = sessions.validate(sessions.issue(maker, uuid4(), ["send"], 60)[0].removeprefix("ms_"))
    assert not tokens.is_void(opened)
    assert not sessions.is_void(session)
    revoke_key(folder, opened.key_id, datetime.now(UTC))
    keys.reload()
    assert tokens.is_void(opened)
    assert sessions.is_void(session)
    with pytest.raises(Unauthenticated):
        tokens.validate(token)
    # Another took its place, and signs at once.
    assert tokens.validate(tokens.issue(uuid4(), 0)).key_id != opened.key_id
    with pytest.raises(UnusableTokenKeys, match="there is no key"):
        revoke_key(folder, opened.key_id, datetime.now(UTC))


def test_that_a_key_was_revoked_is_forgotten_when_no_stream_can_be_left(folder: Path) -> None:
    (key,) = read_keys(folder).keys
    now = datetime.now(UTC)
    revoke_key(folder, key.key_id, now)
    for ttl, kept in ((TTL, REVOKED_KEPT), (timedelta(days=30), timedelta(days=30))):
        remove_spent(folder, ttl, now + kept - timedelta(minutes=1))
        assert read_keys(folder).revoked == {key.key_id}
    remove_spent(folder, TTL, now + REVOKED_KEPT + timedelta(minutes=1))
    assert read_keys(folder).revoked == frozenset()


def test_a_key_whose_file_comes_back_after_it_was_revoked_does_not_count(folder: Path) -> None:
    (key,) = read_keys(folder).keys
    text = (folder / f"{key.key_id}.pem").read_text()
    revoke_key(folder, key.key_id, datetime.now(UTC))
    (folder / f"{key.key_id}.pem").write_text(text)
    assert key.key_id not in {one.key_id for one in read_keys(folder).keys}


async def test_the_folder_is_followed_and_what_is_broken_changes_nothing(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = TokenKeys.in_folder(folder)
    (old,) = keys.current.keys
    following = asyncio.create_task(keys.watch())
    async with asyncio.timeout(PATIENCE_S):
        add_key(folder, NOW)
        while len(keys.current.keys) != 2:
            await asyncio.sleep(0.05)
        (folder / "something else").write_text("")
        while "stay as they were" not in caplog.text:
            await asyncio.sleep(0.05)
        assert keys.public(old.key_id) is not None
        (folder / "something else").unlink()
        (folder / f"{old.key_id}.pem").unlink()
        while keys.public(old.key_id) is not None:
            await asyncio.sleep(0.05)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


def test_a_key_that_is_removed_while_the_folder_is_read_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = add_key(folder, NOW)
    listed = list(folder.iterdir())
    (folder / f"{spent.key_id}.pem").unlink()
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(listed))
    assert spent.key_id not in {key.key_id for key in read_keys(folder).keys}


@pytest.mark.parametrize("name", ["key.pem", "20261129T120000Z-00.pem", "20261329T120000Z-0000000000000000.pem", "x"])
def test_a_file_that_is_no_key_of_ours_is_named(folder: Path, name: str) -> None:
    (folder / name).write_text("-")
    with pytest.raises(UnusableTokenKeys, match=f"{name} is no key"):
        TokenKeys.in_folder(folder)


def test_keys_of_another_kind_and_damaged_ones_are_refused(folder: Path) -> None:
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for text in (other, whole[:60], b"", b"\xff", b"-----BEGIN PUBLIC KEY-----\n"):
        path.write_bytes(text)
        with pytest.raises(UnusableTokenKeys, match=r"no Ed25519 private key|no key"):
            read_keys(folder)


def test_links_in_the_place_of_the_folder_and_of_keys_are_refused(folder: Path, tmp_path: Path) -> None:
    (path,) = folder.iterdir()
    moved = path.rename(tmp_path / "elsewhere.pem")
    path.symlink_to(moved)
    with pytest.raises(UnsafeFile, match="remove it"):
        read_keys(folder)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(UnsafeFile, match="is a link"):
        ensure_key(tmp_path / "link", NOW)


def test_an_empty_or_missing_folder_says_how_keys_are_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "missing"):
        with pytest.raises(UnusableTokenKeys, match=f"meetra tokens rotate --keys {tmp_path / name}"):
            TokenKeys.in_folder(tmp_path / name)
