"""What keeps a model from being used."""


class ModelMissing(Exception):
    """A model's file is not where it should be; the message names it and the fix."""


class ModelCorrupt(Exception):
    """A model's file is not the one the catalogue knows, or cannot be read as what it should be."""


class ModelUnfit(Exception):
    """A model is readable but cannot serve: a wrong shape, rate or label; the message names it and the fix."""
