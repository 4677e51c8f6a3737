"""The descriptors of a process: raised as far as the system allows, and never used up by live meetings."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from server.descriptors import WANTED, descriptors_are_scarce, open_descriptors, raise_descriptor_limit
from server.errors import TooManyLiveMeetings
from server.storage.pool import Database
from tests.server.live.scripted_engine import scripted_engine
from tests.server.live.test_session import CONFIG, caller_of, server_of


@contextmanager
def limited(descriptors: int) -> Iterator[None]:
    """This process may have so many open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_open_file_counts_until_it_is_closed(tmp_path: Path) -> None:
    before = open_descriptors()
    with (tmp_path / "file").open("w"):
        assert open_descriptors() == before + 1
    assert open_descriptors() == before


def test_they_are_scarce_when_less_than_a_quarter_is_free(tmp_path: Path) -> None:
    with ExitStack() as files:
        for _ in range(40):
            files.enter_context((tmp_path / "file").open("w"))
        used = open_descriptors()
        with limited(2 * used):
            assert not descriptors_are_scarce()
        with limited(used + used // 4):
            assert descriptors_are_scarce()


def test_the_limit_is_raised_to_what_is_wanted_or_allowed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    with limited(min(1024, soft)):
        assert raise_descriptor_limit() == max(allowed, min(1024, soft))
        # One that is higher stays.
        assert raise_descriptor_limit() >= allowed


async def test_no_meeting_is_opened_with_few_left_and_none_remains_of_it(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    caller = await caller_of(owner)
    async with scripted_engine() as (_, address), server_of(database, tmp_path, address) as live:
        with ExitStack() as files:
            for _ in range(100):
                files.enter_context((tmp_path / "ballast").open("w"))
            with limited(open_descriptors() * 5 // 4), pytest.raises(TooManyLiveMeetings) as raised:
                await live.open(CONFIG, caller)
        assert raised.value.facts["scope"] == "server"
        assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM meetings")) == 0
        await live.open(CONFIG, caller)
