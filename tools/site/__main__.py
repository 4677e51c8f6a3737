"""Build the site of the docs: ``python -m tools.site [--source-url URL] [--folder FOLDER]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.site.build import SiteNotBuilt, build
from tools.site.diagrams import DiagramsNotDrawn

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Build the site and print where it is; return 1 if it cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".site", help="where it is built; replaced")
    parser.add_argument("--source-url", default="", help="where the repository's files can be read, for links to them")
    arguments = parser.parse_args()
    try:
        html = build(ROOT, arguments.folder, arguments.source_url)
    except (SiteNotBuilt, DiagramsNotDrawn) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{html}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
