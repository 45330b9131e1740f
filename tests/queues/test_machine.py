"""Random comings and goings: nobody is lost, nobody is served twice, nobody is overtaken by a later comer."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from townhall.queues import (
    CallerJoined,
    CallerLeft,
    CallerPrepared,
    Command,
    Connect,
    Event,
    Prepare,
    Queue,
    Resume,
    TakerJoined,
    TakerLeft,
)


class QueueMachine(RuleBasedStateMachine):
    """The model knows only who came, who left, and what the commands said of them."""

    callers = Bundle("callers")
    takers = Bundle("takers")

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue("QU1", "support", 8)
        self.now = 0.0
        self.waiting: list[str] = []
        self.dialling: list[str] = []
        self.prepared_for: dict[str, str] = {}
        self.prepares: dict[str, bool] = {}
        self.since: dict[str, float] = {}
        self.served: set[str] = set()
        self.names = iter(range(10**9))

    def tell(self, event: Event) -> None:
        self.now += 1.0
        for command in self.queue.handle(event, self.now):
            self.obey(command)

    def obey(self, command: Command) -> None:
        match command:
            case Prepare(caller, taker):
                assert self.prepares[taker]
                assert caller == self.first_free(), "somebody was overtaken"
                assert caller not in self.prepared_for
                assert taker not in self.prepared_for.values()
                assert taker in self.dialling
                self.prepared_for[caller] = taker
            case Resume(caller):
                taker = self.prepared_for.pop(caller)
                assert taker not in self.dialling
            case Connect(caller, taker, waited_s):
                assert caller not in self.served, "served twice"
                assert taker not in self.served, "connected twice"
                assert self.prepared_for.pop(caller, taker) == taker
                assert self.prepares[taker] or caller == self.first_free()
                assert waited_s == self.now - self.since[caller]
                self.served |= {caller, taker}
                self.waiting.remove(caller)
                self.dialling.remove(taker)

    def first_free(self) -> str:
        return next(caller for caller in self.waiting if caller not in self.prepared_for)

    @rule(target=callers)
    def caller_joins(self) -> str:
        name = f"caller {next(self.names)}"
        if not self.queue.full:
            self.waiting.append(name)
            self.since[name] = self.now + 1.0
            self.tell(CallerJoined(name))
        return name

    @rule(target=takers, prepares=st.booleans())
    def taker_joins(self, prepares: bool) -> str:
        name = f"taker {next(self.names)}"
        self.dialling.append(name)
        self.prepares[name] = prepares
        self.tell(TakerJoined(name, prepares))
        return name

    @rule(caller=consumes(callers))
    def caller_leaves(self, caller: str) -> None:
        if caller in self.waiting:
            self.waiting.remove(caller)
            self.prepared_for.pop(caller, None)
        self.tell(CallerLeft(caller))

    @rule(taker=consumes(takers))
    def taker_leaves(self, taker: str) -> None:
        if taker in self.dialling:
            self.dialling.remove(taker)
        self.tell(TakerLeft(taker))

    @rule(caller=callers)
    def caller_is_prepared(self, caller: str) -> None:
        self.tell(CallerPrepared(caller))

    @invariant()
    def everybody_is_where_he_belongs(self) -> None:
        assert [caller.call_sid for caller in self.queue.callers] == self.waiting
        assert list(self.queue.takers) == self.dialling
        assert {c.call_sid: c.taker for c in self.queue.callers if c.taker} == self.prepared_for
        assert [self.queue.position(caller) for caller in self.waiting] == list(range(1, self.queue.size + 1))

    @invariant()
    def nobody_waits_for_a_free_taker(self) -> None:
        free_callers = set(self.waiting) - set(self.prepared_for)
        free_takers = set(self.dialling) - set(self.prepared_for.values())
        assert not (free_callers and free_takers)


QueueMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestQueueMachine = QueueMachine.TestCase
