"""What runs in a recogniser process: one decoder, loaded once, one utterance at a time."""

from __future__ import annotations

import os
import re
import threading
import time
from typing import Any

from pocketsphinx import Config, Decoder, set_loglevel

FRAME_S = 0.01
# "read(2)" is another pronunciation of "read".
_VARIANT = re.compile(r"\(\d+\)$")

# One decoder a process; a process serves one call at a time.
_decoder: Any = None


def start(parent: int, started: Any, processes: int) -> None:
    """Loads the decoder; the process ends itself when ``parent`` is gone.

    ``started``: a shared counter of the processes begun so far, of ``processes`` in all.
    """
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with started.get_lock():
        place, started.value = started.value, started.value + 1
    _stay(place, processes)
    load()


def _stay(place: int, processes: int) -> None:
    """Keeps this process on one processor where each has one of its own.

    A decoder that is moved about loses its caches: with 13 live meetings on two processors it needs 5 % more time.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    processors = sorted(os.sched_getaffinity(0))
    if processes == len(processors):
        os.sched_setaffinity(0, {processors[place % processes]})


def load() -> None:
    """Loads the decoder of this process."""
    global _decoder
    set_loglevel("FATAL")
    _decoder = Decoder(Config(samprate=16000, loglevel="FATAL", cmn="batch"))


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def recognise(pcm: bytes) -> list[tuple[str, float, float, float]]:
    """(word, start s, end s, confidence 0..1) of one utterance given as s16le at 16 kHz."""
    # A fresh front end and normalisation over the whole utterance: its words never depend on
    # what this process decoded before.
    _decoder.reinit_feat()
    _decoder.start_utt()
    _decoder.process_raw(pcm, no_search=False, full_utt=True)
    _decoder.end_utt()
    if _decoder.hyp() is None:
        return []
    words = []
    for segment in _decoder.seg():
        if segment.word.startswith(("<", "[", "+")):
            continue
        confidence = min(1.0, max(0.0, float(segment.prob)))
        text = _VARIANT.sub("", segment.word)
        words.append((text, segment.start_frame * FRAME_S, (segment.end_frame + 1) * FRAME_S, confidence))
    return words


def timed(pcm: bytes) -> tuple[list[tuple[str, float, float, float]], float]:
    """The words of one utterance, and the processor time they took, seconds."""
    began = time.thread_time()
    words = recognise(pcm)
    return words, time.thread_time() - began
