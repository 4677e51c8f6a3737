"""Notes: every line with the sentences that it rests on, of any talk, by rules and by a model, through corrections."""

from __future__ import annotations

from hypothesis import given, settings

from server.conversation import Conversation, Merge, Move, Reword, apply_edits
from server.insights import WrittenItem, WrittenNotes, compute_answers, find_speaker_names, written_notes
from server.insights.family import MeetingFacts
from server.insights.notes import NotesDocument, notes
from tests.server.insights.meetings_in_languages import ENGINE, german, meeting, talk
from tests.server.insights.talks import talks, two_topics

LINES = (
    (1, "Good morning everybody, today we talk about the annual budget."),
    (2, "We have decided to spend twenty thousand on the new server."),
    (1, "Daniel, could you send the offer to the bank by Friday?"),
    (3, "Yes, I will send it."),
    (3, "My name is Daniel."),
)
WRITTEN: WrittenNotes = {
    "summary": [{"text": "The budget was discussed.", "sentences": [1, 2]}],
    "chapters": [
        {"title": "Budget", "start_ms": 0, "points": [{"text": "A server is bought.", "sentences": [2]}]},
        {"title": "Bank", "start_ms": 9000, "points": []},
    ],
    "action_items": [{"text": "Send the offer.", "sentences": [3, 4], "owner": 4, "person": None, "due": "by Friday"}],
    "decisions": [],
}


def english() -> Conversation:
    return talk(meeting("en", *LINES))


def of(conversation: Conversation, written: WrittenNotes | None = None) -> NotesDocument:
    return notes(MeetingFacts(conversation, None, written))


def without_words(conversation: Conversation, *numbers: int) -> Conversation:
    """A conversation after the words of sentences were removed."""
    said = [conversation.sentences[number - 1] for number in numbers]
    removals = [
        Reword(number - 1, "", (), False, None, None, b"", sentence.text, sentence.start_us)
        for number, sentence in zip(numbers, said, strict=True)
    ]
    return apply_edits(conversation, removals)


def test_what_is_to_be_done_and_was_decided_is_found_with_its_sentences() -> None:
    conversation = english()
    found = of(conversation)
    (item,) = found["action_items"]
    assert item["text"] == LINES[2][1]
    assert [cited["number"] for cited in item["sentences"]] == [3, 4]
    assert [cited["speaker"] for cited in item["sentences"]] == [1, 3]
    # The name leads to who says that it is theirs.
    assert (item["speaker"], item["person"], item["due"]) == (3, "Daniel", "by Friday")
    (decision,) = found["decisions"]
    assert (decision["text"], decision["sentences"][0]["number"]) == (LINES[1][1], 2)
    assert decision["sentences"][0]["start_ms"] == conversation.sentences[1].start_us // 1000
    assert found["methods"] == {
        "summary": "extractive",
        "chapters": "extractive",
        "action_items": "rules",
        "decisions": "rules",
    }
    assert found["reason"] is None


def test_the_summary_is_that_of_the_summaries_and_chapters_are_the_topics() -> None:
    answers = {name: answer.document for name, answer in compute_answers(two_topics()).items()}
    found = answers["notes"]
    assert [line["text"] for line in found["summary"]] == answers["summaries"]["meeting"]
    chapters = [(c["title"], c["start_ms"], c["end_ms"]) for c in found["chapters"]]
    assert chapters == [(t["topic"], t["start"], t["end"]) for t in answers["topics"]["topics"]]
    assert len(chapters) == 2
    for chapter in found["chapters"]:
        assert chapter["points"]
        for point in chapter["points"]:
            assert chapter["start_ms"] <= point["sentences"][0]["start_ms"] < chapter["end_ms"]
    assert answers["quality"]["notes"] == found


def test_other_languages_have_no_rules_and_the_reason_says_so() -> None:
    found = of(german())
    assert (found["action_items"], found["decisions"], found["methods"]["decisions"]) == ([], [], "none")
    reason = "Action items and decisions are found in English only; this meeting is in German (de)."
    assert found["reason"] == reason
    assert found["summary"]
    assert found["chapters"]
    spoken = meeting("de", (1, "Guten Morgen, heute geht es um das Budget."))
    mixed = of(talk(spoken, meeting("en", *LINES, start_s=20, first=2)))
    assert (len(mixed["action_items"]), mixed["methods"]["decisions"]) == (1, "rules")
    assert (mixed["reason"] or "").endswith("speech in German (de) is left out.")
    assert of(german(), WRITTEN)["reason"] is None


