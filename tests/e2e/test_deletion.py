"""Deleting a meeting while it is being analysed."""

from __future__ import annotations

import numpy as np

from tests.e2e.conftest import Rest
from tests.recordings import excerpt, sample_pcm, wav

MEETING = "/single-feature-api/meeting"


def test_a_meeting_deleted_while_it_is_analysed_is_gone_and_harms_no_other(rest: Rest) -> None:
    doomed = wav(np.concatenate([sample_pcm(), sample_pcm()]), mark="deleted under way")
    file_hash = rest.upload(doomed).json()["file_hash"]
    while rest.get(f"{MEETING}/status", file_hash=file_hash).json()["status"] == "queued":
        pass
    answer = rest.http.delete(MEETING, params={"file-hash": file_hash})
    assert (answer.status_code, answer.json()) == (200, {})
    assert rest.get(f"{MEETING}/status", file_hash=file_hash).status_code == 404
    # The worker goes on with the next one, and the deleted one does not come back.
    rest.analysed(excerpt(5, mark="after the deletion"))
    assert rest.get(f"{MEETING}/status", file_hash=file_hash).status_code == 404
    # It may come again.
    assert rest.analysed(doomed) == file_hash
