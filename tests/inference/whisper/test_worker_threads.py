"""The processor time of threads that are not Python's."""

from __future__ import annotations

import contextlib
import sys
import threading
import time

import pytest

from inference.whisper.worker_threads import WorkerThreads


def work(ended: threading.Event) -> None:
    while not ended.is_set():
        sum(range(1000))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells the time of threads on Linux alone")
def test_only_threads_that_were_started_within_count() -> None:
    ended = threading.Event()
    outside = threading.Thread(target=work, args=(ended,))
    within = threading.Thread(target=work, args=(ended,))
    outside.start()
    try:
        with WorkerThreads.recording() as threads:
            within.start()
        before = threads.processor_s
        own = time.thread_time()
        while threads.processor_s - before < 0.05:
            time.sleep(0.01)
        assert time.thread_time() - own < 10, "it ended"
    finally:
        ended.set()
        outside.join()
        within.join()


def test_where_no_thread_is_known_calls_count() -> None:
    threads = WorkerThreads()
    assert threads.processor_s == 0
    with threads.call():
        time.sleep(0.02)
    assert threads.processor_s >= 0.02
    with contextlib.suppress(ValueError), threads.call():
        time.sleep(0.02)
        raise ValueError
    assert threads.processor_s >= 0.04, "a call that failed took its time as well"