def test_what_a_model_wrote_stands_with_its_sentences() -> None:
    found = of(english(), WRITTEN)
    assert set(found["methods"].values()) == {"abstractive"}
    (line,) = found["summary"]
    assert (line["text"], [cited["number"] for cited in line["sentences"]]) == ("The budget was discussed.", [1, 2])
    assert [(c["start_ms"], c["end_ms"]) for c in found["chapters"]] == [
        (0, 9000),
        (9000, english().duration_us // 1000),
    ]
    assert (found["action_items"][0]["speaker"], found["action_items"][0]["due"]) == (3, "by Friday")
    # The model says that there are none.
    assert found["decisions"] == []
    # As after a correction: the parts that it wrote, no more and no less.
    assert written_notes(found) == WRITTEN
    assert written_notes(of(english())) == {}
    some = of(english(), {"decisions": []})
    assert (some["methods"]["decisions"], some["methods"]["summary"]) == ("abstractive", "extractive")
    assert len(some["action_items"]) == 1


def test_a_correction_moves_what_a_model_wrote_to_the_right_speaker_and_says_what_is_outdated() -> None:
    merged = of(apply_edits(english(), [Merge(3, 2)]), WRITTEN)
    assert merged["action_items"][0]["speaker"] == 2
    assert not merged["action_items"][0]["outdated"]
    second = english().sentences[1]
    moved = apply_edits(english(), [Move(1, 1, former_speaker=2, start_us=second.start_us)])
    found = of(moved, WRITTEN)
    assert (found["summary"][0]["outdated"], found["action_items"][0]["outdated"]) == (True, False)
    assert [cited["speaker"] for cited in found["summary"][0]["sentences"]] == [1, 1]
    assert not any(line["outdated"] for line in of(moved)["decisions"])


def test_what_rests_on_removed_words_alone_is_left_out_until_they_are_back() -> None:
    found = of(without_words(english(), 2), WRITTEN)
    assert found["chapters"][0]["points"] == []
    assert [line["outdated"] for line in found["summary"]] == [True]
    assert len(found["action_items"]) == 1
    more = of(without_words(english(), 1, 2, 3, 4), written_notes(found))
    assert (more["summary"], more["action_items"]) == ([], [])
    # As after an undo.
    assert of(english(), written_notes(more)) == of(english(), WRITTEN)


def test_removed_words_answer_nobody_and_are_of_no_language() -> None:
    said = ((1, "Could you send the offer to the bank by Friday?"), (2, "Off we go."), (3, "Yes, sure."))
    (item,) = of(without_words(talk(meeting("en", *said)), 2))["action_items"]
    assert ([cited["number"] for cited in item["sentences"]], item["speaker"]) == ([1, 3], 3)
    asked = ((1, "Daniel, what do you think?"), (2, "Off we go."), (3, "It will do."), (1, "Thanks, Daniel."))
    named = find_speaker_names(without_words(talk(meeting("en", *asked)), 2))
    assert [(one.name, one.speaker) for one in named] == [("Daniel", 3)]
    cough = meeting("de", (1, "Hm, hm, hm."))
    mixed = talk(cough, meeting("en", *LINES, start_s=20, first=2))
    assert of(mixed)["reason"]
    assert of(without_words(mixed, 1))["reason"] is None


def test_nothing_said_has_empty_notes() -> None:
    found = of(Conversation(5_000_000, (), (), ENGINE))
    assert (found["summary"], found["action_items"], found["decisions"], found["reason"]) == ([], [], [], None)
    unknown: WrittenItem = {**WRITTEN["action_items"][0], "owner": 99}
    assert of(english(), {"action_items": [unknown]})["action_items"][0]["speaker"] is None


@settings(max_examples=25)
@given(talks())
def test_every_line_of_any_talk_rests_on_its_sentences(conversation: Conversation) -> None:
    found = of(conversation)
    lines = [*found["summary"], *found["action_items"], *found["decisions"]]
    lines += [point for chapter in found["chapters"] for point in chapter["points"]]
    for line in lines:
        places = [cited["number"] - 1 for cited in line["sentences"]]
        assert places
        assert places == sorted(set(places))
        assert conversation.sentences[places[0]].text == line["text"]
        for cited, place in zip(line["sentences"], places, strict=True):
            assert cited["speaker"] == conversation.sentences[place].speaker
            assert cited["start_ms"] == conversation.sentences[place].start_us // 1000
