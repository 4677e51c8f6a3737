"""A real Chromium with a fake microphone, driven from a test."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from platform import machine
from types import TracebackType
from typing import Any, Self

from tests.node import node_or_skip, skip_unless_ci
from tests.optional_packages import WITHOUT_CHROMIUM
from tests.recordings import ROOT

HERE = Path(__file__).resolve().parent
START_TIMEOUT_S = 300
# For one click or key.
ACTION_TIMEOUT_S = 240
# Chromium's sandbox needs a user other than root, and rights that containers do not give. Nothing here loosens what a
# page may do: its origin is checked as everywhere.
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
# Beside the npm package's Chromium: what it needs of a system.
LIBRARIES = Path("al2023") / "lib"
ON_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium_or_skip(folder: Path) -> Path:
    """Return a Chromium: that of MEETRA_CHROMIUM, one on PATH, or that of the npm package, unpacked into ``folder``.

    Where there is none the test is skipped, and fails where CI is set.
    """
    if named := os.environ.get("MEETRA_CHROMIUM"):
        assert Path(named).is_file(), f"MEETRA_CHROMIUM names {named}, which is no file"
        return Path(named)
    if sys.platform == "linux" and machine() == "x86_64":
        unpack = [str(node_or_skip()), str(HERE / "unpack.mjs")]
        environment = {**os.environ, "TMPDIR": str(folder)}
        told = subprocess.run(
            unpack, env=environment, capture_output=True, text=True, check=False, timeout=START_TIMEOUT_S
        )
        assert told.returncode == 0, told.stderr
        return Path(told.stdout.strip())
    if found := next(filter(None, map(shutil.which, ON_PATH)), None):
        return Path(found)
    skip_unless_ci(WITHOUT_CHROMIUM)
    raise AssertionError("unreachable")


class Page:
    """One page in a Chromium of its own.

    Args:
        executable: the Chromium.
        folder: for its profile and its log.
        microphone: a WAV that its microphone plays, once and then silence; without it the fake device beeps.
    """

    def __init__(self, executable: Path, folder: Path, microphone: Path | None = None) -> None:
        flags = [*FLAGS, *([f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else [])]
        self.log = folder / "chromium.log"
        environment = {**os.environ, "TMPDIR": str(folder)}
        if (libraries := executable.parent / LIBRARIES).is_dir():
            environment["LD_LIBRARY_PATH"] = str(libraries)
        with self.log.open("ab") as log:
            self._driver = subprocess.Popen(
                [str(node_or_skip()), str(HERE / "driver.mjs"), str(executable), *flags],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            self._answers.put(line)
        self._answers.put("")

    def open(self, url: str) -> None:
        """Load a page. Raises AssertionError if its status is not 200."""
        status = self._command({"open": url}, START_TIMEOUT_S)
        assert status == 200, f"{url}: {status}"

    def reload(self) -> None:
        """Load the page again; nothing of the old one is left when this returns."""
        self._command({"reload": True}, START_TIMEOUT_S)

    def evaluate(self, function: str, argument: Any = None, *, timeout_s: float = 500) -> Any:
        """Call a JavaScript function in the page; return what it, or its promise, gives, as JSON does.

        Raises:
            AssertionError: the function threw; with its words and the page's console.
            TimeoutError: no answer within ``timeout_s``.
        """
        return self._command({"evaluate": function, "argument": argument}, timeout_s)

    def set_offline(self, offline: bool) -> None:
        """Cut the page off from every network, or connect it again."""
        self._command({"offline": offline}, START_TIMEOUT_S)

    def screenshot(self, file: Path, *, full: bool = False) -> None:
        """Write what the window shows, or with ``full`` the whole page, as PNG."""
        self._command({"screenshot": str(file.absolute()), "full": full}, START_TIMEOUT_S)

    def click(self, selector: str) -> None:
        """Click what a selector of Playwright names, such as ``role=button[name="Save"]``, once it can be clicked."""
        self._command({"click": selector}, ACTION_TIMEOUT_S)

    def fill(self, selector: str, text: str) -> None:
        """Replace the text of a field."""
        self._command({"fill": selector, "text": text}, ACTION_TIMEOUT_S)

    def choose(self, selector: str, value: str) -> None:
        """Choose the option with a value."""
        self._command({"choose": selector, "value": value}, ACTION_TIMEOUT_S)

    def choose_files(self, selector: str, *paths: Path) -> None:
        """Give files to a field."""
        self._command({"files": selector, "paths": [str(path) for path in paths]}, ACTION_TIMEOUT_S)

    def wait_for(self, selector: str, state: str = "visible", *, timeout_s: float = 300) -> None:
        """Wait until something is there; ``hidden``: until it is not. Raises TimeoutError."""
        self._command({"wait": selector, "state": state}, timeout_s)

    def press(self, *keys: str) -> None:
        """Press keys one after another, such as ``Tab`` or ``Control+a``, at whatever has the focus."""
        self._command({"keys": list(keys)}, ACTION_TIMEOUT_S)

    def type_text(self, text: str) -> None:
        """Type at whatever has the focus."""
        self._command({"type": text}, ACTION_TIMEOUT_S)

    def emulate(self, size: tuple[int, int] | None = None, **options: str) -> None:
        """Set the window's size in pixels, and media such as ``colorScheme="dark"`` or ``media="print"``."""
        self._command({"emulate": options, "size": size}, ACTION_TIMEOUT_S)

    def requests(self) -> list[str]:
        """Return the URLs of all requests so far."""
        found: list[str] = self._command({"requests": True}, ACTION_TIMEOUT_S)
        return found

    def violations(self, selector: str = "html") -> list[dict[str, Any]]:
        """Return what axe finds wrong for people with disabilities: rules, each with the elements that break it."""
        found: list[dict[str, Any]] = self._command({"axe": selector}, ACTION_TIMEOUT_S)
        return found

    def console(self) -> str:
        """Return what the page has written to its console, and Chromium to its log."""
        return self.log.read_text(errors="replace")

    def _command(self, command: dict[str, Any], timeout_s: float) -> Any:
        assert self._driver.stdin is not None
        try:
            self._driver.stdin.write(json.dumps(command) + "\n")
            self._driver.stdin.flush()
            line = self._answers.get(timeout=timeout_s)
        except (queue.Empty, BrokenPipeError) as error:
            raise TimeoutError(f"{command} had no answer:\n{self.console()}") from error
        assert line, f"Chromium ended at {command}:\n{self.console()}"
        answer = json.loads(line)
        assert "error" not in answer, f"{answer['error']}\n{self.console()}"
        return answer["result"]

    def close(self) -> None:
        """End Chromium."""
        assert self._driver.stdin is not None
        self._driver.stdin.close()
        try:
            self._driver.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._driver.kill()
            self._driver.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
