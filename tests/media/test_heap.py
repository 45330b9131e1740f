"""What the C library keeps."""

import resource
import subprocess
import sys

from townhall.media.heap import keep_freed_memory

_PROGRAM = """
import resource, sys
import numpy as np
from townhall.media.heap import keep_freed_memory

kept = keep_freed_memory()
def tick():
    parts = [np.ones(300_000, np.uint8) for _ in range(10)]
for _ in range(3):
    tick()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    tick()
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(int(kept), faults)
"""


def test_memory_that_a_tick_frees_is_there_for_the_next_without_page_faults() -> None:
    said = subprocess.run(
        [sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    kept, faults = map(int, said.split())

    pages = 10 * 10 * 300_000 // resource.getpagesize()
    assert not kept or faults < pages // 10


def test_keeping_freed_memory_twice_does_no_harm() -> None:
    assert keep_freed_memory() == keep_freed_memory()
