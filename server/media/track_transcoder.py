"""One audio stream of a file: decoded, placed in time, and written."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from server.media.downmix import Downmix
from server.media.frame_placer import FramePlacer, PlacedFrame, TimedFrame
from server.media.gain import MAX_PLANES, Peaks
from server.media.opening import decodable, usable_rate
from server.media.pcm_file import PcmFile, PcmFolder
from server.media.resampling import RATE_HZ, ChannelResampler

# Resampled audio is mixed and written in batches of 4 s: smaller ones cost more in overhead than in work.
BATCH_SAMPLES = 4 * RATE_HZ
# Raised by FFmpeg for undecodable packets or frames, and by PyAV for unknown formats.
UNUSABLE = (av.error.FFmpegError, ValueError, NotImplementedError)
# AMR frame types without speech (3GPP TS 26.101, 26.201): comfort noise and no data.
AMR_SILENT = {"amrnb": frozenset({8, 9, 10, 11, 15}), "amrwb": frozenset({9, 14, 15})}


class TrackTranscoder:
    """The audio of one stream, or of the streams with the same index in a file's links.

    Mixed into one file, or with one file per channel.
    """

    def __init__(self, folder: PcmFolder, index: int, *, separate: bool, gain: float) -> None:
        """
        Args:
            index: index of the track.
            separate: write each channel to its own file.
            gain: factor for all samples.
        """
        self.index = index
        self.files: list[PcmFile] = []
        self.codec = "unknown"
        self.decodable = True
        self.damaged = False
        self.gaps = False
        """Whether it contains silence that was not recorded."""
        self.source_samples, self.source_rate_hz = 0, 0
        """Amount of decoded audio before resampling."""
        self.peaks = Peaks("")
        self._folder, self._separate, self._gain = folder, separate, gain
        self._resampler = ChannelResampler()
        self._downmix: Downmix | None = None
        self._batch: list[NDArray[np.float32]] = []  # as resampled, (n, channels)
        self._batch_samples = 0
        self._placer = FramePlacer(folder.max_seconds)
        self.samples = 0
        """Length of the written audio, samples at 16 kHz."""
        self._base = 0  # first sample of the link
        self._has_timestamps = True
        self._stream: Any = None
        self._undecodable_until_s = 0.0  # end of the last undecodable packet

    def begin_link(self, stream: Any, codec: str, base: int, *, has_timestamps: bool) -> None:
        """Start a new stream, in a container that begins at sample ``base`` of the track.

        Args:
            has_timestamps: whether the container's timestamps are reliable.
        """
        self._has_timestamps, self._stream = has_timestamps, stream
        self.codec = codec
        self.decodable = decodable(stream, codec)
        self.peaks = Peaks(codec) if not self.peaks.measuring else self.peaks
        self._placer = FramePlacer(self._folder.max_seconds - base / RATE_HZ)
        self._base, self._undecodable_until_s = base, 0.0
        self.samples = max(self.samples, base)

    def decode_packet(self, packet: Any, origin_s: float) -> None:
        """Decode the next packet of a container that starts at ``origin_s`` seconds.

        Raises Refused if the track is too long.
        """
        try:
            frames = packet.decode()
        except UNUSABLE:
            self._skip_undecodable(packet, origin_s)
            return
        for frame in frames:
            self._place_frame(frame, origin_s)

    def end_link(self) -> None:
        """End the stream: flush the decoder and write all buffered audio."""
        if self.decodable:
            # Fails if a final empty packet already flushed the decoder, as demuxers send.
            with suppress(av.error.FFmpegError, ValueError):
                for frame in self._stream.codec_context.decode(None):
                    self._place_frame(frame, None)
        self._write_frames(self._placer.finish())
        self._flush()
        self._silence_until(self._placer.track_time_s(self._undecodable_until_s))

    def close(self) -> None:
        """Pad all files to the track's length and close them. Raises Refused if that is too long."""
        for file in self.files:
            file.silence_until(self.samples)
            file.close()

    def _skip_undecodable(self, packet: Any, origin_s: float) -> None:
        """Account for an undecodable packet as silence: later packets carry their own times, and the end is padded."""
        if not packet.size:
            return
        silent = AMR_SILENT.get(self.codec, frozenset())
        self.damaged |= (bytes(packet)[0] >> 3) & 15 not in silent
        if self._has_timestamps and packet.pts is not None and packet.time_base:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base) - origin_s
            self._undecodable_until_s = max(self._undecodable_until_s, end)

    def _place_frame(self, frame: Any, origin_s: float | None) -> None:
        """Place and write the next frame; without an origin it follows the previous one."""
        if not frame.samples or not frame.sample_rate:
            return
        if not usable_rate(frame.sample_rate):
            # The stream states another one: its frame is broken, or made to become as long as possible.
            self.damaged = True
            return
        self.source_samples += frame.samples
        self.source_rate_hz = frame.sample_rate
        self.damaged |= bool(frame.is_corrupt)
        self.peaks.add(frame)
        has_time = self._has_timestamps and origin_s is not None and frame.time is not None
        time_s = frame.time - origin_s if has_time else None
        self._write_frames(self._placer.place(TimedFrame(frame, time_s, frame.samples / frame.sample_rate)))

    def _write_frames(self, placed: list[PlacedFrame]) -> None:
        for placed_frame in placed:
            if placed_frame.after_silence_s is not None:
                self._flush()
                self._silence_until(placed_frame.after_silence_s)
                self.gaps = True
            frame = (
                _trim_start(placed_frame.frame, placed_frame.dropped_s)
                if placed_frame.dropped_s
                else placed_frame.frame
            )
            try:
                for chunk in self._resampler(frame):
                    self._add_to_batch(chunk)
            except UNUSABLE:
                self._replace_with_silence(frame.samples / frame.sample_rate)

    def _replace_with_silence(self, seconds: float) -> None:
        """Replace frames that cannot be resampled by silence of their length."""
        self.damaged = True
        self._resampler = ChannelResampler()
        self._write_batch()
        self._end_mix()
        self.samples += round(seconds * RATE_HZ)

    def _flush(self) -> None:
        """Write all buffered audio and reset the resampler."""
        try:
            for chunk in self._resampler.flush():
                self._add_to_batch(chunk)
        except UNUSABLE:
            self._replace_with_silence(0)
        self._write_batch()
        self._end_mix()

    def _add_to_batch(self, chunk: NDArray[np.float32]) -> None:
        if self._batch and self._batch[0].shape[1] != chunk.shape[1]:
            self._write_batch()
            self._end_mix()
        self._batch.append(chunk)
        self._batch_samples += len(chunk)
        if self._batch_samples >= BATCH_SAMPLES:
            self._write_batch()

    def _write_batch(self) -> None:
        if not self._batch:
            return
        samples = np.concatenate(self._batch)
        self._batch, self._batch_samples = [], 0
        if self._gain != 1:
            # Before the mix: cancellation is judged by audible levels.
            with np.errstate(all="ignore"):
                samples = samples * np.float32(self._gain)
        if self._separate:
            self._write(samples.T)
            return
        self._downmix = self._downmix or Downmix(samples.shape[1])
        for mixed in self._downmix(samples):
            self._write(mixed[None])

    def _end_mix(self) -> None:
        if self._downmix is not None:
            for mixed in self._downmix.flush():
                self._write(mixed[None])
        self._downmix = None

    def _write(self, channels: NDArray[np.float32]) -> None:
        """Append samples, (channels, n)."""
        while len(self.files) < len(channels):
            self.files.append(self._folder.new_file(self._gain))
        for file, channel in zip(self.files, channels, strict=False):
            # A gap, and everything before a channel first appeared, is silence.
            file.silence_until(self.samples)
            file.write(np.ascontiguousarray(channel))
        self.samples += channels.shape[1]

    def _silence_until(self, time_s: float) -> None:
        self.samples = max(self.samples, self._base + round(time_s * RATE_HZ))


def _trim_start(frame: Any, seconds: float) -> Any:
    """Drop a frame's first seconds; return it whole if that is impossible."""
    channels, dropped_samples = frame.layout.nb_channels, round(seconds * frame.sample_rate)
    if not 0 < dropped_samples < frame.samples or (frame.format.is_planar and channels > MAX_PLANES):
        return frame
    samples = frame.to_ndarray()
    kept = samples[:, dropped_samples:] if frame.format.is_planar else samples[:, dropped_samples * channels :]
    trimmed: Any = av.AudioFrame.from_ndarray(np.ascontiguousarray(kept), format=frame.format.name, layout=frame.layout)
    trimmed.sample_rate = frame.sample_rate
    return trimmed
