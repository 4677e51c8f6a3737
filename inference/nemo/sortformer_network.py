"""The network of a Sortformer for many sessions at once: weights in the format it computes in, fused attention."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention


class FusedAttention(torch.nn.Module):  # type: ignore[misc]
    """Attention of NeMo's Transformer layer with its weights, computed by PyTorch's fused kernels."""

    def __init__(self, attention: Any) -> None:
        """``attention``: NeMo's ``MultiHeadAttention``, whose weights are taken over."""
        super().__init__()
        self.query_net, self.key_net, self.value_net = attention.query_net, attention.key_net, attention.value_net
        self.out_projection = attention.out_projection
        self._heads = int(attention.num_attention_heads)

    def forward(self, queries: Any, keys: Any, values: Any, attention_mask: Any) -> tuple[Any, dict[str, Any]]:
        """Return the output, shape (rows, frames, width), and nothing else, where NeMo returns its scores.

        Args:
            queries, keys, values: shape (rows, frames, width).
            attention_mask: added to the scores, shape (rows, 1, 1 or frames, frames), or None.
        """
        query, key, value = (
            net(given).unflatten(-1, (self._heads, -1)).transpose(1, 2)
            for net, given in ((self.query_net, queries), (self.key_net, keys), (self.value_net, values))
        )
        mask = None if attention_mask is None else attention_mask.to(query.dtype)
        context = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out_projection(context.transpose(1, 2).flatten(2)), {}


class SortformerNetwork:
    """Embeds spectra and computes probabilities of speakers; inputs and outputs are float32."""

    def __init__(self, model: Any, dtype: Any) -> None:
        """Prepare a ``SortformerEncLabelModel``, which is changed: this keeps no second copy of its weights.

        Args:
            model: in evaluation mode, float32.
            dtype: ``torch.dtype`` of weights and computation.
        """
        self._model, self._dtype = model, dtype
        # The two small layers that end in probabilities stay float32: 16 bits would round what decisions hang on.
        for part in (model.encoder, model.transformer_encoder, model.sortformer_modules.encoder_proj):
            if part is not None:
                part.to(dtype)
        for layer in model.encoder.layers:
            layer.self_attn.use_pytorch_sdpa = True
        for layer in model.transformer_encoder.layers:
            if not isinstance(layer.first_sub_layer, FusedAttention):
                layer.first_sub_layer = FusedAttention(layer.first_sub_layer)

    @property
    def layers(self) -> list[Any]:
        """The layers that take nearly all of the time, in their order."""
        return [*self._model.encoder.layers, *self._model.transformer_encoder.layers]

    def embed(self, features: Any, counts: Any) -> Any:
        """Return frames of 80 ms, float32, shape (rows, frames, d).

        Args:
            features: log-mel spectra, float32, shape (rows, features, bands), zeros after a row's own.
            counts: features of each row, int64, shape (rows,).
        """
        embedded, _ = self._model.encoder.pre_encode(x=features.to(self._dtype), lengths=counts)
        return embedded.float()

    def probabilities(self, frames: Any, lengths: Any) -> Any:
        """Return probabilities that speakers speak, float32, shape (rows, frames, speakers), 0 after a row's end.

        Args:
            frames: embedded frames, float32, shape (rows, frames, d); zeros after a row's own.
            lengths: frames of each row, int64, shape (rows,); a row of length 0 is padding.
        """
        model = self._model
        encoded, lengths = model.frontend_encoder(
            processed_signal=frames.to(self._dtype), processed_signal_length=lengths, bypass_pre_encode=True
        )
        mask = model.sortformer_modules.length_to_mask(lengths, encoded.shape[1])
        hidden = model.transformer_encoder(encoder_states=encoded, encoder_mask=mask)
        return model.sortformer_modules.forward_speaker_sigmoids(hidden.float()) * mask.unsqueeze(-1)
