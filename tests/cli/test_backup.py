"""Refusals of ``meetra backup``; what it backs up is tested with a system (tests/e2e/test_backup.py)."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from cli.backup import BackupFailed, run_backup


@pytest.mark.parametrize("inside", ["audio/backup", "secrets"])
async def test_a_backup_does_not_copy_itself(tmp_path: Path, inside: str) -> None:
    with pytest.raises(BackupFailed, match="which is backed up"):
        await run_backup(Namespace(data=tmp_path, folder=tmp_path / inside))
    assert not (tmp_path / inside).exists()
