"""Models run by ONNX Runtime: those of installed packages, and any exported to a supported layout."""
