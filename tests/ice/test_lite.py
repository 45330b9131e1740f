"""The lite agent: who is let in, where peers are, when they are gone."""

import pytest

from townhall.ice import (
    Check,
    ConsentLost,
    Credentials,
    IceError,
    IceLite,
    Message,
    PathChosen,
    PathLost,
    PathVerified,
    new_credentials,
    parse,
)
from townhall.ice.lite import CONSENT_S, HELD_S
from townhall.ice.message import USERNAME, encode
from townhall.ice.peers import MOST_PATHS, UNPROVED_S

HOME, AWAY = (0, b"home"), (0, b"away")
SOURCE = (bytes([192, 0, 2, 9]), 4000)
OURS = Credentials("ours", "aPasswordOfOursThatIsLong")
THEIRS = Credentials("theirs", "aPasswordOfTheirsThatIsLong")


class Browser:
    """A peer of the agent under test, on a virtual clock."""

    def __init__(self, agent: IceLite, number: int = 1, now: float = 0.0) -> None:
        self.agent = agent
        self.number = number
        self.now = now
        self.serial = 0
        self.ours, self.theirs = new_credentials(), new_credentials()
        agent.admit(number, self.ours, self.theirs, now)

    def restart(self) -> None:
        self.ours, self.theirs = new_credentials(), new_credentials()
        self.agent.admit(self.number, self.ours, self.theirs, self.now)

    def request(self, nominate: bool = False, controlling: bool = True) -> Check:
        self.serial += 1
        transaction = self.serial.to_bytes(12, "big")
        return Check(self.theirs, self.ours, transaction, 1, controlling, nominate)

    def check(self, path: tuple[int, bytes] = HOME, nominate: bool = False) -> Message | None:
        """A check by a path; its answer."""
        answer = self.agent.receive(parse(self.request(nominate).request()), path, SOURCE, self.now)
        return None if answer is None else parse(answer)

    def wait(self, seconds: float, path: tuple[int, bytes] | None = None) -> list[tuple]:
        """Let time pass, with a check every two seconds if there is a path; what the agent wanted to be
        sent.
        """
        sent = []
        for step in range(int(seconds * 50)):
            self.now += 0.02
            sent += self.agent.look(self.now)
            if path is not None and step % 100 == 0:
                self.check(path)
        return sent


@pytest.fixture
def agent() -> IceLite:
    return IceLite()


def test_check_is_answered_with_its_source_and_verifies_the_path(agent: IceLite) -> None:
    browser = Browser(agent)
    check = browser.request(nominate=True)
    answer = agent.receive(parse(check.request()), HOME, SOURCE, 0.0)
    assert check.answered(parse(answer)) == SOURCE
    assert agent.events == [PathVerified(1, HOME), PathChosen(1, HOME)]
    assert agent.chosen(1) == HOME


def test_path_is_chosen_before_any_is_nominated(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME)
    assert agent.chosen(1) == HOME


