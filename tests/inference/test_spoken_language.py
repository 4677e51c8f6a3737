"""Which language a session is in: judged over its windows, in the order of time however they come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.words.spoken_language import SETTLES_S, SpokenLanguage

LANGUAGES = ("de", "en", "fr")
Window = tuple[Mapping[str, float], float]


def heard(language: str, speech_s: float, sure: float = 0.9) -> Window:
    """A window that seems to be in a language."""
    others = [other for other in LANGUAGES if other != language]
    return {language: sure, **dict.fromkeys(others, (1 - sure) / len(others))}, speech_s


@dataclass(frozen=True)
class Judged:
    languages: tuple[str, ...]
    """Of each window."""
    now: str
    most_spoken: str
    confidence: float | None


async def judged(
    windows: Sequence[Window],
    order: Sequence[int] | None = None,
    *,
    ends_after: int | None = None,
    spoken: SpokenLanguage | None = None,
) -> Judged:
    """The outcome when windows are heard in an order, and the end is known after so many of them."""
    spoken = spoken or SpokenLanguage(LANGUAGES)
    asked: dict[int, asyncio.Task[str]] = {}
    order = range(len(windows)) if order is None else order
    for count, number in enumerate(order):
        if count == ends_after:
            spoken.settle_after(len(windows))
        asked[number] = asyncio.create_task(spoken.of(number, *windows[number]))
        await asyncio.sleep(0)
    spoken.settle_after(len(windows))
    async with asyncio.timeout(60):
        languages = [await asked[number] for number in range(len(windows))]
    return Judged(tuple(languages), spoken.now, spoken.most_spoken, spoken.confidence)


WINDOWS = st.lists(
    st.tuples(st.sampled_from(LANGUAGES), st.floats(0.3, 28), st.floats(0.34, 1)).map(lambda told: heard(*told)),
    min_size=1,
    max_size=7,
)


@given(st.data(), WINDOWS)
@settings(max_examples=100, deadline=None)
def test_which_window_is_heard_faster_changes_nothing(data: st.DataObject, windows: list[Window]) -> None:
    order = data.draw(st.permutations(range(len(windows))))
    ends_after = data.draw(st.integers(0, len(windows)))

    async def both() -> tuple[Judged, Judged]:
        return await judged(windows), await judged(windows, order, ends_after=ends_after)

    one, other = asyncio.run(both())
    assert one == other


async def test_every_order_of_four_windows_ends_alike() -> None:
    windows = [heard("fr", 2), heard("en", 20), heard("de", 25), heard("de", 25)]
    found = {await judged(windows, order) for order in permutations(range(4))}
    assert len(found) == 1


async def settled(windows: Sequence[Window]) -> list[bool]:
    """For each window, whether its language was told when it was heard and no end was known."""
    spoken = SpokenLanguage(LANGUAGES)
    tasks = []
    for number, window in enumerate(windows):
        tasks.append(asyncio.create_task(spoken.of(number, *window)))
        for _ in range(3):
            await asyncio.sleep(0)
    done = [task.done() for task in tasks]
    spoken.settle_after(len(windows))
    await asyncio.gather(*tasks)
    return done


async def test_nothing_is_written_before_enough_was_heard() -> None:
    assert await settled([heard("en", SETTLES_S - 0.1)]) == [False]
    assert await settled([heard("en", SETTLES_S)]) == [True]
    assert await settled([heard("en", 1), heard("en", 1)]) == [False, False]
    assert await settled([heard("en", 1), heard("en", SETTLES_S - 1)]) == [True, True]
    assert await settled([heard("en", 1), heard("en", 1), heard("en", 1)]) == [True, True, True]


async def test_where_nobody_can_wait_what_was_heard_is_enough() -> None:
    spoken = SpokenLanguage(LANGUAGES)
    first = asyncio.create_task(spoken.of(0, *heard("fr", 2)))
    await asyncio.sleep(0)
    assert not first.done()
    spoken.settle_after(1)
    assert await asyncio.wait_for(first, 60) == "fr"
    # What was enough once stays enough, whatever is said of it later.
    spoken.settle_after(7)
    assert await asyncio.wait_for(spoken.of(1, *heard("fr", 2)), 60) == "fr"


async def test_a_greeting_is_in_the_language_of_what_follows() -> None:
    found = await judged([heard("fr", 1.5, 0.6), heard("de", 20), heard("de", 20)])
    assert found.languages == ("de", "de", "de")
    assert found.now == found.most_spoken == "de"


async def test_an_odd_short_window_changes_nothing() -> None:
    found = await judged([heard("en", 25), heard("en", 25), heard("fr", 2), heard("en", 25)])
    assert found.languages == ("en",) * 4


async def test_who_goes_on_in_another_language_is_followed() -> None:
    found = await judged([heard("en", 28), heard("en", 28), heard("de", 28), heard("de", 28), heard("de", 28)])
    assert found.languages[:2] == ("en", "en")
    assert found.languages[3:] == ("de", "de")
    assert found.now == found.most_spoken == "de"
    back = await judged([heard("en", 28), heard("de", 28), heard("de", 28), heard("en", 28), heard("en", 28)])
    assert (back.languages[2], back.languages[4]) == ("de", "en")


async def test_confidence_is_the_mean_over_the_speech() -> None:
    found = await judged([heard("en", 10, 0.9), heard("en", 30, 0.5)])
    assert found.confidence == pytest.approx((10 * 0.9 + 30 * 0.5) / 40)


async def test_what_was_given_is_believed_at_once_and_nobody_is_sure_of_it() -> None:
    spoken = SpokenLanguage(LANGUAGES, "fr")
    assert (spoken.now, spoken.confidence) == ("fr", None)
    assert await asyncio.wait_for(spoken.of(0, *heard("en", 0.5, 1.0)), 60) == "fr"
    found = await judged([heard("en", 28), heard("en", 28)], spoken=SpokenLanguage(LANGUAGES, "fr"))
    assert found == Judged(("fr", "fr"), "fr", "fr", None)


async def test_a_model_of_one_language_has_nothing_to_detect() -> None:
    spoken = SpokenLanguage(("en",))
    assert (spoken.now, spoken.confidence, spoken.most_spoken) == ("en", None, "")
    assert await asyncio.wait_for(spoken.of(0, {}, 0.5), 60) == "en"
    assert (spoken.most_spoken, spoken.confidence) == ("en", None)


async def test_before_anything_was_heard_nothing_is_known() -> None:
    spoken = SpokenLanguage(LANGUAGES)
    spoken.settle_after(0)
    assert (spoken.now, spoken.most_spoken, spoken.confidence) == ("", "", None)
    assert spoken.confidence_of("de") is None


async def test_windows_that_say_nothing_of_some_languages_are_no_trouble() -> None:
    found = await judged([({"en": 1.0}, 28.0), ({}, 1.0), ({"de": 1.0}, 28.0), ({"de": 1.0}, 28.0)])
    assert found.languages[0] == "en"
    assert found.languages[3] == "de"
