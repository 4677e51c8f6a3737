"""Audio as models receive it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StreamInput:
    """The next audio of one session, for a model with state."""

    samples: Samples
    """Shape (n,)."""
    state: Any
    """Returned by the session's previous call, or the model's ``initial_state()``."""
    last: bool = False
    """No more audio of the session follows."""
