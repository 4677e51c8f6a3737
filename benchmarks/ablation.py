"""What each step of the default diarization is worth, and the plain methods beside it, on the same vectors.

    python -m benchmarks.ablation [--speaker-encoder NAME] [--json FILE]

DER in percent without a collar (overlap scored, whole file), the mean of each set. ``real`` and ``synthetic``
are the clips themselves; ``cuts``, ``joins``, ``noise`` and ``levels`` are the real ones spoilt in known
ways; ``spliced 0`` and ``spliced 1`` are dialogues made on the fly, of readers that the two do not share;
``long`` are two of 8 minutes. With another speaker encoder the plain methods are left out: their thresholds are for
the default one.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from benchmarks.diarization_baselines import BASELINES, spectral_alone
from benchmarks.diarization_data import Case, concatenated, excerpt, long_meeting, louder, noisy, recorded, spliced
from benchmarks.diarization_runs import Method, Recordings, Scores, SegmentationUse, mean_scores
from benchmarks.recordings import EVAL
from benchmarks.running_system import circumstances
from benchmarks.scorers import ensure_scorers
from inference.catalogue import SPEAKER_VECTORS
from inference.config import InferenceSettings
from inference.diarization import SpeechRule
from inference.models import SpeakerEncoder
from inference.selection import DEFAULT, ModelLoader, choose_models

DETECTOR_DEFAULTS = SpeechRule(start_probability=0.5, end_probability=0.35, lead_s=0.05, tail_s=0.05)
EAGER = SpeechRule(start_probability=0.3, end_probability=0.15, lead_s=0.05, tail_s=0.05)
# Joined clips of other speakers, but for EN2002a, of which there are two.
JOINS = (("dev00", "trn06"), ("trn00", "trn04"), ("tst00", "farfield"), ("trn06", "trn00"), ("trn04", "dev00"))
CUTS_S = ((3.3, 30.0), (0.0, 22.0), (8.0, 30.0))

NO_SEGMENTATION = SegmentationUse.NONE
STEPS: dict[str, Method] = {
    "spectral clusters, detector's own thresholds": Method(DETECTOR_DEFAULTS, spectral_alone, 1.0, NO_SEGMENTATION),
    "+ eager thresholds (0.3 / 0.15)": Method(EAGER, spectral_alone, 1.0, NO_SEGMENTATION),
    "+ sure begin, faint end, lead (0.5 / 0.1)": Method(
        cluster=spectral_alone, change_penalty=1.0, segmentation=NO_SEGMENTATION
    ),
    "+ cheaper changes of speaker": Method(cluster=spectral_alone, segmentation=NO_SEGMENTATION),
    "+ mixture of voices on several guesses": Method(segmentation=NO_SEGMENTATION),
    "+ voices of windows: who speaks beside": Method(segmentation=SegmentationUse.OVERLAP, rare_voices=False),
    "+ speech the detector did not find": Method(rare_voices=False),
    "+ voices too seldom for clusters = default": Method(),
}


def data_sets() -> dict[str, list[Case]]:
    """Cases by the name of their set; empty ones left out."""
    real = recorded(EVAL / "ami")
    talking = [case for case in real if len({i.speaker for i in case.truth}) > 1]
    by_name = {case.name: case for case in real}
    sets = {
        "real": real,
        "synthetic": recorded(EVAL / "synthetic"),
        "cuts": [excerpt(case, *cut) for case in talking for cut in CUTS_S],
        "joins": [concatenated([by_name[name] for name in names]) for names in JOINS if set(names) <= set(by_name)],
        "noise": [noisy(case, 15) for case in talking],
        "levels": [louder(case, db) for case in talking for db in (-12.0, 12.0)],
        "spliced 0": spliced(0),
        "spliced 1": spliced(1),
        "long": [*long_meeting(0), *long_meeting(1)],
    }
    return {name: cases for name, cases in sets.items() if cases}


def speaker_encoder(name: str) -> SpeakerEncoder:
    """A speaker encoder as the setting of the inference server names it."""
    settings = InferenceSettings(speaker_encoder=name, device="cpu")
    model = choose_models(settings)[SPEAKER_VECTORS].model
    assert model is not None
    return ModelLoader.from_settings(settings).speaker_encoder(model)


def measure(encoder: str) -> dict[str, dict[str, Scores]]:
    """Mean scores by method and set."""
    loaded = speaker_encoder(encoder)
    recordings = {name: Recordings(cases, loaded) for name, cases in data_sets().items()}
    print(f"{'':<50}" + "".join(f"{name:>11}" for name in recordings))
    found: dict[str, dict[str, Scores]] = {}
    methods = STEPS | BASELINES if encoder == DEFAULT else STEPS
    for name, method in methods.items():
        found[name] = {of: mean_scores(some.scores(method)) for of, some in recordings.items()}
        print(f"{name:<50}" + "".join(f"{scores.der:>11.2f}" for scores in found[name].values()), flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument(
        "--speaker-encoder", default=DEFAULT, metavar="NAME", help="as MEETRA_INFERENCE_SPEAKER_ENCODER"
    )
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    if not EVAL.is_dir():
        print(f"no evaluation data in {EVAL}", file=sys.stderr)
        return 2
    ensure_scorers()
    found = measure(options.speaker_encoder)
    if options.json:
        methods = {
            name: {of: dataclasses.asdict(scores) for of, scores in by_set.items()} for name, by_set in found.items()
        }
        options.json.write_text(json.dumps({"methods": methods, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
