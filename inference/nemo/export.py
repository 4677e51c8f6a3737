"""``python -m inference.nemo.export``: exports a ``.nemo`` checkpoint to ONNX, and compares it with torch.

The files and their JSON description are specified in docs/engines-export.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from inference.models import ModelCorrupt, ModelMissing, ModelUnfit
from inference.nemo.onnx_export import TOLERANCE, ExportResult, ExportUnverified, Report

TASKS = {
    "speaker_vectors": ("EncDecSpeakerLabelModel",),
    "diarization": ("SortformerEncLabelModel",),
    "speech_recognition": ("EncDecRNNTBPEModel", "EncDecHybridRNNTCTCBPEModel", "EncDecCTCModelBPE"),
}
"""Tasks, and the classes of checkpoints exported for each."""
INPUTS = ("samples", "mel")

EXIT_FAILED = 1
EXIT_MISSING = 3
EXIT_UNFIT = 4
EXIT_UNVERIFIED = 5


def export(
    source: Path,
    destination: Path,
    *,
    task: str | None = None,
    input_kind: str = "samples",
    overwrite: bool = False,
    report: Report = lambda _: None,
) -> ExportResult:
    """Export a checkpoint into a folder.

    Args:
        source: the ``.nemo`` file.
        destination: created where missing. Files appear in it only once they are checked.
        task: of TASKS; None: that of the checkpoint.
        input_kind: of INPUTS: the input of a speaker encoder's graph. Other graphs take mel spectra.
        overwrite: whether to replace an existing export.
        report: called with lines on progress.

    Raises:
        ModelMissing: NeMo is not installed, or the file is missing.
        ModelCorrupt: the file is not a NeMo checkpoint, or not safe to load.
        ModelUnfit: the model cannot be exported or is for another task, or an export already exists.
        ExportUnverified: the graph's results differ from torch's; nothing was written.
    """
    from inference.nemo.checkpoint import load_checkpoint

    if task is not None and task not in TASKS:
        raise ModelUnfit(f"task: {task!r} is unknown; one of {', '.join(TASKS)}")
    if input_kind not in INPUTS:
        raise ModelUnfit(f"input: {input_kind!r} is unknown; one of {', '.join(INPUTS)}")
    if not overwrite:
        _check_free(source, destination)
    wanted = TASKS[task] if task else [name for names in TASKS.values() for name in names]
    report(f"reading {source.name}")
    model = load_checkpoint(source, wanted, device="cpu", dtype="float32")
    kind = type(model).__name__
    report(f"{kind}, {sum(parameter.numel() for parameter in model.parameters()) / 1e6:.1f} million parameters")
    if kind in TASKS["speaker_vectors"]:
        from inference.nemo.export_speaker_encoder import export_speaker_encoder

        return export_speaker_encoder(model, source, destination, input_kind, report)
    if kind in TASKS["diarization"]:
        from inference.nemo.export_sortformer import export_sortformer

        return export_sortformer(model, source, destination, report)
    from inference.nemo.export_recogniser import export_recogniser

    return export_recogniser(model, source, destination, report)


def _check_free(source: Path, destination: Path) -> None:
    """Check, before minutes of work, that no existing file would be replaced. Raises ModelUnfit."""
    for name in (f"{source.stem}.onnx", f"{source.stem}.json", "model.onnx", "encoder-model.onnx", "config.json"):
        if (destination / name).exists():
            raise ModelUnfit(f"{destination / name} already exists; choose another folder, or give --overwrite")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.nemo.export",
        description="Export a NeMo checkpoint to ONNX and verify that its output equals torch's.",
        epilog=f"Exit codes: 0 success; {EXIT_FAILED} cannot write files; 2 wrong usage; {EXIT_MISSING} NeMo or the "
        f"file is missing; {EXIT_UNFIT} the checkpoint is corrupt or not supported; {EXIT_UNVERIFIED} the "
        "graph's output differs from torch's; nothing was written.",
    )
    parser.add_argument("source", type=Path, metavar="SOURCE.nemo", help="the checkpoint")
    parser.add_argument("destination", type=Path, metavar="DESTINATION", help="output folder")
    parser.add_argument("--task", choices=TASKS, help="task of the checkpoint; another one is refused")
    parser.add_argument(
        "--input",
        choices=INPUTS,
        default="samples",
        help="input of a speaker encoder's graph: samples (default), or mel spectra that the caller computes",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing export")
    options = parser.parse_args(arguments)
    try:
        result = export(
            options.source,
            options.destination,
            task=options.task,
            input_kind=options.input,
            overwrite=options.overwrite,
            report=lambda line: print(line, flush=True),
        )
    except ModelMissing as error:
        return _failed(error, EXIT_MISSING)
    except (ModelCorrupt, ModelUnfit) as error:
        return _failed(error, EXIT_UNFIT)
    except ExportUnverified as error:
        return _failed(error, EXIT_UNVERIFIED)
    except OSError as error:
        return _failed(Exception(f"{options.destination}: {error.strerror or error}"), EXIT_FAILED)
    for file in result.files:
        print(f"wrote {file} ({file.stat().st_size} bytes)")
    print(f"largest difference from torch {result.max_difference:.1e}, at most {TOLERANCE:.0e} is allowed", flush=True)
    return 0


def _failed(error: Exception, code: int) -> int:
    print(f"error: {error}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
