"""The errors that end a command with one line instead of a stack trace."""

from __future__ import annotations

import sys

# By module. One that is not imported has raised nothing.
REFUSALS = {
    "cli.account": ("BadAddress",),
    "cli.archive": ("CannotWrite",),
    "cli.audio_sources": ("SourceUnusable",),
    "cli.audit": ("NoSuchOrganization",),
    "cli.backup": ("BackupFailed",),
    "cli.home": ("NotRunning",),
    "cli.keys": ("NoSuchKey",),
    "cli.meeting_export": ("CannotExport",),
    "cli.meeting_named": ("NoSuchMeeting",),
    "cli.postgres": ("PostgresUnusable",),
    "cli.purge": ("PurgeFailed",),
    "cli.settings": ("BadSettings",),
    "cli.free_port": ("NoFreePort",),
    "cli.up": ("CannotStart",),
    "cli.users": ("NoSuchUser",),
    "gateway": ("EnvoyMissing",),
    "meetra_client": ("MeetraError",),
    "privacy": ("TlsUnusable", "UnsafeFile"),
    "server.audio": ("StoreUnavailable",),
    "server.auth": ("UnusableTokenKeys",),
    "server.storage": ("DatabaseUnavailable", "EmailTaken"),
}


def is_refusal(error: BaseException) -> bool:
    """Return whether the message of an error says all that its user needs."""
    known = (
        getattr(sys.modules[module], name)
        for module, names in REFUSALS.items()
        for name in names
        if module in sys.modules
    )
    return isinstance(error, tuple(known))
