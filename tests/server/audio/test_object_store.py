"""An S3-compatible server as a store: whole objects, and a precise error within bounded time whatever befalls it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from server.audio import ObjectStore, StoreUnavailable
from server.audio.object_store import PART_BYTES
from tests.object_stores import BUCKET, ObjectServer

# So long a request is tried, seconds.
PATIENCE_S = 1.0
LARGE = bytes(range(256)) * (2 * PART_BYTES // 256) + b"and a part more"
CALLS: dict[str, Callable[[ObjectStore, Path], Awaitable[object]]] = {
    "put": lambda store, path: store.put("a/new", path),
    "find": lambda store, _: store.find("a/large"),
    "read": lambda store, _: store.read("a/large", 0, 10),
    "list": lambda store, _: listed(store),
    "delete": lambda store, _: store.delete(["a/large"]),
}


async def listed(store: ObjectStore, folder: str = "") -> list[str]:
    return [found.key async for found in store.list_below(folder)]


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


async def test_what_is_put_is_found_read_in_ranges_listed_and_deleted(
    object_server: ObjectServer, tmp_path: Path, large: Path
) -> None:
    store, small = object_server.fresh(), tmp_path / "small"
    small.write_bytes(b"few bytes")
    await store.put("a/small", small)
    await store.put("b/large", large)
    found = await store.find("b/large")
    assert found is not None
    assert (found.key, found.size_bytes) == ("b/large", len(LARGE))
    assert await store.read("b/large", PART_BYTES - 3, PART_BYTES + 3) == LARGE[PART_BYTES - 3 : PART_BYTES + 3]
    assert await store.read("b/large", 7, 7) == b""
    with (tmp_path / "fetched").open("w+b") as file:
        await store.fetch(found, file)
    assert (tmp_path / "fetched").read_bytes() == LARGE
    assert (await listed(store), await listed(store, "a"), await listed(store, "a/sm")) == (
        ["a/small", "b/large"],
        ["a/small"],
        [],
    )
    await store.delete(["a/small", "never was", "b/large"])
    assert (await listed(store), await store.find("b/large")) == ([], None)
    with pytest.raises(FileNotFoundError):
        await store.read("b/large", 0, 1)


async def refused(store: ObjectStore, large: Path) -> None:
    """Each call fails within bounded time."""
    calls = [call(store, large) for call in CALLS.values()]
    async with asyncio.timeout(300):
        found = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(error) for error in found] == [StoreUnavailable] * len(CALLS), found


async def test_a_store_that_is_away_stands_still_or_fails_says_so_and_loses_nothing(
    object_server: ObjectServer, large: Path
) -> None:
    store = object_server.fresh(PATIENCE_S)
    await store.put("a/large", large)
    with object_server.gone():
        await refused(store, large)
    with object_server.standing_still():
        await refused(store, large)
    async with object_server.failing():
        await refused(store, large)
    # What was asked while it stood still may have been done once it went on: that is why objects are looked for.
    await store.put("a/large", large)
    assert await store.read("a/large", 0, 5) == LARGE[:5]


async def test_no_part_of_an_object_is_taken_for_the_whole(object_server: ObjectServer, large: Path) -> None:
    store = object_server.fresh(PATIENCE_S)
    putting = asyncio.create_task(store.put("a/large", large))
    while not object_server.unfinished_uploads() and not putting.done():
        await asyncio.sleep(0.001)
    with object_server.gone():
        (outcome,) = await asyncio.gather(putting, return_exceptions=True)
    # It may have been quicker than we.
    assert outcome is None or isinstance(outcome, StoreUnavailable)
    assert await listed(store) == (["a/large"] if outcome is None else [])
    await store.put("a/large", large)
    assert await listed(store) == ["a/large"]


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        pytest.param(f"s3://{BUCKET}/a", "wrong", id="the key is wrong"),
        pytest.param("s3://no-such-bucket/a", "", id="there is no bucket"),
    ],
)
async def test_what_an_operator_must_mend_is_named(
    object_server: ObjectServer, large: Path, monkeypatch: pytest.MonkeyPatch, url: str, secret: str
) -> None:
    if secret:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    with pytest.raises(StoreUnavailable, match=r"403 Forbidden|NoSuchBucket") as refusal:
        await ObjectStore(url, PATIENCE_S).put("key", large)
    assert "\n" not in str(refusal.value)
