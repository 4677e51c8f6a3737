"""A miniature Sortformer that has learned something: made voices, each of its own pitch, within a minute of training.

Random weights leave many probabilities near 0.5, where rounding decides. Training leaves few, as it does with people's
voices: what 16 bits change in decisions can be said only of a trained model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.random_sortformer import SMALL, random_sortformer
from inference.models import SAMPLE_RATE_HZ
from inference.sortformer import FRAME_SAMPLES

SPEAKERS = 4
PITCHES_HZ = (110.0, 180.0, 290.0, 460.0)
STEPS, BATCH, CLIP_S = 160, 6, 6.0
# Clips that training goes through again and again: making one takes longer than learning from it.
CLIPS = 48
LEARNING_RATE = 4e-3


def conversation(seconds: float, seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A made conversation with pauses and overlaps: samples, and who speaks in each frame, shape (frames, speakers)."""
    rng = np.random.default_rng(seed)
    frames = int(seconds * SAMPLE_RATE_HZ) // FRAME_SAMPLES
    speaks = np.zeros((frames, SPEAKERS), np.bool_)
    at = 0
    while at < frames:
        speaker, length = int(rng.integers(SPEAKERS)), int(rng.integers(6, 30))
        speaks[at : at + length, speaker] = True
        # The next one begins after a pause, or before this one's end.
        at += max(4, length + int(rng.integers(-5, 9)))
    times_s = np.arange(frames * FRAME_SAMPLES) / SAMPLE_RATE_HZ
    sound = 0.003 * rng.standard_normal(len(times_s))
    for number, pitch_hz in enumerate(PITCHES_HZ):
        loud = np.repeat(speaks[:, number], FRAME_SAMPLES) * rng.uniform(0.05, 0.15)
        drift = pitch_hz * (1 + 0.03 * np.sin(2 * np.pi * rng.uniform(0.5, 3) * times_s + rng.uniform(0, 6)))
        phase = 2 * np.pi * np.cumsum(drift) / SAMPLE_RATE_HZ
        sound += loud * sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 7))
    return np.asarray(sound, np.float32), speaks


def with_weights_of(model: Any) -> Any:
    """A model of the size SMALL with the weights of another, in evaluation mode, on its device."""
    copy = random_sortformer(SMALL, SPEAKERS)
    copy.load_state_dict(model.state_dict())
    return copy.to(next(model.parameters()).device)


def trained_sortformer(steps: int = STEPS) -> tuple[Any, float]:
    """Train a model of the size SMALL; return it in evaluation mode, and its last loss. Needs NeMo."""
    import torch

    model = random_sortformer(SMALL, SPEAKERS)
    model.requires_grad_(True).train()
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    optimiser = torch.optim.AdamW(model.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    loss = torch.zeros(())
    made = [conversation(CLIP_S, seed=1_000_000 + number) for number in range(CLIPS)]
    for step in range(steps):
        clips = [made[(step * BATCH + number) % CLIPS] for number in range(BATCH)]
        sounds = torch.from_numpy(np.stack([sound for sound, _ in clips]))
        wanted = torch.from_numpy(np.stack([speaks for _, speaks in clips])).float()
        with torch.no_grad():
            features, lengths = model.process_signal(sounds, torch.full((BATCH,), sounds.shape[1]))
        told = model.forward_infer(*model.frontend_encoder(features, lengths))[:, : wanted.shape[1]]
        loss = torch.nn.functional.binary_cross_entropy(told.clamp(1e-6, 1 - 1e-6), wanted)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return model.eval().requires_grad_(False), float(loss.detach())
