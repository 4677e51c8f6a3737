"""What every process does so that nobody else reads what people said: closed files, and logs that quote nothing."""

from privacy.closed_files import (
    UnsafeFile,
    close_folder,
    close_new_files,
    open_private_log,
    read_private,
    write_private,
)
from privacy.quiet_logs import log_quietly

__all__ = [
    "UnsafeFile",
    "close_folder",
    "close_new_files",
    "log_quietly",
    "open_private_log",
    "read_private",
    "write_private",
]
