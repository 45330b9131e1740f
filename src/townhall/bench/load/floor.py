"""The floor: a process that receives packets and sends as many back, with the media process's system calls.

    python -m townhall.bench.load.floor HOST FIRST_PORT LAST_PORT

It has the media process's sockets and its scheduling. Until it is settled it takes note of who sends; from
then on it does nothing, once a tick, but to receive what has come (`epoll_wait`, `recvmmsg`) and to send a
packet to each of them from the port that it heard it on (`sendmmsg`), with structures that were filled in
once: no header is read, none written. It writes its CPU seconds and packet counts to its standard output for
each line on its standard input.
"""

import gc
import select
import sys
import time

import numpy as np

from townhall.media.batched import MMsgIO, runs_of
from townhall.media.loop import ask_for_real_time
from townhall.media.settings import MediaSettings
from townhall.media.shapes import TICK_S, Outgoing, Received
from townhall.media.sockets import RECEIVE_ROWS, Sockets

_PACKET = 172


class Floor:
    """The loop's work; `received` and `sent` count packets."""

    def __init__(self, sockets: Sockets) -> None:
        self.received = self.sent = 0
        self._sockets = sockets
        self._arrived: list[tuple[np.ndarray, np.ndarray]] = []
        self._io = MMsgIO(RECEIVE_ROWS)
        self._runs: list[tuple[int, int, int]] = []
        self._poll = select.epoll()
        for sock in sockets.sockets:
            self._poll.register(sock.fileno(), select.EPOLLIN)
        self._many = len(sockets.sockets)

    def tick(self) -> None:
        """Receive and send."""
        if not self._runs:
            self._sockets.receive(self._note)
            return
        receive, send = self._io.receive_from, self._io.send_from
        for descriptor, _ in self._poll.poll(0, self._many):
            self.received += receive(descriptor, 0)
        for run in self._runs:
            self.sent += send(*run)

    def _note(self, batch: Received) -> None:
        self.received += len(batch.lengths)
        self._arrived.append((batch.names.copy(), batch.sockets.copy()))

    def settle(self) -> None:
        """From now on, a packet a tick for every source that was heard, in the order of sockets."""
        if not self._arrived:
            return
        names = np.concatenate([names for names, _ in self._arrived])
        indices = np.concatenate([indices for _, indices in self._arrived])
        _, first = np.unique(names, axis=0, return_index=True)
        order = first[np.argsort(indices[first], kind="stable")]
        self._data = np.zeros((len(order), _PACKET), np.uint8)  # the structures point into it
        self._data[:, 0] = 0x80
        lengths = np.full(len(order), _PACKET)
        self._io.prepare(Outgoing(self._data, lengths, names[order], indices[order]))
        socks = self._sockets.sockets
        runs = runs_of(indices[order])
        self._runs = [(socks[index].fileno(), begin, end) for index, begin, end in runs]


def run_floor(host: str, first_port: int, last_port: int) -> None:
    """Run until the standard input is closed."""
    sockets = Sockets(MediaSettings(bind_hosts=(host,), rtp_ports=(first_port, last_port), ice_port=None))
    floor = Floor(sockets)
    ask_for_real_time()
    gc.collect()
    gc.freeze()
    gc.disable()
    _tell("ready", *sockets.ports)
    deadline = time.monotonic()
    while True:
        wait = deadline - time.monotonic()
        if wait > 0:
            if select.select([sys.stdin], [], [], wait)[0]:
                command = sys.stdin.readline()
                if not command:
                    break
                if command.strip() == "settle":
                    floor.settle()
                _tell(time.process_time(), floor.received, floor.sent)
            continue
        deadline += TICK_S
        floor.tick()
    sockets.close()


def _tell(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run_floor(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
