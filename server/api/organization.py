"""OrganizationService: the caller's organization, what it uses, and its policy."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from grpc import aio
from meetra.v1 import organization_pb2 as pb
from meetra.v1 import organization_pb2_grpc

from server.api.live_rules import rule_messages, validate_rules
from server.api.validation import page_of, parse_page_token, validate_file_hash, validate_page_size
from server.auth import current_caller
from server.errors import BadRequest
from server.live import rules_from_documents
from server.moments import utc_text
from server.policy import Policy, check_setting
from server.quotas import MS_PER_MINUTE, UNLIMITED, Quotas, Use
from server.storage import (
    Connection,
    Database,
    DeletionRow,
    OrganizationRow,
    deletions,
    live_rules,
    organizations,
    quotas,
)

Context = aio.ServicerContext[Any, Any]


class OrganizationServicer(organization_pb2_grpc.OrganizationServiceServicer):
    """See proto/meetra/v1/organization.proto."""

    def __init__(self, database: Database, defaults: Quotas) -> None:
        """``defaults``: the quotas of an organization that has none of its own."""
        self._database, self._defaults = database, defaults

    async def GetOrganization(  # noqa: N802
        self, request: pb.GetOrganizationRequest, context: Context
    ) -> pb.GetOrganizationResponse:
        """See OrganizationService.GetOrganization."""
        return pb.GetOrganizationResponse(organization=await self._organization({}))

    async def UpdateOrganization(  # noqa: N802
        self, request: pb.UpdateOrganizationRequest, context: Context
    ) -> pb.UpdateOrganizationResponse:
        """See OrganizationService.UpdateOrganization."""
        settings = {field.name: value for field, value in request.policy.ListFields()}
        for name, value in settings.items():
            try:
                check_setting(name, value)
            except ValueError as error:
                raise BadRequest(f"policy.{name}", str(error)) from None
        return pb.UpdateOrganizationResponse(organization=await self._organization(settings))

    async def GetLiveRules(self, request: pb.GetLiveRulesRequest, context: Context) -> pb.GetLiveRulesResponse:  # noqa: N802
        """See OrganizationService.GetLiveRules."""
        organization_id = current_caller().organization_id
        stored = await self._database.run(
            lambda c: live_rules.find(c, organization_id), organization_id=organization_id
        )
        return pb.GetLiveRulesResponse(rules=rule_messages(rules_from_documents(stored)))

    async def SetLiveRules(self, request: pb.SetLiveRulesRequest, context: Context) -> pb.SetLiveRulesResponse:  # noqa: N802
        """See OrganizationService.SetLiveRules."""
        organization_id = current_caller().organization_id
        rules = validate_rules("rules", request.rules)
        documents = [rule.to_document() for rule in rules]
        await self._database.run(
            lambda c: live_rules.replace(c, organization_id, documents), organization_id=organization_id
        )
        return pb.SetLiveRulesResponse(rules=rule_messages(rules))

    async def ListDeletions(self, request: pb.ListDeletionsRequest, context: Context) -> pb.ListDeletionsResponse:  # noqa: N802
        """See OrganizationService.ListDeletions."""
        organization_id = current_caller().organization_id
        size, after = validate_page_size(request.page_size), parse_page_token(request.page_token)
        file_hash = validate_file_hash(request.file_hash) if request.file_hash else None
        found = await self._database.run(
            lambda c: deletions.list_page(c, organization_id, size + 1, after, file_hash),
            organization_id=organization_id,
        )
        page, token = page_of(found, size)
        return pb.ListDeletionsResponse(deletions=map(deletion_message, page), next_page_token=token)

    async def _organization(self, settings: dict[str, object]) -> pb.Organization:
        """Change the settings that are given, and return the caller's organization."""
        organization_id = current_caller().organization_id

        async def work(connection: Connection) -> tuple[OrganizationRow, Use]:
            await organizations.set_policy(connection, organization_id, settings)
            row = await organizations.find(connection, organization_id)
            return row, await quotas.find_use(connection, organization_id, self._defaults)

        row, use = await self._database.run(work, organization_id=organization_id)
        return _message(row, use)


def _message(row: OrganizationRow, use: Use) -> pb.Organization:
    limits = {name: value for name, value in asdict(use.quotas).items() if value < UNLIMITED}
    return pb.Organization(
        id=str(row.id),
        name=row.name,
        quotas=pb.OrganizationQuotas(**limits),
        use=pb.OrganizationUse(
            upload_bytes_today=use.upload_bytes,
            minutes_today=-(-use.analysed_ms // MS_PER_MINUTE),
            stored_bytes=use.stored_bytes,
        ),
        policy=policy_message(row.policy),
    )


def policy_message(policy: Policy) -> pb.OrganizationPolicy:
    """Return an organization's settings as callers see them."""
    return pb.OrganizationPolicy(**asdict(policy))


def deletion_message(row: DeletionRow) -> pb.Deletion:
    """Return the receipt of a deletion as callers see it."""
    return pb.Deletion(
        id=str(row.id),
        meeting_id=str(row.meeting_id),
        file_hash=row.file_hash,
        part=row.part,
        reason=row.reason,
        user_id=str(row.user_id) if row.user_id else None,
        email=row.email,
        deleted_at=utc_text(row.created_at),
        rows=row.row_counts,
        files=row.files,
        bytes=row.size_bytes,
        files_removed_at=utc_text(row.files_removed_at),
        purged_at=utc_text(row.purged_at),
    )
