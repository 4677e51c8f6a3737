"""The life of a meeting: received, queued, analysed, ready or failed; the audio log and the jobs."""
