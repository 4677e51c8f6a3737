"""Models of text: sentence embeddings, sentiment and emotions."""

from inference.onnx.text.minilm_encoder import MiniLmEncoder
from inference.onnx.text.sentence_encoder import OnnxSentenceEncoder
from inference.onnx.text.text_classifier import OnnxEmotions, OnnxSentiment
from inference.onnx.text.text_files import MAX_TOKENIZER_BYTES

__all__ = [
    "MAX_TOKENIZER_BYTES",
    "MiniLmEncoder",
    "OnnxEmotions",
    "OnnxSentenceEncoder",
    "OnnxSentiment",
]
