"""What the API shows of an organization and its meetings, as files of the JSON that REST gives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from meetra.v1 import insights_pb2, keys_pb2, speakers_pb2, users_pb2

from server.api.answers import Answers
from server.api.insights import InsightsServicer
from server.api.keys import key_message
from server.api.live_rules import rule_messages
from server.api.meeting_list import summary_message
from server.api.meetings import consent_message, retention_message, status_message
from server.api.organization import deletion_message, policy_message
from server.api.speakers import SpeakerServicer
from server.api.users import user_message
from server.api.voices import voices_message
from server.audit import audit_message
from server.errors import MeetingStillProcessing, TranscriptDeleted
from server.export import MeetingDocuments
from server.lifecycle import MeetingStatus
from server.live import rules_from_documents
from server.meetings import Corrections
from server.moments import utc_text
from server.quotas import Quotas
from server.storage import (
    AuditEvent,
    Connection,
    DeletionRow,
    ExportedMeeting,
    HeldTransaction,
    consents,
    keys,
    live_rules,
    meetings,
    organizations,
    quotas,
    retention,
    users,
    voices,
)

PAGE = 1000


def answer_methods(service: ServiceDescriptor) -> Iterator[tuple[str, MethodDescriptor]]:
    """Yield the methods that show something of one meeting, with the last part of their path."""
    for method in service.methods:
        path = method.GetOptions().Extensions[annotations_pb2.http].get
        if path and "file_hash" in method.input_type.fields_by_name:
            yield path.rpartition("/")[2], method


ANSWERS = {
    name: method
    for module, service in ((insights_pb2, "InsightsService"), (speakers_pb2, "SpeakerService"))
    for name, method in answer_methods(module.DESCRIPTOR.services_by_name[service])
}


def rest_json(message: Message) -> dict[str, Any]:
    """Return a message as REST has it."""
    document: dict[str, Any] = MessageToDict(message, always_print_fields_with_no_presence=True)
    return document


class RestDocuments:
    """See ``Documents`` of server.export.

    Args:
        defaults: quotas of an organization that has none of its own.
    """

    def __init__(self, defaults: Quotas) -> None:
        self._defaults = defaults

    async def organization(self, connection: Connection, organization_id: UUID) -> dict[str, bytes]:
        """Return organization, users, keys and voices."""
        found = await organizations.find(connection, organization_id)
        use = await quotas.find_use(connection, organization_id, self._defaults)
        rules = await live_rules.find(connection, organization_id)
        described = {
            "id": str(organization_id),
            "name": found.name,
            "created_at": utc_text(found.created_at),
            "recognise_voices": found.recognise_voices,
            "policy": rest_json(policy_message(found.policy)),
            "live_rules": list(map(rest_json, rule_messages(rules_from_documents(rules)))),
            "quotas": {name: getattr(use.quotas, name) for name in use.quotas.__slots__},
            "used": {
                "upload_bytes_today": use.upload_bytes,
                "analysed_ms_today": use.analysed_ms,
                "stored_bytes": use.stored_bytes,
            },
        }
        all_users, before = list[Message](), None
        while page := await users.list_page(connection, organization_id, PAGE, before):
            all_users += map(user_message, page)
            before = (page[-1].created_at, page[-1].id)
        all_keys, before = list[Message](), None
        while key_page := await keys.list_page(connection, organization_id, None, PAGE, before):
            all_keys += map(key_message, key_page)
            before = (key_page[-1].created_at, key_page[-1].id)
        known = await voices.list_all(connection, organization_id)
        return {
            "organization.json": _file(described),
            "users.json": await _rendered(users_pb2.ListUsersResponse(users=all_users)),  # type: ignore[arg-type]
            "keys.json": await _rendered(keys_pb2.ListKeysResponse(keys=all_keys)),  # type: ignore[arg-type]
            "voices.json": await _rendered(voices_message(found.recognise_voices, known)),
        }

    async def meeting(
        self, connection: Connection, organization_id: UUID, meeting: ExportedMeeting
    ) -> MeetingDocuments:
        """Return a meeting's entry in lists, its consents and retention, its status, and its answers with details."""
        file_hash = meeting.listed.file_hash
        state = await meetings.find_state(connection, organization_id, file_hash)
        assert state is not None
        files, left_out = {"status.json": await _rendered(status_message(state))}, dict[str, str]()
        if meeting.listed.status == MeetingStatus.READY:
            held = HeldTransaction(connection)
            answers = Answers(held, organization_id)
            servicers = {
                "InsightsService": InsightsServicer(answers),
                "SpeakerService": SpeakerServicer(answers, Corrections(held)),
            }
            for name, method in ANSWERS.items():
                request = GetMessageClass(method.input_type)(file_hash=file_hash)
                if "include_details" in method.input_type.fields_by_name:
                    request.include_details = True  # type: ignore[attr-defined]
                call = getattr(servicers[method.containing_service.name], method.name)
                try:
                    files[f"answers/{name}.json"] = await _rendered(await call(request, None))
                except MeetingStillProcessing:
                    # Analysed before there was such an answer: REST has none, either.
                    continue
                except TranscriptDeleted as error:
                    left_out[f"answers/{name}.json"] = str(error)
        noted = await consents.list_all(connection, organization_id, meeting.listed.id)
        parts = await retention.find_parts(connection, organization_id, file_hash)
        described = {
            **rest_json(summary_message(meeting.listed)),
            **rest_json(consent_message(noted)),
            "retention": rest_json(retention_message(parts)),
        }
        return MeetingDocuments(described, files, left_out)

    def events(self, events: Sequence[AuditEvent]) -> bytes:
        """Return events of the audit log, one a line."""
        return _lines(map(audit_message, events))

    def receipts(self, receipts: Sequence[DeletionRow]) -> bytes:
        """Return receipts of deletions, one a line."""
        return _lines(map(deletion_message, receipts))


def _lines(messages: Iterable[Message]) -> bytes:
    return "".join(f"{json.dumps(rest_json(message), ensure_ascii=False)}\n" for message in messages).encode()


async def _rendered(message: Message) -> bytes:
    """Return a message as a file: in a thread, because a long transcript takes a second."""
    return await asyncio.to_thread(lambda: _file(rest_json(message)))


def _file(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
