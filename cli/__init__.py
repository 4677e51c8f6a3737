"""The ``meetra`` command: start everything, analyse a recording, manage users."""
