"""The documents of the repository as a site: ``make docs``.

The documents stay where they are, readable on a forge. They are copied, with their links turned into links between
pages, beside pages that are generated from the protos, and Zensical makes HTML of all of them. The site requests
nothing from other hosts.
"""
