"""What a caller gets of another organization over every RPC: nothing, even from statements without their conditions.

The first wall is the condition in each statement, the second is row-level security. The calls are made against both,
and against the second alone: there the conditions are removed from what reaches the database.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import aio
from meetra.v1 import meetings_pb2

from server.api.public_services import public_methods
from server.storage.pool import Connection, Database
from tests.server.api.conftest import serving
from tests.server.signing import tokens
from tests.server.storage.rows import HASH, OrganizationRows, fill_every_table
from tests.server.storage.test_storage_row_level_security import TABLES

T = TypeVar("T")
METHODS = public_methods()
# In every text of the other organization's rows.
PLANTED = "planted"
_CONDITION = re.compile(r"\b(?:\w+\.)?organization_id = \$\d+")
_STATEMENTS = frozenset({"execute", "executemany", "fetch", "fetchrow", "fetchval"})


class WithoutConditions:
    """A connection whose statements lose every condition on the organization."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._connection, name)
        if name not in _STATEMENTS:
            return called
        # The parameter stays, so that its number and type do.
        return lambda sql, *values, **options: called(_CONDITION.sub(r"(\g<0>) IS NOT NULL", sql), *values, **options)


class UnconditionalDatabase(Database):
    """A database that is given no condition on the organization."""

    async def run(self, work: Callable[[Connection], Awaitable[T]], **options: Any) -> T:
        return await super().run(lambda connection: work(WithoutConditions(connection)), **options)  # type: ignore[arg-type]


def filled(message: Message, rows: OrganizationRows, service: str) -> Message:
    """A message whose ids are those of an organization's rows."""
    named = {
        "VoiceService": rows.voice_id,
        "UserService": rows.user.id,
        "KeyService": rows.key_id,
        "WebhookService": rows.delivery_id if "webhook_id" in message.DESCRIPTOR.fields_by_name else rows.webhook_id,
    }
    values = {
        "file_hash": rows.file_hash,
        "session_id": str(rows.live_meeting_id),
        "id": str(named.get(service, rows.speaker_ids[0])),
        "webhook_id": str(rows.webhook_id),
        "url": "https://taken.invalid/",
        "email": rows.user.email,
        "role": "owner",
        "into": str(rows.speaker_ids[1]),
        "alias": "taken",
        "end": 1000,
        "object": rows.file_hash,
        "take_over": True,
        "query": PLANTED,
    }
    for field in message.DESCRIPTOR.fields:
        if field.name in values and field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BOOL):
            setattr(message, field.name, values[field.name])
        elif field.name in ("config", "name") and field.type == FieldDescriptor.TYPE_MESSAGE:
            filled(getattr(message, field.name), rows, service)
    return message


async def answer_to(channel: aio.Channel, method: MethodDescriptor, request: Message, token: str) -> bytes | None:
    """The bytes of all answers; None where the call is refused."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    kind = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
    call = getattr(channel, kind)(
        path,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=lambda data: data,
    )(iter([request]) if method.client_streaming else request, metadata=(("authorization", f"Bearer {token}"),))
    try:
        if method.server_streaming:
            return b"".join([data async for data in call])
        return bytes(await call)
    except aio.AioRpcError:
        return None


def token_of(rows: OrganizationRows) -> str:
    """A fresh one of the organization's user."""
    return tokens().issue(rows.user.id, rows.user.token_generation)


async def all_rows(owner: Database, rows: OrganizationRows) -> dict[str, list[str]]:
    """Every row of an organization, as text."""
    return {
        table: sorted(
            str(dict(row))
            for row in await owner.run(
                lambda c, t=table: c.fetch(  # type: ignore[misc]
                    f"SELECT * FROM {t} WHERE {'id' if t == 'organizations' else 'organization_id'} = $1",
                    rows.organization_id,
                )
            )
        )
        for table in TABLES
    }


@pytest.fixture(params=["both walls", "row-level security alone"])
def served(request: pytest.FixtureRequest, database: Database) -> Database:
    """The database as the API has it."""
    database.__class__ = Database if request.param == "both walls" else UnconditionalDatabase
    return database


@pytest.fixture
async def two(owner: Database, database: Database) -> Sequence[OrganizationRows]:
    """The caller's organization and another."""
    return [
        await fill_every_table(owner, database, name, text=text, file_hash=file_hash)
        for name, text, file_hash in (("Ours", "ours", HASH), ("Theirs", PLANTED, "b" * 64))
    ]


async def test_every_rpc_gives_and_changes_nothing_of_another_organization(
    owner: Database, served: Database, two: Sequence[OrganizationRows], tmp_path: Path
) -> None:
    ours, theirs = two
    before = await all_rows(owner, theirs)
    secrets = [
        PLANTED.encode(),
        *(str(id_).encode() for id_ in (theirs.voice_id, theirs.user.id, theirs.key_id, *theirs.speaker_ids)),
    ]
    async with serving(served, tmp_path) as (channel, _):
        for method in METHODS:
            request = filled(GetMessageClass(method.input_type)(), theirs, method.containing_service.name)
            # One each: a method may void its own.
            answer = await answer_to(channel, method, request, token_of(ours))
            assert not [secret for secret in secrets if secret in (answer or b"")], method.full_name
            assert await all_rows(owner, theirs) == before, method.full_name


async def test_the_calls_work_for_the_organization_itself(
    served: Database, two: Sequence[OrganizationRows], tmp_path: Path
) -> None:
    theirs = two[1]
    answered = {}
    async with serving(served, tmp_path) as (channel, _):
        # Turning recognition off erases the voices, and so does deleting the only meeting that has them: first what
        # reads, then what deletes, the meeting last, then the settings.
        last = ("DeleteVoice", "DeleteUser", "DeleteMeeting")
        order = {name: place for place, name in enumerate(last, start=1)}
        for method in sorted(METHODS, key=lambda method: ("Settings" in method.name, order.get(method.name, 0))):
            request = filled(GetMessageClass(method.input_type)(), theirs, method.containing_service.name)
            answered[method.name] = await answer_to(channel, method, request, token_of(theirs))
    refused = {name for name, answer in answered.items() if answer is None}
    assert refused.isdisjoint(
        {
            *("ListMeetings", "GetMeetingStatus", "DeleteMeeting", "ListVoices", "DeleteVoice"),
            *("ExportOrganization", "ListAuditEvents", "ListUsers", "UpdateUser", "Logout", "ListKeys", "RevokeKey"),
            *("GetMeetingRetention", "GetMeetingConsent", "SetMeetingConsent", "SearchMeetings"),
            *("GetOrganization", "UpdateOrganization", "ListDeletions", "GetLiveRules", "SetLiveRules"),
            *("RestoreMeeting", "GetUsage"),
        }
    )
    assert PLANTED.encode() in (answered["ListMeetings"] or b"")
    assert PLANTED.encode() in (answered["GetLiveRules"] or b"")
    assert PLANTED.encode() in (answered["SearchMeetings"] or b"")


async def test_without_either_wall_the_other_organization_is_seen(
    owner: Database, two: Sequence[OrganizationRows], tmp_path: Path
) -> None:
    ours = two[0]
    owner.__class__ = UnconditionalDatabase
    (method,) = (method for method in METHODS if method.name == "ListMeetings")
    async with serving(owner, tmp_path) as (channel, _):
        answer = await answer_to(channel, method, meetings_pb2.ListMeetingsRequest(), token_of(ours))
    assert PLANTED.encode() in (answer or b"")
