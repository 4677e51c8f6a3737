"""The report page: its sources, and the static files that ``make install`` builds from them."""

from pathlib import Path

FILES = Path(__file__).resolve().parent / "dist"
"""The built page: ``index.html``, and below ``assets`` files with their hash in their name."""

__all__ = ["FILES"]
