"""Measurements of the whole product; nothing here is a test. Each takes ``--json FILE``."""
