"""Packages that not every installation has: what a test that is skipped without them says."""

WITHOUT_NEMO = "NeMo is not installed: `make test NEMO=1` installs it (2 GB) and runs this too"
