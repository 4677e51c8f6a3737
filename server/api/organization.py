"""OrganizationService: the caller's organization, what it uses, and its policy."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from grpc import aio
from meetra.inference.v2 import model_pb2
from meetra.v1 import organization_pb2 as pb
from meetra.v1 import organization_pb2_grpc

from server.api.live_rules import rule_messages, validate_rules
from server.api.validation import page_of, parse_page_token, validate_file_hash, validate_page_size
from server.auth import current_caller
from server.engine import InferenceClient, task_name
from server.errors import BadRequest, ServiceUnavailable
from server.live import rules_from_documents
from server.moments import utc_text
from server.policy import Policy, check_setting
from server.quotas import MS_PER_MINUTE, UNLIMITED, Quotas, Use
from server.storage import (
    Connection,
    Database,
    DeletionRow,
    KeyUse,
    MonthUse,
    OrganizationRow,
    deletions,
    live_rules,
    organizations,
    quotas,
    usage,
)

MAX_MONTHS, DEFAULT_MONTHS = 120, 12
# Seconds that the engine gets to say which models it runs.
ENGINE_PATIENCE_S = 5.0
Context = aio.ServicerContext[Any, Any]


class OrganizationServicer(organization_pb2_grpc.OrganizationServiceServicer):
    """See proto/meetra/v1/organization.proto."""

    def __init__(self, database: Database, defaults: Quotas, inference: InferenceClient, summary_model: str) -> None:
        """
        Args:
            defaults: the quotas of an organization that has none of its own.
            summary_model: name of the language model for summaries; empty if there is none.
        """
        self._database, self._defaults = database, defaults
        self._inference, self._summary_model = inference, summary_model

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

    async def GetUsage(self, request: pb.GetUsageRequest, context: Context) -> pb.GetUsageResponse:  # noqa: N802
        """See OrganizationService.GetUsage."""
        organization_id = current_caller().organization_id
        size, after = validate_page_size(request.page_size), parse_page_token(request.page_token)
        if not 0 <= request.months <= MAX_MONTHS:
            raise BadRequest("months", f"{request.months}; must be 1 to {MAX_MONTHS}")
        months = request.months or DEFAULT_MONTHS

        async def work(connection: Connection) -> tuple[list[MonthUse], list[KeyUse]]:
            sums = await usage.list_months(connection, organization_id, months)
            return sums, await usage.list_page(connection, organization_id, months, size + 1, after)

        sums, found = await self._database.run(work, organization_id=organization_id)
        page, token = page_of(found, size)
        return pb.GetUsageResponse(months=map(_month, sums), usage=map(_key_usage, page), next_page_token=token)

    async def ListModels(self, request: pb.ListModelsRequest, context: Context) -> pb.ListModelsResponse:  # noqa: N802
        """See OrganizationService.ListModels."""
        capabilities = await self._inference.ask_capabilities(ENGINE_PATIENCE_S)
        if capabilities is None:
            raise ServiceUnavailable
        models = [analysis_model(model) for model in capabilities.models]
        if self._summary_model:
            models.append(pb.AnalysisModel(task="summaries", name=self._summary_model))
        return pb.ListModelsResponse(models=models)

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


def _month(use: MonthUse) -> pb.MonthUsage:
    return pb.MonthUsage(month=_month_text(use.month), analyses=use.analyses, audio_minutes=_minutes(use.audio_ms))


def _key_usage(use: KeyUse) -> pb.KeyUsage:
    return pb.KeyUsage(
        month=_month_text(use.month),
        user_id=str(use.user_id) if use.user_id else None,
        email=use.email or "",
        key_id=str(use.key_id) if use.key_id else None,
        key_name=use.key_name or "",
        analyses=use.analyses,
        audio_minutes=_minutes(use.audio_ms),
    )


def _month_text(month: date) -> str:
    return f"{month:%Y-%m}"


def _minutes(milliseconds: int) -> float:
    return round(milliseconds / MS_PER_MINUTE, 2)


def analysis_model(model: model_pb2.Model) -> pb.AnalysisModel:
    """Return a model of the engine as callers see it."""
    return pb.AnalysisModel(
        task=task_name(model),
        name=model.name,
        version=model.version,
        licence=model.licence,
        commercial_use=model.commercial_use if model.HasField("commercial_use") else None,
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
