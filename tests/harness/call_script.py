"""A `CallControl` that plays a script: pages that answer, keys pressed at given seconds, a caller who hangs
up.

Runs on virtual time. `log` says what happened and when; `heard` only what.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.harness.virtual_time import run_virtual

from townhall.twiml import (
    CallEnded,
    CallRedirected,
    ConferenceDial,
    ConferenceOutcome,
    DialOutcome,
    DocumentRequest,
    EnqueueOutcome,
    EnqueuePlan,
    FetchFailed,
    InlineDocument,
    Notice,
    Page,
    QueueTarget,
    RecordingPlan,
    RecordOutcome,
    RecordPlan,
    Utterance,
    run_call,
)
from townhall.twiml.dial_plan import DialPlan

BASE = "https://app.example/voice/start"


def page(body: str | bytes, url: str = BASE, content_type: str = "text/xml") -> Page:
    return Page(url, content_type, body.encode() if isinstance(body, str) else body)


def response(inner: str) -> str:
    return f"<Response>{inner}</Response>"


@dataclass
class ScriptedControl:
    """`pages`: URL → what answers, each once in order, the last one for ever. Speech and audio last
    `lasts_s`.
    """

    pages: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[float, str] = field(default_factory=dict)
    hangs_up_at: float | None = None
    redirected_at: tuple[float, CallRedirected] | None = None
    lasts_s: float = 3.0
    conference_s: float = 60.0
    mute: bool = False
    """No voice can speak."""
    outcome: ConferenceOutcome = field(default_factory=lambda: ConferenceOutcome("answered"))
    queue_outcome: EnqueueOutcome = field(default_factory=lambda: EnqueueOutcome("bridged", "QU1", 7))
    dial_outcome: DialOutcome = field(default_factory=lambda: DialOutcome("completed", "CA2", 20, True))

    record_outcome: RecordOutcome | None = field(
        default_factory=lambda: RecordOutcome("RE1", "https://x.example/RE1", 7, "#")
    )

    def __post_init__(self) -> None:
        self.records: list[RecordPlan] = []
        self.recordings: list[RecordingPlan | str] = []
        self.rung: list[DialPlan] = []
        self.log: list[tuple[float, str]] = []
        self.notices: list[Notice] = []
        self.requests: list[DocumentRequest] = []
        self.request_times: list[float] = []
        self.dials: list[ConferenceDial] = []
        self.enqueued: list[EnqueuePlan] = []
        self.taken: list[tuple[QueueTarget, float, bool, float]] = []
        self.told: list[DocumentRequest] = []
        self.said: list[Utterance] = []
        self._answers = {url: deque(a if isinstance(a, list) else [a]) for url, a in self.pages.items()}
        self._answered = False
        self._ended = False
        self._keys: deque[str] = deque()
        self._key_pressed = asyncio.Event()
        self._redirects_left = 1

    @property
    def heard(self) -> list[str]:
        return [what for _, what in self.log]

    @property
    def codes(self) -> list[int]:
        return [notice.code for notice in self.notices]

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        for at, key in self.keys.items():
            loop.call_at(at, self._press, key)

    def _press(self, key: str) -> None:
        self._keys.append(key)
        self._key_pressed.set()

    def _note(self, what: str) -> None:
        self.log.append((round(asyncio.get_running_loop().time(), 3), what))

    def _alive(self) -> None:
        if self.hangs_up_at is not None and asyncio.get_running_loop().time() >= self.hangs_up_at:
            self._ended = True
        if self._ended:
            raise CallEnded

    async def _last(self, seconds: float) -> None:
        """Let time pass, up to the caller's hang-up or the REST update."""
        self._alive()
        now = asyncio.get_running_loop().time()
        stops = [(at, CallEnded()) for at in (self.hangs_up_at,) if at is not None]
        if self.redirected_at is not None and self._redirects_left:
            stops.append((self.redirected_at[0], self.redirected_at[1]))  # type: ignore[arg-type]
        at, stop = min(stops, key=lambda item: item[0], default=(None, None))
        if at is None or now + seconds < at:
            await asyncio.sleep(seconds)
            return
        await asyncio.sleep(max(0.0, at - now))
        if isinstance(stop, CallEnded):
            self._ended = True
        else:
            self._redirects_left = 0
        assert stop is not None
        raise stop

    @property
    def answered(self) -> bool:
        return self._answered

    async def ring(self) -> None:
        self._alive()
        self._note("ring")

    async def answer(self) -> None:
        self._alive()
        if not self._answered:
            self._answered = True
            self._note("answer")

    async def reject(self, reason: Literal["rejected", "busy"]) -> None:
        self._alive()
        self._ended = True
        self._note(f"reject {reason}")

    async def hang_up(self) -> None:
        self._alive()
        self._ended = True
        self._note("hang up")

    async def fetch(self, request: DocumentRequest) -> Page:
        self.requests.append(request)
        self.request_times.append(asyncio.get_running_loop().time())
        self._note(f"{request.method} {request.url}")
        answers = self._answers.get(request.url)
        if answers is None:
            raise FetchFailed(11217, request.url, "status 404")
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Page) else page(response(answer), request.url)

    async def say(self, utterance: Utterance) -> None:
        self.said.append(utterance)
        if self.mute:
            raise FetchFailed(13520, "", "no voice")
        await self._audible(f"say {utterance.text}")

    async def play(self, url: str, loops: int = 1) -> None:
        if url.endswith("missing.wav"):
            raise FetchFailed(11217, url, "status 404")
        await self._audible(f"play {url}" + (f" x{loops}" if loops != 1 else ""))

    async def play_page(self, page: Page, loops: int = 1) -> None:
        await self._audible(f"play the answer of {page.url}" + (f" x{loops}" if loops != 1 else ""))

    async def play_digits(self, digits: str) -> None:
        await self._audible(f"digits {digits}")

    async def _audible(self, what: str) -> None:
        self._alive()
        self._note(what)
        try:
            await self._last(self.lasts_s)
        except asyncio.CancelledError:
            self._note("stopped")
            raise

    async def pause(self, seconds: float) -> None:
        self._alive()
        self._note(f"pause {seconds:g}")
        await self._last(seconds)

    def discard_digits(self) -> None:
        self._keys.clear()
        self._key_pressed.clear()

    async def read_digit(self, timeout_s: float | None) -> str | None:
        waiting = asyncio.create_task(self._next_key())
        ending = asyncio.create_task(self._last(timeout_s if timeout_s is not None else 1e6))
        try:
            await asyncio.wait((waiting, ending), return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            ending.result()
            return None
        finally:
            waiting.cancel()
            ending.cancel()
            await asyncio.gather(waiting, ending, return_exceptions=True)

    async def _next_key(self) -> str:
        while not self._keys:
            self._key_pressed.clear()
            await self._key_pressed.wait()
        return self._keys.popleft()

    async def join_conference(self, dial: ConferenceDial) -> ConferenceOutcome:
        self.dials.append(dial)
        self._note(f"join {dial.name}")
        await self._last(self.conference_s if self.outcome.dial_call_status == "answered" else 0)
        return self.outcome

    async def enqueue(self, plan: EnqueuePlan) -> EnqueueOutcome:
        self._alive()
        self.enqueued.append(plan)
        self._note(f"enqueue {plan.name}")
        return self.queue_outcome

    async def dial_queue(
        self, target: QueueTarget, *, timeout_s: float, hangup_on_star: bool, time_limit_s: float
    ) -> DialOutcome:
        self._alive()
        self.taken.append((target, timeout_s, hangup_on_star, time_limit_s))
        self._note(f"dial queue {target.name}")
        return self.dial_outcome

    def start_recording(self, plan: RecordingPlan) -> str | None:
        self.recordings.append(plan)
        return "https://x.example/RE2"

    def stop_recording(self, url: str) -> None:
        self.recordings.append(url)

    async def record(self, plan: RecordPlan) -> RecordOutcome | None:
        self._alive()
        self.records.append(plan)
        self._note("record")
        return self.record_outcome

    async def dial(self, plan: DialPlan) -> DialOutcome:
        self.rung.append(plan)
        self._note(f"dial {' '.join(target.to for target in plan.targets)}")
        return self.dial_outcome

    def tell(self, request: DocumentRequest) -> None:
        self.told.append(request)
        self._note(f"tell {request.url}")

    def report(self, notice: Notice) -> None:
        self.notices.append(notice)


def run_script(
    first: str | DocumentRequest | InlineDocument | None = None,
    fallback: DocumentRequest | None = None,
    **script: Any,
) -> ScriptedControl:
    """Run a call on virtual time. `first` as text is the inside of the first document's `<Response>`."""

    async def run() -> ScriptedControl:
        pages = dict(script.pop("pages", {}))
        start = first
        if start is None or isinstance(start, str):
            if start is not None:
                pages[BASE] = start
            start = DocumentRequest(BASE)
        control = ScriptedControl(pages=pages, **script)
        control.start()
        await run_call(control, start, fallback)
        return control

    return run_virtual(run())
