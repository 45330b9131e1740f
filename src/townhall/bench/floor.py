"""The floor: a process that receives packets and sends as many back, with the media process's system calls.

    python -m townhall.bench.floor HOST FIRST_PORT LAST_PORT

Once settled it answers every source that it has heard until then, once a tick, from the port that it heard it
on. It writes its CPU seconds and packet counts to its standard output for each line on its standard input.
"""

import os
import select
import sys
import time

import numpy as np

from townhall.media.settings import MediaSettings
from townhall.media.shapes import NAME_WORDS, TICK_S, Outgoing, Received
from townhall.media.sockets import Sockets

_PACKET = 172


def run_floor(host: str, first_port: int, last_port: int) -> None:
    """Run until the standard input is closed."""
    sockets = Sockets(MediaSettings(bind_hosts=(host,), rtp_ports=(first_port, last_port)))
    names = np.zeros((0, NAME_WORDS), np.uint64)
    indices = np.zeros(0, np.int32)
    counts = [0, 0]
    arrived: list[tuple[np.ndarray, np.ndarray]] = []

    def take(batch: Received) -> None:
        counts[0] += len(batch.lengths)
        if len(batch.lengths) and not settled:
            arrived.append((batch.names.copy(), batch.sockets.copy()))

    settled = False
    _tell("ready", *sockets.ports)
    deadline = time.monotonic()
    batch = Outgoing(np.zeros((0, _PACKET), np.uint8), np.zeros(0, np.int64), names, indices)
    while True:
        wait = deadline - time.monotonic()
        if wait > 0:
            if select.select([sys.stdin], [], [], wait)[0]:
                command = sys.stdin.readline()
                if not command:
                    break
                if command.strip() == "settle":
                    settled = True
                    batch = _batch(arrived)
                times = os.times()
                _tell(times.user + times.system, *counts)
            continue
        deadline += TICK_S
        sockets.receive(take)
        if settled:
            counts[1] += sockets.send(batch)
    sockets.close()


def _tell(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def _batch(arrived: list[tuple[np.ndarray, np.ndarray]]) -> Outgoing:
    """A packet for every source that was heard, in the order of sockets."""
    names = np.concatenate([names for names, _ in arrived])
    indices = np.concatenate([indices for _, indices in arrived])
    _, first = np.unique(names, axis=0, return_index=True)
    order = first[np.argsort(indices[first], kind="stable")]
    data = np.zeros((len(order), _PACKET), np.uint8)
    data[:, 0] = 0x80
    return Outgoing(data, np.full(len(order), _PACKET), names[order], indices[order])


if __name__ == "__main__":
    run_floor(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
