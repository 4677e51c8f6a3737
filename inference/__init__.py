"""The inference server: models, sessions and batching. No database, no user, no file of a meeting."""
