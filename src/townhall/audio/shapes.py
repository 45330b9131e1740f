"""The array types of this room, so that signatures can say what they take."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Int16: TypeAlias = NDArray[np.int16]
Int32: TypeAlias = NDArray[np.int32]
Int64: TypeAlias = NDArray[np.int64]
UInt8: TypeAlias = NDArray[np.uint8]
UInt32: TypeAlias = NDArray[np.uint32]
Float32: TypeAlias = NDArray[np.float32]
Float64: TypeAlias = NDArray[np.float64]
Bool: TypeAlias = NDArray[np.bool_]
Slots: TypeAlias = NDArray[np.integer]
"""Row numbers into a per-leg state array."""

SAMPLE_RATE = 8000
"""Hz of everything that G.711 legs exchange."""

TICK_SAMPLES = 160
"""Samples in the media process's 20 ms tick at 8 kHz."""
