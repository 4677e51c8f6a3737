"""The report's audio quality part."""

from __future__ import annotations

from meetra.v1 import insights_pb2 as pb
from rich.console import Group
from rich.text import Text

from cli.answers import MeetingAnswers
from cli.report_group import columns, heading
from server.visible_text import escape_for_terminal

# Less clipping is inaudible.
SHOWN_CLIPPING_PERCENT = 0.05


def audio_quality(answers: MeetingAnswers) -> Group | None:
    """Render one line per speaker: microphone, noise, faults."""
    found = answers.audio_quality.speakers
    if not found:
        return None
    table = columns()
    for speaker in found:
        table.add_row(Text(escape_for_terminal(speaker.alias)), _microphone(speaker), _noise(speaker), _faults(speaker))
    return Group(heading("Audio quality"), table)


def _microphone(speaker: pb.SpeakerAudioQuality) -> str:
    if not speaker.HasField("mos"):
        return "microphone not measured"
    return f"microphone {speaker.microphone_quality:.0f} (MOS {speaker.mos:.1f})"


def _noise(speaker: pb.SpeakerAudioQuality) -> str:
    if not speaker.HasField("noise_db"):
        return "noise not measured"
    return f"noise {speaker.noise_db:.0f} dBFS, SNR {speaker.snr_db:.0f} dB"


def _faults(speaker: pb.SpeakerAudioQuality) -> str:
    faults = []
    if speaker.clipping_percent >= SHOWN_CLIPPING_PERCENT:
        faults.append(f"clipping {speaker.clipping_percent:.1f} %")
    if speaker.reverb:
        faults.append("reverberation")
    if speaker.lagging:
        faults.append("packet loss")
    return ", ".join(faults)
