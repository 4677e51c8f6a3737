"""Child process that lays a document out as PDF: ``python -m server.children.typeset``.

Its texts are what strangers said and wrote. Besides, the typesetter keeps all that it ever laid out in its caches; here
they end with the process. Standard input: two parts, each as its length (``PART``) and its bytes: the Typst source, and
the JSON that the source reads as ``sys.inputs.report``. Standard output: the PDF. A document that cannot be laid out,
or not within the limits, ends the process with another status than 0.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from server.children.document_parts import PART
from server.confinement import confine

if TYPE_CHECKING:
    import typst

# 10,000 sentences take under 0.4 GiB; the rest is address space that is never used.
MEMORY_LIMIT_BYTES = 4 * 1024**3
CPU_LIMIT_S = 90
NICENESS = 5
# Packages that hold fonts: of all scripts, of Chinese, Japanese and Korean, and of Arabic.
FONT_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk", "fontpkg_amiri")


def font_folders() -> list[Path]:
    """Return the folders of the font packages."""
    specs = {package: find_spec(package) for package in FONT_PACKAGES}
    return [Path(spec.origin).parent for spec in specs.values() if spec is not None and spec.origin is not None]


def compiler_with_fonts() -> typst.Compiler:
    """Return a typesetter that has read all fonts: afterwards this process can open no file.

    It has also started its thread, which Landlock would not restrict. Without the right to open files, which the filter
    of system calls takes from all threads, nothing is left for Landlock to forbid.
    """
    import typst  # here: no decoder needs it

    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=font_folders())
    names = ", ".join(f'"{name}"' for name in fonts.families())
    every_font = f"#for name in ({names},) {{ for weight in (400, 700) {{ text(font: name, weight: weight)[a] }} }}"
    compiler = typst.Compiler(every_font.encode(), font_paths=fonts, ignore_system_fonts=True)
    # Lays it out without writing it, which would take seconds.
    compiler.query("metadata")
    return compiler


def read_part(requests: BinaryIO) -> bytes:
    """Read one part of the input. Raises EOFError where it ends too early."""
    (length,) = PART.unpack(_exactly(requests, PART.size))
    return _exactly(requests, length)


def _exactly(requests: BinaryIO, length: int) -> bytes:
    data = requests.read(length)
    if len(data) < length:
        raise EOFError
    return data


def main() -> int:
    """Lay one document out under resource limits; return the exit status."""
    # A report must not take the cores from those who speak.
    os.environ["RAYON_NUM_THREADS"] = "1"
    os.nice(NICENESS)
    compiler = compiler_with_fonts()
    confine(memory_bytes=MEMORY_LIMIT_BYTES, open_files=16, cpu_s=CPU_LIMIT_S, file_bytes=0)
    source, document = read_part(sys.stdin.buffer), read_part(sys.stdin.buffer)
    pdf = compiler.compile(source, format="pdf", sys_inputs={"report": document.decode()})
    assert isinstance(pdf, bytes)
    sys.stdout.buffer.write(pdf)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
