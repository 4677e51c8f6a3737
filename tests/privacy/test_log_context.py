"""Ids in logs are known where they were added, in what was started from there, and nowhere else."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from privacy import add_log_context, log_context, replace_log_context
from privacy.log_context import current_log_context

MEETING = UUID("5f0c6a52-8d1c-4e63-9d5e-6b7f1f3f2c11")


async def test_a_task_knows_what_started_it_knew_and_keeps_what_it_adds_to_itself() -> None:
    async def work() -> dict[str, str]:
        add_log_context(session=7)
        return dict(await asyncio.to_thread(current_log_context))

    with log_context(meeting=MEETING, organization="acme"):
        task = asyncio.create_task(work())
        assert await task == {"meeting": str(MEETING), "organization": "acme", "session": "7"}
        with log_context(meeting="", organization="other"):
            assert current_log_context() == {"meeting": str(MEETING), "organization": "other"}
        assert current_log_context() == {"meeting": str(MEETING), "organization": "acme"}
    assert current_log_context() == {}


async def test_what_was_known_can_be_forgotten() -> None:
    async def work() -> dict[str, str]:
        replace_log_context(request="b")
        return dict(current_log_context())

    with log_context(meeting=MEETING):
        assert await asyncio.create_task(work()) == {"request": "b"}


def test_only_ids_with_a_place_in_the_line_are_taken() -> None:
    with pytest.raises(AssertionError, match=r"unknown: \{'name'\}"):
        add_log_context(name="Ada")
