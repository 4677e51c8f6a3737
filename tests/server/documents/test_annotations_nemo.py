"""CTM read by Lhotse, which NeMo brings along."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.documents.annotations import to_ctm
from tests.optional_packages import WITHOUT_NEMO
from tests.server.documents.documented import FILE_HASH, KINDS, documented

pytest.importorskip("lhotse", reason=WITHOUT_NEMO)
pytestmark = pytest.mark.nemo


@pytest.mark.parametrize("kind", KINDS)
def test_lhotse_reads_the_words(kind: str, tmp_path: Path) -> None:
    from lhotse import SupervisionSegment, SupervisionSet

    shown = documented(kind)
    path = tmp_path / "meeting.ctm"
    path.write_text(to_ctm(shown), encoding="utf-8")
    whole = SupervisionSegment("all", FILE_HASH, 0, 1 + max(word.end_ms for word in shown.words) / 1000)
    (read,) = SupervisionSet.from_segments([whole]).with_alignment_from_ctm(path)
    found = [(one.symbol, round(one.start * 1000), round(one.end * 1000)) for one in read.alignment["word"]]
    assert found == [(word.text, word.start_ms, word.end_ms) for word in shown.words]
