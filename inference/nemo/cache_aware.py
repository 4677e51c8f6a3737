"""The encoder of a cache-aware FastConformer: each frame is encoded once, with caches for each session.

Source: Noroozi et al., "Stateful Conformer with Cache-based Inference for Streaming Automatic Speech Recognition",
ICASSP 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from inference.models import ModelUnfit

Caches = tuple[Any, Any, Any]
"""Attention (layers, 1, frames, width), convolutions (layers, 1, width, frames), and the number of frames in the first
(1)."""


class CacheAwareEncoder:
    """Encodes chunks of several sessions at once; the output equals that of the whole recording at once."""

    def __init__(self, model: Any, look_ahead: int | None, name: str) -> None:
        """
        Args:
            model: a NeMo recogniser in evaluation mode; its look-ahead is set here.
            look_ahead: frames in a chunk after its first, one of the trained values; None: the model's default.
            name: of the model, for messages.

        Raises:
            ModelUnfit: the encoder is not cache-aware, or was not trained with that look-ahead.
        """
        self._encoder = encoder = model.encoder
        _check_cache_aware(encoder, name)
        _set_look_ahead(encoder, look_ahead, name)
        encoder.setup_streaming_params()
        streaming = encoder.streaming_cfg
        self.first_features, self.features = (int(size) for size in streaming.chunk_size)
        """Features of 10 ms in a session's first chunk, and in each later one."""
        self.overlap = int(streaming.pre_encode_cache_size[1])
        """Features before a chunk that are passed again with it, except for the first chunk."""
        self._drop = int(streaming.drop_extra_pre_encoded)
        weights = next(encoder.parameters())
        self.device, self.dtype = weights.device, weights.dtype

    def __call__(
        self, features: Any, counts: Sequence[int], caches: Sequence[Caches | None]
    ) -> tuple[Any, Any, list[Caches]]:
        """Encode one chunk of each of n sessions.

        Args:
            features: shape (n, bands, features), with the overlap before each chunk but a first one.
            counts: features of each.
            caches: of each; None for first chunks; all or none are first.

        Returns:
            Frames, shape (n, width, frames), the number of frames of each (n), and the new caches.
        """
        known = [cache for cache in caches if cache is not None]
        before: Caches
        if known:
            attention, convolution, lengths = zip(*known, strict=True)
            before = torch.cat(attention, 1), torch.cat(convolution, 1), torch.cat(lengths, 0)
        else:
            before = self._encoder.get_initial_cache_state(len(caches), dtype=self.dtype, device=self.device)
        encoded, lengths, *after = self._encoder.cache_aware_stream_step(
            processed_signal=features.to(self.dtype),
            processed_signal_length=torch.tensor(counts, device=self.device),
            cache_last_channel=before[0],
            cache_last_time=before[1],
            cache_last_channel_len=before[2],
            keep_all_outputs=True,
            drop_extra_pre_encoded=self._drop if known else 0,
        )
        # Copies: a view would keep the memory of all sessions of this call.
        split_caches = [
            (after[0][:, n : n + 1].clone(), after[1][:, n : n + 1].clone(), after[2][n : n + 1].clone())
            for n in range(len(caches))
        ]
        return encoded, lengths, split_caches


def _check_cache_aware(encoder: Any, name: str) -> None:
    if getattr(encoder, "att_context_style", None) != "chunked_limited" or min(encoder.att_context_size) < 0:
        raise ModelUnfit(
            f"{name}: encoder.att_context_style is {getattr(encoder, 'att_context_style', None)!r}, with context "
            f"{list(getattr(encoder, 'att_context_size', []))}; a cache-aware encoder has 'chunked_limited' and "
            "bounded context; use it as a chunk recogniser"
        )
    sizes = encoder.pre_encode.get_sampling_frames(), encoder.pre_encode.get_streaming_cache_size()
    if not all(isinstance(size, list) for size in sizes):
        raise ModelUnfit(f"{name}: its subsampling does not support streaming; set causal_downsampling")


def _set_look_ahead(encoder: Any, look_ahead: int | None, name: str) -> None:
    if look_ahead is None:
        return
    trained = [list(context) for context in encoder.att_context_size_all]
    for context in trained:
        if context[1] == look_ahead:
            encoder.set_default_att_context_size(context)
            return
    known = ", ".join(str(context[1]) for context in trained)
    raise ModelUnfit(f"{name}: look_ahead: {look_ahead} frames; supported: {known}")
