"""Decoders that die at a known point: as they begin, by their own hand, as many as a test asks for, or a recording's.

A folder holds a ``sitecustomize``, which every Python that has the folder on its path runs before anything else. In the
process that starts decoders it has each of them look for a token in the folder, take it, and end as the token says.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from uuid import uuid4

SITECUSTOMIZE = """
import importlib, os, pathlib, sys
import_module = importlib.import_module
def doomed(module, *package):
    if module == "server.children.decode_media":
        for token in pathlib.Path(__file__).parent.glob("*.token"):
            probing, ending = token.read_text().split()
            if (probing == "probe") == ("--probe" in sys.argv):
                token.unlink()
                if ending.isdigit():
                    os.kill(os.getpid(), int(ending))
                print(ending, flush=True)
                os._exit(0)
        for poison in pathlib.Path(__file__).parent.glob("*.poison"):
            if "--probe" not in sys.argv and any(poison.stem in argument for argument in sys.argv):
                if (ending := poison.read_text()).isdigit():
                    os.kill(os.getpid(), int(ending))
                import resource
                taken = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
                resource.setrlimit(resource.RLIMIT_AS, (taken + 300_000,) * 2)
    return import_module(module, *package)
if "server.children.fork_server" in sys.orig_argv:
    importlib.import_module = doomed
"""


class Doom:
    """The folder; it is to stand in the PYTHONPATH of whoever starts decoders."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(SITECUSTOMIZE)
        self.folder = folder

    def python_path(self) -> str:
        """The PYTHONPATH that there is, with the folder in front."""
        return os.pathsep.join(filter(None, [str(self.folder), os.environ.get("PYTHONPATH")]))

    def decoders(self, count: int, ending: signal.Signals | str = signal.SIGKILL, *, probing: bool = False) -> None:
        """The next ``count`` decoders end by the signal, or say one word and go."""
        told = str(int(ending)) if isinstance(ending, signal.Signals) else ending
        for _ in range(count):
            token = self.folder / f"{uuid4()}.new"
            token.write_text(f"{'probe' if probing else 'decode'} {told}")
            token.replace(token.with_suffix(".token"))

    def poison(self, file_hash: str, ending: signal.Signals | None) -> None:
        """Each decoder of this recording ends by the signal; without one it gets hardly any memory (Linux)."""
        token = self.folder / f"{file_hash}.new"
        token.write_text(str(int(ending)) if ending is not None else "memory")
        token.replace(token.with_suffix(".poison"))

    def cure(self, file_hash: str) -> None:
        """The recording is as any other again."""
        (self.folder / f"{file_hash}.poison").unlink()

    @property
    def still_to_die(self) -> int:
        """Decoders that were asked for and have not begun."""
        return len(list(self.folder.glob("*.token")))
