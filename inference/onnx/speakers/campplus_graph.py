"""CAM++ as an ONNX graph, built from the weights of a 3D-Speaker checkpoint.

Source: Wang, Zheng, Chen, Cheng, Chen, "CAM++: A Fast and Efficient Network for Speaker Verification Using
Context-Aware Masking", Interspeech 2023. A small residual network over time and frequency, then three blocks of densely
connected time-delay layers, each masked by its mean over time, then mean and deviation over time.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from inference.onnx.runtime import GraphBuilder, Tensors, Weights, graph_bytes

BANDS, DIMENSION = 80, 192
# Number of layers and dilation of each block.
BLOCKS = ((12, 1), (24, 2), (16, 2))
# Masks use the mean over all frames and the means over chunks of 2 s: up to this length, all that the graph accepts,
# the two are equal.
MAX_FRAMES = 200
_EPSILON = 1e-5


class _Graph(GraphBuilder):
    """The layers of CAM++."""

    def normalised(self, x: str, name: str) -> str:
        """Add batch normalisation with the statistics of training."""
        mean = np.asarray(self.weights[f"{name}.running_mean"], np.float32)
        parts = {"weight": np.ones_like(mean), "bias": np.zeros_like(mean)}
        for part, neutral in parts.items():
            self.constant(f"{name}.{part}", np.asarray(self.weights.get(f"{name}.{part}", neutral), np.float32))
        names = [f"{name}.{part}" for part in parts]
        names += [self.weight(f"{name}.{part}") for part in ("running_mean", "running_var")]
        return self.add("BatchNormalization", x, *names, epsilon=_EPSILON)

    def active(self, x: str, name: str) -> str:
        """Add batch normalisation and ReLU."""
        return self.add("Relu", self.normalised(x, name))

    def residual(self, x: str, name: str, stride: int) -> str:
        """Add two 3 x 3 convolutions with a shortcut; ``stride`` applies to frequency only."""
        y = self.convolved(x, f"{name}.conv1", pads=[1, 1, 1, 1], strides=[stride, 1])
        y = self.convolved(self.active(y, f"{name}.bn1"), f"{name}.conv2", pads=[1, 1, 1, 1])
        y = self.normalised(y, f"{name}.bn2")
        if f"{name}.shortcut.0.weight" in self.weights:
            x = self.normalised(self.convolved(x, f"{name}.shortcut.0", strides=[stride, 1]), f"{name}.shortcut.1")
        return self.add("Relu", self.add("Add", y, x))

    def dense_layer(self, x: str, name: str, dilation: int) -> str:
        """Add a time-delay layer, masked by its context; its output extends the block's channels."""
        x = self.convolved(self.active(x, f"{name}.nonlinear1.batchnorm"), f"{name}.linear1")
        x = self.active(x, f"{name}.nonlinear2.batchnorm")
        local = self.convolved(
            x, f"{name}.cam_layer.linear_local", pads=[dilation, dilation], dilations=[dilation], strides=[1]
        )
        mean = self.add("ReduceMean", x, "over_time", keepdims=1)
        context = self.add("Add", mean, mean)
        mask = self.add("Relu", self.convolved(context, f"{name}.cam_layer.linear1"))
        mask = self.add("Sigmoid", self.convolved(mask, f"{name}.cam_layer.linear2"))
        return self.add("Mul", local, mask)


def build_graph(weights: Weights) -> bytes:
    """Build a serialized ONNX model: ``spectra`` (n, frames, 80), frames <= 200 -> ``vectors`` (n, 192), unit length.

    Raises:
        KeyError: the checkpoint is not of this network.
    """
    graph = _Graph(weights)
    graph.constant("over_time", np.array([-1], np.int64))
    x = graph.add("Transpose", "spectra", perm=[0, 2, 1])
    x = graph.add("Unsqueeze", x, graph.constant("channel", np.array([1], np.int64)))
    x = graph.active(graph.convolved(x, "head.conv1", pads=[1, 1, 1, 1]), "head.bn1")
    for layer in ("head.layer1", "head.layer2"):
        x = graph.residual(x, f"{layer}.0", stride=2)
        x = graph.residual(x, f"{layer}.1", stride=1)
    x = graph.active(graph.convolved(x, "head.conv2", pads=[1, 1, 1, 1], strides=[2, 1]), "head.bn2")
    channels = int(np.asarray(weights["xvector.tdnn.linear.weight"]).shape[1])
    x = graph.add("Reshape", x, graph.constant("flat", np.array([0, channels, -1], np.int64)))
    x = graph.convolved(x, "xvector.tdnn.linear", pads=[2, 2], strides=[2])
    x = graph.active(x, "xvector.tdnn.nonlinear.batchnorm")
    for block, (layers, dilation) in enumerate(BLOCKS, start=1):
        for number in range(1, layers + 1):
            added = graph.dense_layer(x, f"xvector.block{block}.tdnnd{number}", dilation)
            x = graph.add("Concat", x, added, axis=1)
        x = graph.convolved(
            graph.active(x, f"xvector.transit{block}.nonlinear.batchnorm"), f"xvector.transit{block}.linear"
        )
    x = graph.active(x, "xvector.out_nonlinear.batchnorm")
    x = _statistics(graph, x)
    x = graph.normalised(graph.convolved(x, "xvector.dense.linear"), "xvector.dense.nonlinear.batchnorm")
    x = graph.add("Squeeze", x, "over_time")
    norm = graph.add("ReduceL2", x, "over_time", keepdims=1)
    length = graph.add("Max", norm, graph.constant("tiny", np.array(1e-9, np.float32)))
    graph.add("Div", x, length, output="vectors")
    inputs: Tensors = {"spectra": (TensorProto.FLOAT, ["n", "frames", BANDS])}
    outputs: Tensors = {"vectors": (TensorProto.FLOAT, ["n", DIMENSION])}
    return graph_bytes("campplus", graph.nodes, inputs, outputs, graph.constants)


def _statistics(graph: _Graph, x: str) -> str:
    """Concatenate mean and deviation (n - 1 in its denominator) over time."""
    mean = graph.add("ReduceMean", x, "over_time", keepdims=1)
    offset = graph.add("Sub", x, mean)
    squares = graph.add("ReduceSum", graph.add("Mul", offset, offset), "over_time", keepdims=1)
    frames = graph.add("Cast", graph.add("Shape", x, start=2), to=TensorProto.FLOAT)
    freedom = graph.add("Sub", frames, graph.constant("one", np.array(1, np.float32)))
    deviation = graph.add("Sqrt", graph.add("Div", squares, freedom))
    return graph.add("Concat", mean, deviation, axis=1)
