"""Recording a live conference where the engine records legs only: whose, and what when he leaves."""

from pathlib import Path
from typing import Any

import pytest
from tests.harness.console_house import CALLS, SID, settings_for

from townhall.console.archive import Archive
from townhall.console.desk import Desk
from townhall.console.facts import Changed, Ended, Fact, Flags, Joined, Left, Recorded, Started, TookRole
from townhall.console.recording import Recorder, leg_to_record
from townhall.console.refusals import Refusal
from townhall.console.room import Room

ANN, BEN, EVE = CALLS[:3]
URL = "https://calls.example.com/console/callbacks/x"


class PlayedRemote:
    """Keeps what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    async def record_call(self, call_sid: str, track: str, callback: str) -> str:
        self.asked.append(("record", call_sid, track))
        return f"RE{len(self.asked):032x}"

    async def stop_call_recording(self, call_sid: str, recording: str) -> None:
        self.asked.append(("stop", call_sid, recording))


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    desk = Desk(Archive(settings_for(tmp_path).data_dir), levels=False, lock=False, clock=lambda: 10.0)
    desk.open(SID, "Town Hall")
    return desk


def joined(desk: Desk, *people: tuple[str, str]) -> Room:
    for call_sid, role in people:
        desk.learn(SID, TookRole(1, call_sid, role))  # type: ignore[arg-type]
        desk.learn(SID, Joined(1, call_sid, Flags(muted=role == "listener")))
    desk.learn(SID, Started(2))
    return desk.hall.rooms[SID]


async def test_what_a_listener_hears_is_recorded_first_of_all(desk: Desk) -> None:
    room, remote = joined(desk, (ANN, "moderator"), (BEN, "speaker"), (EVE, "listener")), PlayedRemote()
    started = await Recorder(desk, remote, URL, whole=False).start(room)  # type: ignore[arg-type]
    assert remote.asked == [("record", EVE, "outbound")]
    assert (started.call_sid, started.track) == (EVE, "outbound")


async def test_moderator_is_recorded_when_nobody_listens_only(desk: Desk) -> None:
    room, remote = joined(desk, (BEN, "speaker"), (ANN, "moderator")), PlayedRemote()
    await Recorder(desk, remote, URL, whole=False).start(room)  # type: ignore[arg-type]
    assert remote.asked == [("record", ANN, "both")]


async def test_held_and_coaching_legs_hold_not_what_all_hear(desk: Desk) -> None:
    room = joined(desk, (ANN, "moderator"), (BEN, "speaker"))
    desk.learn(SID, Changed(3, ANN, Flags(hold=True)))
    desk.learn(SID, Changed(3, BEN, Flags(coaching=True, coach=ANN)))
    assert leg_to_record(room) is None
    with pytest.raises(Refusal, match="nobody"):
        await Recorder(desk, PlayedRemote(), URL, whole=False).start(room)  # type: ignore[arg-type]


GOES_ON: list[tuple[str, Fact, tuple[str, str] | None]] = [
    ("both", Left(5, ANN), (BEN, "both")),
    ("both", Changed(5, ANN, Flags(muted=True)), (ANN, "outbound")),
    ("both", Changed(5, ANN, Flags(hold=True)), (BEN, "both")),
    ("both", Changed(5, ANN, Flags(ends=False)), None),
    ("both", Left(5, BEN), None),
    ("both", Ended(5, "x"), None),
    ("outbound", Changed(5, ANN, Flags(muted=True)), None),
    ("outbound", Changed(5, ANN, Flags(muted=False)), (ANN, "both")),
]


@pytest.mark.parametrize(("track", "fact", "then"), GOES_ON)
async def test_recording_goes_on_with_what_all_hear(
    desk: Desk, track: str, fact: Fact, then: tuple[str, str] | None
) -> None:
    room = joined(desk, (ANN, "listener" if track == "outbound" else "moderator"), (BEN, "speaker"))
    remote: Any = PlayedRemote()
    recorder = Recorder(desk, remote, URL, whole=False)
    desk.learn(SID, Recorded(3, "RE1", "in-progress", 3, call_sid=ANN, track=track))
    desk.learn(SID, fact)
    assert recorder.is_lost(room, fact) == (then is not None)
    if then is not None:
        assert room.recording is not None
        await recorder.go_on(room, room.recording)
        assert (room.recording.call_sid, room.recording.track) == then
        assert room.recordings["RE1"].status == "processing"
        stopped = [] if isinstance(fact, Left) else ["stop"]
        assert [asked[0] for asked in remote.asked] == [*stopped, "record"]


async def test_recording_of_the_conference_itself_depends_on_nobody(desk: Desk) -> None:
    room = joined(desk, (ANN, "moderator"), (BEN, "speaker"))
    desk.learn(SID, Recorded(3, "RE1", "in-progress", 3))
    desk.learn(SID, Left(5, ANN))
    assert not Recorder(desk, PlayedRemote(), URL, whole=True).is_lost(room, Left(5, ANN))  # type: ignore[arg-type]
