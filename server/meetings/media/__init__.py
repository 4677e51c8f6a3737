"""Untrusted media to 16 kHz PCM. Everything here runs in the decoder's child process, or on a user's own files."""
