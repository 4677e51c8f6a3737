"""What a user adds to the catalogue."""

ENTRY = """
[[model]]
name = "mine"
task = "emotions"
repository = "someone/mine"
licence = "MIT"
commercial_use = true
format = "onnx"
backend = "onnx"
files = [{ path = "model.onnx" }, { path = "words/list.txt" }]

[[model]]
name = "idle"
task = "emotions"
repository = "someone/idle"
licence = "CC-BY-NC-4.0"
commercial_use = false
format = "onnx"
files = [{ path = "model.onnx" }]
"""
