"""Entries of the catalogue."""

from __future__ import annotations

from server.metrics.metric import AMI, MEAN_ERROR, SYNTHETIC, KnownError, mean_errors


def test_mean_errors_name_what_was_measured_and_no_more() -> None:
    assert mean_errors(9.1, 0.1, "points") == (
        KnownError(AMI, MEAN_ERROR, 9.1, "points"),
        KnownError(SYNTHETIC, MEAN_ERROR, 0.1, "points"),
    )
    assert mean_errors(602, None, "ms") == (KnownError(AMI, MEAN_ERROR, 602, "ms"),)
