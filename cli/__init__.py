"""The ``meetra`` command: run the system, analyse recordings, stream meetings, manage users."""
