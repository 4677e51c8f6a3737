"""Reasons why a model cannot be used."""


class ModelMissing(Exception):
    """A model's file is not where it should be; the message names it and the fix."""


class ModelCorrupt(Exception):
    """A model's file differs from the catalogue's, or cannot be parsed."""


class ModelUnfit(Exception):
    """A model is readable but cannot serve: wrong shape, rate or label; the message names it and the fix."""
