"""The inference server: models, sessions and batching. It has no database, users or meeting files."""

import os

# ONNX Runtime sends its maker what it runs, and keeps an id of the machine, unless it is told not to before its import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
