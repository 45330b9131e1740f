"""A recorder with parts in several media processes."""

from townhall.media.joint import JointRecorder
from townhall.media.protocol import Command, RecorderEnded
from townhall.media.recording import Recorder


class Port:
    """Takes what recorders command."""

    def __init__(self) -> None:
        self.sent: list[Command] = []

    def send(self, command: Command) -> None:
        self.sent.append(command)


async def test_recorder_that_was_stopped_says_so_before_its_parts_have_ended() -> None:
    port = Port()
    first, second = Recorder(port, 1), Recorder(port, 2)
    whole = JointRecorder(port, [first, second])
    second.end(None, "its process died")
    assert not whole.stopping
    whole.stop()
    assert whole.stopping, "a process that is started again gets no part of it"
    assert not whole.over
    first.end(RecorderEnded(1, "finished", 160))
    assert whole.over
