"""Live streams that a whole inference server holds: bots over gRPC, each a meeting in real time.

The server has a Sortformer with random weights, of the published size or ``--small``. Without ``--words`` the bots name
a language that no recogniser knows: then there are speakers and no words, and the diarizer is what is measured.

    python -m benchmarks.gpu_server --device cuda --dtype bf16 --streams 300 600 --json server.json
    python -m benchmarks.gpu_server --device cpu --small --streams 4
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import grpc
import numpy as np
from grpc import aio
from meetra.inference.v2 import model_pb2, session_pb2, session_pb2_grpc
from numpy.typing import NDArray

from benchmarks.gpu_report import DTYPES, Report, describe
from benchmarks.gpu_trials import GpuWatch, growth, is_held
from benchmarks.recordings import RATE_HZ, sample_speech

START_TIMEOUT_S = 900
CHUNK_S = 0.2
# Bots of one process: more would measure the bots.
BOTS_PER_PROCESS = 100
# Lags of a meeting's beginning say little: caches are empty, and everything happens once.
WARM_UP_S = 5.0
BEGIN_AFTER_S = 1.0
NO_WORDS = "tlh"
# In which the engine takes audio.
BLOCK_S = 0.512
Lags = list[tuple[float, float]]
Pcm = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class ServerTrial:
    """A number of live streams, tried at a server."""

    streams: int
    p50_lag_s: float | None
    """From when a sample was sent to the event that says that its speakers are known."""
    p99_lag_s: float | None
    growth_s: float
    failed: int
    """Streams that the server refused or broke off."""
    gpu: float | None
    """Share of the time in which the GPU ran a kernel, as its driver says; None without one."""
    rows_per_call: float
    """Of the diarizer."""
    held: bool


def random_checkpoint(folder: Path, *, small: bool) -> Path:
    """Write a Sortformer as NeMo does; return the path. Needs NeMo."""
    from benchmarks.random_sortformer import PUBLISHED, SMALL, random_sortformer, spread_probabilities
    from inference.nemo import import_nemo

    import_nemo()
    model = random_sortformer(SMALL if small else PUBLISHED)
    spread_probabilities(model, centred=True)
    path = folder / "random.nemo"
    model.save_to(str(path))
    return path


@contextmanager
def inference_server(settings: dict[str, str], log: Path) -> Iterator[str]:
    """An inference server of our own; gives its address. Raises RuntimeError where it does not start."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    environment = {**os.environ, **settings, "MEETRA_INFERENCE_LISTEN": address}
    with log.open("w") as out:
        process = subprocess.Popen([sys.executable, "-m", "inference"], env=environment, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        with grpc.insecure_channel(address) as channel:
            ready = grpc.channel_ready_future(channel)
            while True:
                try:
                    ready.result(timeout=1)
                    break
                except grpc.FutureTimeoutError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError("the server did not start: " + log.read_text()[-2000:]) from None
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


async def _bot(address: str, pcm: Pcm, began: float, language: str) -> Lags:
    """One meeting; returns (when, lag) of each event that tells of more audio, seconds. Raises aio.AioRpcError."""
    step = round(CHUNK_S * RATE_HZ)

    async def requests() -> AsyncIterator[session_pb2.RunSessionRequest]:
        config = session_pb2.SessionConfig(sample_rate_hz=RATE_HZ, live=True, language=language)
        yield session_pb2.RunSessionRequest(config=config)
        for first in range(0, len(pcm), step):
            # A chunk can be sent once its last sample was spoken.
            await asyncio.sleep(max(0.0, began + (first + step) / RATE_HZ - time.monotonic()))
            chunk = session_pb2.AudioChunk(first_sample=first, pcm_s16le=pcm[first : first + step].tobytes())
            yield session_pb2.RunSessionRequest(audio=chunk)
        yield session_pb2.RunSessionRequest(finish=session_pb2.Finish())

    lags: Lags = []
    heard = 0
    async with aio.insecure_channel(address) as channel:
        stub = session_pb2_grpc.SessionServiceStub(channel)
        async for answer in stub.RunSession(requests()):
            told = answer.progress.heard_samples if answer.HasField("progress") else 0
            if told <= heard:
                continue
            heard, now = told, time.monotonic() - began
            # The end makes the rest known at once, but on time only where the server is.
            if told / RATE_HZ >= WARM_UP_S:
                lags.append((now, now - told / RATE_HZ))
    return lags


def _bots(meetings: list[Pcm], address: str, begin: float, language: str) -> list[Lags | str]:
    """Run several bots from the time of day ``begin`` on, each at its own moment; what each found, or why it failed."""

    async def run_all() -> list[Lags | BaseException]:
        rng = np.random.default_rng(len(meetings))
        begins = [time.monotonic() + begin - time.time() + float(rng.random()) for _ in meetings]
        bots = [_bot(address, pcm, began, language) for pcm, began in zip(meetings, begins, strict=True)]
        return await asyncio.gather(*bots, return_exceptions=True)

    return [_reason(found) if isinstance(found, BaseException) else found for found in asyncio.run(run_all())]


def _reason(error: BaseException) -> str:
    return f"{error.code().name}: {error.details()}" if isinstance(error, aio.AioRpcError) else repr(error)


def try_streams(address: str, count: int, seconds: float, bound_s: float, options: argparse.Namespace) -> ServerTrial:
    """Run so many bots for so long."""
    speech = sample_speech(seconds / 60)
    meetings = [np.roll(speech, -len(speech) * number // count) for number in range(count)]
    parts = [meetings[first : first + BOTS_PER_PROCESS] for first in range(0, count, BOTS_PER_PROCESS)]
    before, language = _diarizer_calls(address), "en" if options.words else NO_WORDS
    with multiprocessing.get_context("spawn").Pool(len(parts)) as pool:
        # Every process is there before the first bot begins.
        pool.map(time.sleep, [BEGIN_AFTER_S] * len(parts), chunksize=1)
        run = partial(_bots, address=address, begin=time.time() + BEGIN_AFTER_S, language=language)
        with GpuWatch(0) as gpu:
            found = [one for part in pool.map(run, parts, chunksize=1) for one in part]
    calls, works = (after - old for after, old in zip(_diarizer_calls(address), before, strict=True))
    lags = [lag for one in found if not isinstance(one, str) for lag in one]
    failures = [one for one in found if isinstance(one, str)]
    for reason in sorted(set(failures)):
        print(f"  {failures.count(reason)} failed: {reason}", flush=True)
    values = [lag for _, lag in lags]
    p99 = float(np.quantile(values, 0.99)) if values else None
    grown = growth(lags)
    return ServerTrial(
        streams=count,
        p50_lag_s=float(np.median(values)) if values else None,
        p99_lag_s=p99,
        growth_s=grown,
        failed=len(failures),
        gpu=gpu.mean,
        rows_per_call=works / max(1, calls),
        held=not failures and is_held(p99, grown, bound_s),
    )


def _diarizer_calls(address: str) -> tuple[int, int]:
    """Calls of the diarizer so far, and sessions' chunks in them."""
    with grpc.insecure_channel(address) as channel:
        found = session_pb2_grpc.SessionServiceStub(channel).GetStatistics(session_pb2.GetStatisticsRequest())
    for model in found.models:
        if model.task == model_pb2.TASK_DIARIZATION:
            return model.calls, model.works
    return 0, 0


def measure_server(options: argparse.Namespace, report: Report) -> None:
    """Try each number of streams at one server, and report them as ``server``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = random_checkpoint(folder, small=options.small)
        settings = {
            "MEETRA_INFERENCE_DIARIZER": str(checkpoint),
            "MEETRA_INFERENCE_LATENCY": options.latency,
            "MEETRA_INFERENCE_DEVICE": options.device,
            "MEETRA_INFERENCE_DTYPE": DTYPES[options.dtype],
            "MEETRA_INFERENCE_RESERVED_SHARE": "0",
            "MEETRA_INFERENCE_ORGANIZATION_SHARE": "1",
        }
        began = time.monotonic()
        with inference_server(settings, folder / "server.log") as address:
            print(
                f"server ready in {time.monotonic() - began:.0f} s\nstreams  p50 lag  p99 lag   growth   GPU  rows/call"
            )
            # A block, a bot's chunk and the model's latency pass before anything can be told.
            bound_s = options.bound + float(options.latency[:-1]) + BLOCK_S + CHUNK_S
            for count in options.streams:
                row = try_streams(address, count, options.seconds, bound_s, options)
                lag, gpu = row.p99_lag_s, row.gpu
                print(
                    f"{count:7} {row.p50_lag_s or 0:6.2f} s {lag or 0:6.2f} s {row.growth_s:6.2f} s "
                    f"{'   -' if gpu is None else f'{gpu:4.0%}'} {row.rows_per_call:10.1f} "
                    f"{'held' if row.held else 'late'}, bound {bound_s:.2f} s",
                    flush=True,
                )
                report.append("server", {**asdict(row), "bound_s": bound_s})


def main() -> None:
    """Measures, prints a table and writes ``--json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_server", description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--dtype", choices=tuple(DTYPES), default="fp32")
    parser.add_argument("--latency", default="1.04s")
    parser.add_argument("--streams", type=int, nargs="+", default=[4], help="numbers of live streams to try")
    parser.add_argument("--seconds", type=float, default=30, help="duration of each trial")
    parser.add_argument("--bound", type=float, default=1.0, help="largest p99 lag of the server's own, seconds")
    parser.add_argument("--words", action="store_true", help="recognise words too, by the default recogniser")
    parser.add_argument("--small", action="store_true", help="use a miniature Sortformer")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file, as they come")
    options = parser.parse_args()
    report = Report(options.json)
    report.add("circumstances", describe())
    report.add("options", {name: value for name, value in vars(options).items() if name != "json"})
    measure_server(options, report)


if __name__ == "__main__":
    main()
