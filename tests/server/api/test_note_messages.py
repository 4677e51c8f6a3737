"""Notes as REST gives them: ids of speakers, and sentences as the transcript numbers them."""

from __future__ import annotations

import json

from tests.server.api.stored_answers import SPEAKERS, Stored
from tests.server.api.test_insight_messages import asked
from tests.server.insights.meetings_in_languages import ENGLISH_LINES, german, meeting, talk


async def test_notes_have_the_ids_of_speakers_and_the_numbers_of_sentences() -> None:
    said = (*ENGLISH_LINES, (1, "Daniel, could you send the offer by Friday?"), (2, "Sure, I am Daniel."))
    stored = Stored(talk(meeting("en", *said)))
    notes = (await asked(stored, "GetMeetingNotes"))["notes"]
    (item,) = notes["action_items"]
    assert (item["text"], item["person"], item["due"]) == (said[2][1], "Daniel", "by Friday")
    assert item["speaker"] == str(SPEAKERS[1].id)
    assert [cited["number"] for cited in item["sentences"]] == [3, 4]
    spoken = (await asked(stored, "GetTranscription", details=True))["details"]["sentences"]
    for cited in item["sentences"]:
        (sentence,) = [one for one in spoken if one["number"] == cited["number"]]
        assert {name: sentence[name] for name in cited} == cited
    assert notes["methods"]["action_items"] == "rules"
    assert (await asked(stored, "GetMeetingQuality"))["context"]["notes"] == notes
    foreign = (await asked(Stored(german()), "GetMeetingNotes"))["notes"]
    assert foreign["reason"].startswith(
        "Action items and decisions are found in English only; this meeting is in German"
    )
    assert "speaker" not in json.dumps(foreign["action_items"])