def test_nominated_path_beats_one_that_is_only_checked(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    browser.now = 1.0
    browser.check(AWAY)
    assert agent.chosen(1) == HOME


def test_newer_nomination_moves_the_peer(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    browser.now = 2.0
    browser.check(AWAY, nominate=True)
    assert agent.chosen(1) == AWAY


@pytest.mark.parametrize(
    ("attributes", "key", "code"),
    [
        ([], None, 400),
        ([(USERNAME, f"{OURS.ufrag}:x".encode())], None, 400),
        ([], OURS.pwd, 400),
        ([(USERNAME, b"nobody:x")], OURS.pwd, 401),
        ([(USERNAME, OURS.ufrag.encode())], OURS.pwd, 401),
        ([(USERNAME, f"{OURS.ufrag}:x".encode())], "wrong password, a long one", 401),
        ([(USERNAME, f"{OURS.ufrag}:x".encode()), (0x7FFF, b"what")], OURS.pwd, 420),
        ([(USERNAME, f"{OURS.ufrag}:x".encode()), (0x8029, bytes(8))], OURS.pwd, 487),
    ],
)
def test_faulty_request_is_refused_and_verifies_nothing(
    agent: IceLite, attributes: list, key: str | None, code: int
) -> None:
    agent.admit(1, OURS, THEIRS, 0.0)
    request = encode("request", bytes(12), attributes, key.encode() if key else None)
    answer = agent.receive(parse(request), HOME, SOURCE, 0.0)
    assert answer is not None
    message = parse(answer)
    assert (message.kind, message.error) == ("error", code)
    assert message.has_integrity(OURS.pwd.encode()) == (code in (420, 487))
    assert (agent.events, agent.refused) == ([], 1)


def test_indications_and_answers_to_nothing_are_passed_over(agent: IceLite) -> None:
    Browser(agent)
    for kind in ("indication", "success", "error"):
        assert agent.receive(parse(encode(kind, bytes(12), [])), HOME, SOURCE, 0.0) is None
    assert agent.events == []


def test_peer_that_falls_silent_is_gone_after_the_consent_has_run_out(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    agent.prove(1, HOME, 0.0)
    agent.events.clear()
    browser.wait(CONSENT_S - 1)
    assert agent.events == []
    browser.wait(2.5)
    assert agent.events[:2] == [PathLost(1, HOME), PathChosen(1, None)]
    assert isinstance(agent.events[2], ConsentLost)
    assert agent.events[2].seconds >= CONSENT_S
    browser.check(HOME, nominate=True)
    assert agent.chosen(1) == HOME


def test_packets_are_a_sign_of_life(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    agent.prove(1, HOME, 0.0)
    for _ in range(30):
        browser.wait(1)
        agent.alive(1, HOME, browser.now)
    assert agent.chosen(1) == HOME


def test_dead_nominated_path_gives_way_to_a_live_one(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    agent.prove(1, HOME, 0.0)
    browser.wait(CONSENT_S + 2, AWAY)
    assert agent.chosen(1) == AWAY
    assert not [event for event in agent.events if isinstance(event, ConsentLost)]


def test_restart_keeps_the_old_path_until_the_new_credentials_nominate_one(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    old = browser.request()
    browser.restart()
    assert agent.chosen(1) == HOME
    assert parse(agent.receive(parse(old.request()), HOME, SOURCE, 1.0)).kind == "success"
    browser.check(AWAY)
    assert agent.chosen(1) == HOME
    browser.now = 2.0
    browser.check(AWAY, nominate=True)
    assert agent.chosen(1) == AWAY
    assert PathLost(1, HOME) in agent.events
    assert parse(agent.receive(parse(old.request()), HOME, SOURCE, 2.0)).error == 401


def test_restart_by_the_same_path_keeps_it(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    browser.restart()
    browser.now = 1.0
    browser.check(HOME, nominate=True)
    assert agent.chosen(1) == HOME
    assert PathLost(1, HOME) not in agent.events


def test_second_restart_supersedes_the_first_that_was_never_used(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    browser.restart()
    unused = browser.request()
    browser.restart()
    assert parse(agent.receive(parse(unused.request()), AWAY, SOURCE, 1.0)).error == 401
    assert browser.check(AWAY, nominate=True).kind == "success"


def test_same_credentials_again_are_no_restart(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    agent.events.clear()
    agent.admit(1, browser.ours, browser.theirs, 1.0)
    assert (agent.events, agent.chosen(1)) == ([], HOME)


def test_path_of_a_live_peer_is_not_taken_by_another(agent: IceLite) -> None:
    alice, mallory = Browser(agent, 1), Browser(agent, 2)
    alice.check(HOME, nominate=True)
    assert mallory.check(HOME, nominate=True) is None
    assert (agent.chosen(1), agent.chosen(2)) == (HOME, None)


def test_path_of_a_peer_that_has_gone_quiet_may_be_taken(agent: IceLite) -> None:
    alice, bob = Browser(agent, 1), Browser(agent, 2)
    alice.check(HOME, nominate=True)
    bob.now = HELD_S + 1
    bob.check(HOME, nominate=True)
    assert (agent.chosen(1), agent.chosen(2)) == (None, HOME)


def test_peer_with_too_many_paths_loses_the_oldest_but_not_the_chosen_one(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    agent.prove(1, HOME, 0.0)
    for number in range(MOST_PATHS):
        browser.now += HELD_S / 4
        browser.check((0, b"path %d" % number))
    assert agent.chosen(1) == HOME
    assert [event for event in agent.events if isinstance(event, PathLost)] == [PathLost(1, (0, b"path 0"))]


def test_peer_that_checks_from_everywhere_at_once_has_a_few_paths_and_no_more(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    answers = [browser.check((0, b"path %d" % number)) for number in range(100)]
    assert sum(answer is not None for answer in answers) == MOST_PATHS - 1
    assert not [event for event in agent.events if isinstance(event, PathLost)]
    assert browser.check(HOME).kind == "success"


def test_dismissed_peer_is_unknown_and_its_paths_are_free(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    agent.dismiss(1)
    assert (len(agent), agent.chosen(1)) == (0, None)
    assert browser.check(HOME).error == 401
    other = Browser(agent, 2)
    other.check(HOME, nominate=True)
    assert agent.chosen(2) == HOME


def test_another_peers_ufrag_is_refused(agent: IceLite) -> None:
    browser = Browser(agent)
    with pytest.raises(IceError, match="another peer"):
        agent.admit(2, browser.ours, new_credentials(), 0.0)


@pytest.mark.parametrize(
    "bad", [Credentials("abc", "x" * 22), Credentials("abcd", "x" * 21), Credentials("ab:cd", "x" * 22)]
)
def test_credentials_that_none_may_have_are_refused(agent: IceLite, bad: Credentials) -> None:
    with pytest.raises(IceError):
        agent.admit(1, new_credentials(), bad, 0.0)
    assert len(agent) == 0


def test_unproved_path_is_asked_until_it_answers(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    (path, request), *_ = browser.wait(1.2)
    asked = parse(request)
    assert path == HOME
    assert asked.username == f"{browser.theirs.ufrag}:{browser.ours.ufrag}".encode()
    assert asked.has_integrity(browser.theirs.pwd.encode())
    assert asked.controlled is not None
    answer = encode(
        "success",
        asked.transaction,
        [(0x0020, bytes.fromhex("0001a147e112a643"))],
        browser.theirs.pwd.encode(),
    )
    agent.receive(parse(answer), HOME, SOURCE, browser.now)
    assert browser.wait(3 * UNPROVED_S, HOME) == []
    assert agent.chosen(1) == HOME


def test_path_that_never_answers_is_sent_to_for_a_while_only(agent: IceLite) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    browser.wait(UNPROVED_S - 1, HOME)
    assert agent.chosen(1) == HOME
    browser.wait(2, HOME)
    assert agent.chosen(1) is None
    browser.check(AWAY, nominate=True)
    assert agent.chosen(1) is None, "the time is the peer's, not the path's"
    agent.prove(1, AWAY, browser.now)
    assert agent.chosen(1) == AWAY


@pytest.mark.parametrize("fault", ["path", "password", "kind"])
def test_false_answer_to_our_check_proves_nothing(agent: IceLite, fault: str) -> None:
    browser = Browser(agent)
    browser.check(HOME, nominate=True)
    (_, request), *_ = browser.wait(0.2)
    key = (browser.ours if fault == "password" else browser.theirs).pwd.encode()
    kind = "error" if fault == "kind" else "success"
    answer = encode(kind, parse(request).transaction, [(0x0020, bytes.fromhex("0001a147e112a643"))], key)
    agent.receive(parse(answer), AWAY if fault == "path" else HOME, SOURCE, browser.now)
    browser.wait(UNPROVED_S + 1, HOME)
    assert agent.chosen(1) is None
