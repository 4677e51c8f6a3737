"""The inference server: models, sessions and batching. It has no database, users or meeting files."""
