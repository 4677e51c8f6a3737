"""Who may make a call, and what the audit log says of it, over whichever transport it comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.api.access import declared_rights, declared_session_scope
from server.api.audit_rules import AuditRule, declared_audit


@dataclass(frozen=True, slots=True)
class CallRule:
    """The rule of one kind of call."""

    name: str
    """``/package.Service/Method``. The audit log has ``Service/Method``."""
    rights: frozenset[int]
    """Of which a caller needs one (access.proto)."""
    audit: AuditRule
    session_scope: int = 0
    """With which a session token makes the call; 0: no session token does."""


def declared_rule(method: str, rights_of: Callable[[str], frozenset[int]] = declared_rights) -> CallRule:
    """Return what the proto of ``/package.Service/Method`` declares."""
    return CallRule(method, rights_of(method), declared_audit(method), declared_session_scope(method))
