"""Up to where it is known whether somebody speaks."""

from __future__ import annotations

from server.live.hearing import Hearing, known_through_us


def test_silence_is_known_as_far_as_the_slowest_that_is_awaited() -> None:
    first, held = Hearing(18, 18, quiet=False, awaited=True), Hearing(18, 10, quiet=False, awaited=True)
    quiet = Hearing(12, 12, quiet=True, awaited=False)
    assert known_through_us([first, quiet]) == 18
    # Turns that are held until they are judged are not known.
    assert known_through_us([first, held]) == 10
    # Where nothing comes of anybody, time stands still.
    assert known_through_us([quiet, quiet]) == 12
    assert known_through_us([]) == 0
