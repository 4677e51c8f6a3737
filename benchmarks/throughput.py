"""How fast a recording is analysed, what each model takes of it, and how much of the engine's work is models.

    python -m benchmarks.throughput [--minutes 10] [--recordings N] [--json FILE]

Uploads recordings to a whole system, one after another, and asks the engine what its models did. ``rtf`` is the time
from the accepted upload to the finished meeting over the length of the recording; ``kernel_share`` is the share of
the processor time of the inference server that is spent inside of model calls: ONNX Runtime's, and CTranslate2's on
threads of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from grpc import aio
from meetra.inference.v2 import session_pb2, session_pb2_grpc

from benchmarks.recordings import RATE_HZ, dialogues, temporary_folder, write_flac
from benchmarks.running_system import RunningSystem, circumstances, running_system
from meetra_client import MeetraClient
from server.engine.model_labels import TASK_NAMES

Statistics = dict[str, session_pb2.ModelStatistics]


def processor_s(pid: int) -> float:
    """Processor time of a process and all of its children so far, those that have ended included, seconds."""
    root, total_s = psutil.Process(pid), 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            spent = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total_s += spent.user + spent.system + getattr(spent, "children_user", 0) + getattr(spent, "children_system", 0)
    return total_s


async def statistics(system: RunningSystem) -> Statistics:
    """What the models of the system's engine have done, by task."""
    address = psutil.Process(system.pid("api")).environ()["MEETRA_INFERENCE_ADDRESS"]
    async with aio.insecure_channel(address) as channel:
        response = await session_pb2_grpc.SessionServiceStub(channel).GetStatistics(session_pb2.GetStatisticsRequest())
    return {TASK_NAMES[model.task]: model for model in response.models}


async def analyse(client: MeetraClient, path: Path) -> float:
    """Uploads a recording; seconds from its acceptance to the finished meeting. Raises MeetingFailed."""
    receipt = await client.upload(path, name=path.name)
    began = time.monotonic()
    await client.wait(receipt.file_hash)
    return time.monotonic() - began


def _stage(before: session_pb2.ModelStatistics, after: session_pb2.ModelStatistics, audio_s: float) -> dict[str, float]:
    """What one model took between two looks."""
    calls, works = max(1, after.calls - before.calls), max(1, after.works - before.works)
    return {
        "processor_s_per_s": round((after.processor_us - before.processor_us) / 1e6 / audio_s, 5),
        "mean_batch": round(works / calls, 2),
        "mean_wait_ms": round((after.waited_us - before.waited_us) / 1000 / works, 1),
    }


async def measure(minutes: float, recordings: int, folder: Path) -> dict[str, Any]:
    """The figures of one system."""
    seconds = minutes * 60
    with running_system() as system:
        async with system.client() as client:
            # What happens once, at the first recording, is no cost of a minute.
            await analyse(client, write_flac(dialogues(0.5), folder / "warm-up.flac"))
            before, spent_before = await statistics(system), processor_s(system.pid("inference"))
            durations_s = []
            for index in range(recordings):
                pcm = dialogues(minutes + index / 60)[-int(seconds * RATE_HZ) :]
                durations_s.append(await analyse(client, write_flac(pcm, folder / f"{index}.flac")))
            after, spent_after = await statistics(system), processor_s(system.pid("inference"))
    audio_s = seconds * recordings
    stages = {task: _stage(before[task], after[task], audio_s) for task in after}
    spent = (spent_after - spent_before) / audio_s
    in_models = sum(stage["processor_s_per_s"] for stage in stages.values())
    return {
        "rtf": round(sum(durations_s) / audio_s, 4),
        "kernel_share": round(in_models / spent, 4),
        "inference_processor_s_per_s": round(spent, 5),
        "stages": stages,
        "minutes": minutes,
        "recordings": recordings,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="length of each recording, minutes")
    parser.add_argument("--recordings", type=int, default=1, help="number of recordings, processed sequentially")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    with temporary_folder() as folder:
        figures = asyncio.run(measure(options.minutes, options.recordings, folder))
    print(f"{'':<22}{'processor s/s':>14}{'items per call':>15}{'ms in the queue':>17}")
    for task, stage in figures["stages"].items():
        print(
            f"{task:<22}{stage['processor_s_per_s']:>14.5f}{stage['mean_batch']:>15.2f}{stage['mean_wait_ms']:>17.1f}"
        )
    print(f"{'inference, in all':<22}{figures['inference_processor_s_per_s']:>14.5f}")
    print(f"rtf {figures['rtf']}, inside of model calls {figures['kernel_share']:.1%}")
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
