"""Audio quality in the report: what was measured, and what was not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from meetra.v1 import insights_pb2 as pb
from rich.console import Console

from cli.answers import MeetingAnswers
from cli.report_sound import audio_quality


def lines(*speakers: pb.SpeakerAudioQuality) -> list[str]:
    answers = cast(MeetingAnswers, SimpleNamespace(audio_quality=pb.GetSpeakersAudioQualityResponse(speakers=speakers)))
    console = Console(width=200)
    with console.capture() as captured:
        console.print(audio_quality(answers))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_speaker_has_a_line_of_what_was_measured() -> None:
    found = lines(
        pb.SpeakerAudioQuality(
            alias="Ada", mos=3.27, microphone_quality=61.4, noise_db=-58.6, snr_db=31.2, clipping_percent=1.25,
            reverb=True, lagging=True,
        )
    )  # fmt: skip
    assert found == [
        "Audio quality",
        "Ada  microphone 61 (MOS 3.3)  noise -59 dBFS, SNR 31 dB  clipping 1.2 %, reverberation, packet loss",
    ]


def test_what_was_not_measured_is_not_zero() -> None:
    (_, line) = lines(pb.SpeakerAudioQuality(alias="Ada", clipping_percent=0.04))
    assert line.split("  ") == ["Ada", "microphone not measured", "noise not measured"]


def test_of_nobody_there_is_no_section_and_names_do_not_act_on_the_terminal() -> None:
    assert lines() == ["None"]
    assert "\x1b[2J" not in "".join(lines(pb.SpeakerAudioQuality(alias="\x1b[2J[/bold]")))
