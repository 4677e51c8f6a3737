"""An uploaded recording as input of the analysis."""

from __future__ import annotations

from functools import partial

from server.analysis.recording import AudioTrack, Recording
from server.audio import DecodedAudio, DecodedTrack
from server.channels import ChannelUse
from server.engine import read_pcm
from server.storage import Job

DAMAGED = "parts of the recording were damaged and could not be decoded"
# Separate channels suggest that the caller expects several people.
ONE_CHANNEL = "it has only one channel, which is treated as one person"
ONE_DISTINCT_CHANNEL = "only one of its channels carries distinct audio; it is treated as one person"


def recording_from_upload(audio: DecodedAudio, job: Job) -> Recording:
    """Return the tracks to analyse of a decoded recording, as the job's ``channels`` states."""
    remarks = [DAMAGED] * audio.damaged + list(audio.remarks)
    if job.channels is ChannelUse.SEPARATE:
        if len(audio.tracks) == 1 and audio.tracks[0].level_dbfs is not None:
            remarks.append(ONE_CHANNEL if audio.channel_count == 1 else ONE_DISTINCT_CHANNEL)
        return Recording(tuple(map(_participant, audio.tracks)), audio.channel_count, remark="; ".join(remarks))
    (mixed,) = audio.tracks
    track = AudioTrack(partial(read_pcm, mixed.path), mixed.samples, job.n_speakers, level_dbfs=mixed.level_dbfs)
    return Recording((track,), remark="; ".join(remarks))


def _participant(track: DecodedTrack) -> AudioTrack:
    """Return one channel as the track of one person: channel 1 is speaker 1, as on live participant tracks."""

    def speaker_number(_: int) -> int:
        return track.index + 1

    return AudioTrack(
        partial(read_pcm, track.path),
        track.samples,
        expected_speakers=1,
        is_participant=True,
        speaker_number=speaker_number,
        index=track.index,
        display_name=track.display_name,
        level_dbfs=track.level_dbfs,
    )
