"""Who spoke when, from probabilities of speech and speaker vectors: plain functions of arrays."""
