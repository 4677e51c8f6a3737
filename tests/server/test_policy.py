"""What a setting of an organization may be."""

from __future__ import annotations

import pytest

from server.policy import check_setting


def test_days_have_bounds() -> None:
    for value in (0, 1, 36_500):
        check_setting("retention_audio_days", value)
    for wrong in (-1, 36_501, "1"):
        with pytest.raises(ValueError, match="must be 1 to 36500 days, or 0 for never"):
            check_setting("retention_audio_days", wrong)
