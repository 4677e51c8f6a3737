"""The metrics of several processes as one text: each series says whose it is.

Prometheus's text format is merged as text. The parser of ``prometheus_client`` would give Envoy's counters other names:
it knows only counters that end in ``_total``, and Envoy has some that would then be taken for each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LABEL = "process"
# The name, the labels, and the value with the time if there is one.
_SAMPLE = re.compile(
    r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?( +[-+]?(?:[0-9][0-9.eE+-]*|\.[0-9]+|Inf|NaN)(?: +-?[0-9]+)?) *"
)
_COMMENT = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*)( |$)")


def merge(texts: Mapping[str, str]) -> str:
    """Return the metrics of all processes in Prometheus's text format.

    Each series gets the label ``process``. What is said of a metric is taken from the first process that has it, and
    all series of a metric stand together, as the format requires. Lines that are none of the format are left out.

    Args:
        texts: of each process by its name, in the text format.
    """
    families: dict[str, _Family] = {}
    for process, text in texts.items():
        family: _Family | None = None
        for line in text.splitlines():
            comment = _COMMENT.match(line)
            if comment is not None:
                family = families.setdefault(comment[2], _Family())
                family.comments.setdefault(comment[1], line)
            elif (sample := _SAMPLE.fullmatch(line)) is not None:
                name, labels, rest = sample.groups()
                if family is None or not _belongs(name, family):
                    family = families.setdefault(name, _Family())
                labels = f"{LABEL}={_quoted(process)}{',' if labels else ''}{labels or ''}"
                family.samples.append(f"{name}{{{labels}}}{rest}")
    lines = [
        line
        for family in families.values()
        if family.samples
        for line in (*(family.comments[kind] for kind in ("HELP", "TYPE") if kind in family.comments), *family.samples)
    ]
    return "\n".join(lines) + "\n" if lines else ""


class _Family:
    def __init__(self) -> None:
        self.comments: dict[str, str] = {}
        self.samples: list[str] = []

    @property
    def name(self) -> str:
        """The metric's name; empty while nothing is said of it."""
        return next((line.split(" ", 3)[2] for line in self.comments.values()), "")


def _belongs(sample: str, family: _Family) -> bool:
    """Return whether a sample's name is that of the metric, or one of its parts (``_bucket``, ``_sum``, ``_count``)."""
    return bool(family.name) and (sample == family.name or sample.startswith(f"{family.name}_"))


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
