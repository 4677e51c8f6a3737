"""Run ``buf breaking`` on proto/ against the last commit on main.

If that commit's proto/ equals the working tree's, the commit before it is the baseline. Without any earlier proto/
nothing can break.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUF = Path(sys.executable).with_name("buf")


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in the repository and return the completed process, whatever its status."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)


def baseline_commit() -> str | None:
    """Return the newest commit on main whose proto/ differs from the working tree's, or None."""
    for revision in ("origin/main", "main", "HEAD", "HEAD^"):
        if git("rev-parse", "--verify", "--quiet", f"{revision}:proto").returncode:
            continue
        if git("diff", "--quiet", revision, "--", "proto").returncode:
            return revision
    return None


def main() -> None:
    """Compare proto/ with the baseline and exit with ``buf``'s status."""
    revision = baseline_commit()
    if revision is None:
        print("buf breaking: proto/ is unchanged; nothing to check")
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = git("archive", "--format=tar", revision, "proto")
        archive.check_returncode()
        # Not Python's tarfile: depending on the patch version it warns, or lacks the filter it asks for.
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        # The baseline is built in its own workspace, with the same annotations.
        Path(folder, "gen").mkdir()
        Path(folder, "gen/googleapis").symlink_to(ROOT / "gen/googleapis")
        Path(folder, "buf.yaml").write_bytes((ROOT / "buf.yaml").read_bytes())
        image = Path(folder, "baseline.binpb")
        subprocess.run([BUF, "build", "proto", "-o", image], cwd=folder, check=True)
        print(f"buf breaking: proto/ against {revision}")
        raise SystemExit(
            subprocess.run([BUF, "breaking", "proto", "--against", image], cwd=ROOT, check=False).returncode
        )


if __name__ == "__main__":
    main()
