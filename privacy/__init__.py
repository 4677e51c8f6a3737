"""What every process does so that nobody else reads what people said: closed files, quiet logs, checked TLS files."""

from privacy.closed_files import (
    UnsafeFile,
    close_folder,
    close_new_files,
    open_private_log,
    read_private,
    write_private,
)
from privacy.log_context import add_log_context, log_context, replace_log_context
from privacy.quiet_logs import log_quietly
from privacy.tls_files import MutualTls, TlsUnusable, check_pair, read_pem

__all__ = [
    "MutualTls",
    "TlsUnusable",
    "UnsafeFile",
    "add_log_context",
    "check_pair",
    "close_folder",
    "close_new_files",
    "log_context",
    "log_quietly",
    "open_private_log",
    "read_pem",
    "read_private",
    "replace_log_context",
    "write_private",
]
