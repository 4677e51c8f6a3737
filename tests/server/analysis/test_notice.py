"""What is said of a recording without speech, or without words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from meetra.inference.v2 import session_pb2

from server.analysis.notice import Notice, build_notice, format_ready_message
from server.analysis.recording import AudioTrack, Recording, SessionResult
from server.conversation import Conversation, EngineCapabilities, Interval, Segment
from server.engine.inference_client import read_pcm
from tests.recordings import SAMPLE
from tests.server.insights.meetings_in_languages import german

ENGINE = EngineCapabilities(languages=("de", "en"))
SILENT = Conversation(12_000_000, (), (), ENGINE)
WORDLESS = replace(SILENT, speakers=(1,), segments=(Segment(1, 1, 0, 4_000_000),))


def recording(*tracks: AudioTrack) -> Recording:
    return Recording(tracks or (track(),))


def track(display_name: str = "the whole recording", level_dbfs: float | None = None) -> AudioTrack:
    return AudioTrack(lambda: read_pcm(SAMPLE), 0, display_name=display_name, level_dbfs=level_dbfs)


def said(dbfs: float | None = None, seconds: float = 12, *, unknown: bool = False) -> SessionResult:
    one = SessionResult()
    ready = session_pb2.Ready(capabilities=session_pb2.Capabilities(), language_unknown=unknown)
    one.collect(session_pb2.RunSessionResponse(ready=ready))
    value = 0 if dbfs is None else round(32768 * 10 ** (dbfs / 20))
    one.level.add(np.full(round(seconds * 16_000), value, np.int16).tobytes())
    return one


def test_a_meeting_with_words_has_none() -> None:
    assert build_notice(german(), recording(), [said(-20)], "de") == Notice(True, "")


def test_a_recording_without_speech_says_what_was_heard_and_how_loud_it_is() -> None:
    found = build_notice(replace(SILENT, music=(Interval(0, 9_000_000),)), recording(), [said(-20)], "")
    assert found == Notice(
        False, "No speech was found. Analysed: the whole recording, 12 s at -20.0 dBFS. Music was detected for 9 s."
    )


def test_a_recording_that_is_hardly_audible_asks_for_the_microphone() -> None:
    found = build_notice(SILENT, recording(), [said(-70)], "")
    assert found.text == (
        "No speech was found. Analysed: the whole recording, 12 s at -70.3 dBFS, barely audible."
        " Check whether the microphone was muted or the wrong source was recorded."
    )


def test_each_track_that_was_heard_is_named() -> None:
    tracks = recording(track("channel 1"), track("channel 2"), track("channel 3", level_dbfs=-80.04))
    found = build_notice(SILENT, tracks, [said(-30), said(None), said(-10, 0.1)], "")
    assert found.text == (
        "No speech was found. Analysed: channel 1, 12 s at -30.0 dBFS; channel 2, 12 s of digital silence;"
        " channel 3, 0.1 s at -80.0 dBFS, barely audible."
    )


def test_a_live_meeting_without_any_audio_says_so() -> None:
    found = build_notice(SILENT, recording(track("track mic")), [said(None, 0)], "")
    assert found.text.startswith("No speech was found. Analysed: track mic, without any audio. Check whether")


def test_a_language_that_the_recogniser_does_not_know_is_why_there_are_no_words() -> None:
    assert build_notice(WORDLESS, recording(), [said(-20, unknown=True)], "ga") == Notice(
        True,
        "4.0 s of speech were found, but no words: the recogniser does not support Irish (ga)."
        " It supports German (de), English (en).",
    )
    many = replace(WORDLESS, engine=EngineCapabilities(languages=("a",) * 99))
    text = build_notice(many, recording(), [said(-20, unknown=True)], "ga").text
    assert text.endswith("It supports 99 languages, see details.engine.languages.")


def test_speech_without_words_says_in_which_language_it_was_heard() -> None:
    given = build_notice(WORDLESS, recording(), [said(-20)], "de-AT").text
    assert given.startswith(
        "4.0 s of speech were found, but no words in the stated language, German (de-AT)."
        " Analysed: the whole recording, 12 s at -20.0 dBFS. If another language is spoken, delete"
    )
    detected = build_notice(WORDLESS, recording(), [said(-20)], "").text
    assert detected.startswith("4.0 s of speech were found, but no words: the speech may be")
    assert detected.endswith(" Analysed: the whole recording, 12 s at -20.0 dBFS.")


def test_the_status_message_holds_the_remark_and_the_notice() -> None:
    assert format_ready_message("", Notice(True, "")) == "Ready"
    assert format_ready_message("a part was damaged", Notice(True, "")) == "Ready; a part was damaged"
    assert format_ready_message("", Notice(False, "No speech was found.")) == "Ready. No speech was found."
    assert format_ready_message("a part was damaged", Notice(False, "None.")) == "Ready; a part was damaged. None."
