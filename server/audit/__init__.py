"""The audit log: events of calls, written before their answers or gathered for a second."""

from server.audit.call import AuditedCall, current_call, enter_call
from server.audit.message import audit_message
from server.audit.repeats import Repeats
from server.audit.trail import AuditTrail

__all__ = ["AuditTrail", "AuditedCall", "Repeats", "audit_message", "current_call", "enter_call"]
