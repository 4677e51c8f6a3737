"""``channels`` of an upload, as it comes and as it is kept."""

from __future__ import annotations

import pytest

from server.channels import ChannelUse
from server.errors import BadRequest
from server.meetings.upload_fields import validate_details


@pytest.mark.parametrize(
    ("text", "use"),
    [("", None), (" ", None), ("mixed", ChannelUse.MIXED), (" Separate ", ChannelUse.SEPARATE)],
)
def test_channels_are_mixed_or_separate_or_not_stated(text: str, use: ChannelUse | None) -> None:
    assert validate_details({"channels": text}, None).channels is use


@pytest.mark.parametrize("text", ["stereo", "2", "left", "mixed,separate", "sepārate", "separate\x00"])
def test_other_channels_are_refused(text: str) -> None:
    with pytest.raises(BadRequest) as raised:
        validate_details({"channels": text}, None)
    assert (raised.value.parameter, raised.value.fix) == ("channels", "must be mixed or separate")
