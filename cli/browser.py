"""The browser of whoever is at this machine."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Mapping


def has_screen(environment: Mapping[str, str], platform: str) -> bool:
    """Return whether a window can be shown: without one, a browser for terminals would take this terminal."""
    return platform == "darwin" or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def open_in_browser(url: str) -> bool:
    """Open an address in the user's browser; return whether there is one that shows windows."""
    return has_screen(os.environ, sys.platform) and webbrowser.open(url)
