"""Models run by ONNX Runtime: those of installed packages, and any that is exported to a layout known here."""
