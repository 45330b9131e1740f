"""No caller and no crowd finds a PIN by guessing, and nobody who knows it is kept waiting for long."""

import asyncio
from pathlib import Path

import pytest

from townhall.app.guessing import (
    KNOWN_FOR_S,
    LINE_BURST,
    MONTH_S,
    Guess,
    PinGuard,
    caller_wait_s,
    decide,
    is_known,
    line_wait_s,
)
from townhall.app.tallies import MAX_CALLERS, Tallies, Tally

HOUR = 3600.0
START = 1_800_000_000.0


@pytest.mark.parametrize(
    ("wrong", "wait_s"),
    [
        (0, 0),
        (1, 0),
        (2, 0),
        (3, 30),
        (4, 60),
        (5, 120),
        (11, 7680),
        (12, 4 * HOUR),
        (50, 4 * HOUR),
        (1e9, 4 * HOUR),
    ],
)
def test_caller_waits_longer_after_each_wrong_pin(wrong: float, wait_s: float) -> None:
    assert caller_wait_s(Tally(wrong, START), START) == wait_s
    assert caller_wait_s(Tally(wrong, START), START + wait_s) == 0


@pytest.mark.parametrize(
    ("digits", "pause_s"), [(4, 25_920), (5, 2592), (6, 259.2), (8, 2.592), (40, 2.592e-4)]
)
def test_line_pauses_longer_the_shorter_the_pin(digits: int, pause_s: float) -> None:
    assert line_wait_s(Tally(LINE_BURST - 1, START), digits, START) == 0
    assert line_wait_s(Tally(LINE_BURST, START), digits, START) == pytest.approx(pause_s)
    assert line_wait_s(Tally(LINE_BURST, START), digits, START + pause_s * 1.001) == 0


def guesses_in(seconds: float, digits: int, *, callers: int) -> int:
    """How many guesses an attacker gets judged who tries whenever he may, with so many numbers to call
    from.
    """
    now, line, judged = START, Tally(), 0
    tallies = [Tally() for _ in range(callers)]
    while now < START + seconds:
        waits = []
        for number, caller in enumerate(tallies):
            verdict, tallies[number], line = decide(caller, line, False, digits, now)
            judged += verdict.outcome == "wrong"
            waits.append(verdict.wait_s)
        now += max(min(waits), 1.0)
    return judged


def test_one_caller_gets_few_guesses_in_a_month() -> None:
    assert guesses_in(MONTH_S, 8, callers=1) < 200


@pytest.mark.parametrize(("digits", "most"), [(4, 125), (5, 1025)])
def test_crowd_has_a_chance_of_about_one_in_a_hundred_in_a_month(digits: int, most: int) -> None:
    assert 0.9 * most < guesses_in(MONTH_S, digits, callers=30) < most


def test_right_pin_clears_the_caller_and_his_share_of_the_line() -> None:
    caller, line = Tally(2, START), Tally(10, START)
    verdict, caller, line = decide(caller, line, True, 4, START)
    assert verdict.outcome == "right"
    assert (caller.wrong, line.wrong) == (0, 8)
    assert is_known(caller, START + KNOWN_FOR_S - 1)
    assert not is_known(caller, START + KNOWN_FOR_S)
    assert not is_known(caller, START - 1), "a clock set back trusts nobody"


def test_known_caller_is_outside_the_lines_limit_but_under_his_own() -> None:
    locked = Tally(LINE_BURST + 5, START)
    known = Tally(right_at=START - HOUR)
    assert decide(Tally(), locked, True, 4, START)[0].outcome == "refused"
    assert decide(known, locked, True, 4, START)[0].outcome == "right"
    for _ in range(3):
        verdict, known, after = decide(known, locked, False, 4, START)
        assert verdict.outcome == "wrong"
        assert after == locked
    assert decide(known, locked, True, 4, START)[0].outcome == "refused"


def test_refused_guess_changes_nothing_and_tells_nothing() -> None:
    caller, line = Tally(4, START), Tally(4, START)
    wrong = decide(caller, line, False, 4, START + 1)
    right = decide(caller, line, True, 4, START + 1)
    assert wrong == right
    assert wrong[1:] == (caller, line)


def test_caller_is_forgiven_after_a_quiet_week() -> None:
    verdict, caller, _ = decide(Tally(9, START), Tally(), False, 6, START + 8 * 24 * HOUR)
    assert verdict.outcome == "wrong"
    assert caller.wrong == 1


async def test_calls_at_once_get_no_more_guesses_than_one_after_the_other() -> None:
    guard = PinGuard(clock=lambda: START)
    guesses = [Guess("1000", "moderator", "1234", f"caller {n}") for n in range(100)]
    verdicts = await asyncio.gather(*(guard.judge(guess, False) for guess in guesses))
    assert [verdict.outcome for verdict in verdicts].count("wrong") == LINE_BURST


async def test_withheld_numbers_share_no_tally_and_are_never_known() -> None:
    guard = PinGuard(clock=lambda: START)
    guess = Guess("1000", "moderator", "1234", "")
    for _ in range(5):
        assert (await guard.judge(guess, False)).outcome == "wrong"
    assert (await guard.judge(guess, True)).outcome == "right"
    for _ in range(30):
        await guard.judge(guess, False)
    assert (await guard.judge(guess, True)).outcome == "refused"


async def test_new_pin_starts_with_a_clean_account() -> None:
    guard = PinGuard(clock=lambda: START)
    for n in range(30):
        await guard.judge(Guess("1000", "moderator", "1234", str(n)), False)
    assert await guard.wait_s(Guess("1000", "moderator", "1234", "new")) > 0
    assert await guard.wait_s(Guess("1000", "moderator", "4321", "new")) == 0
    assert await guard.wait_s(Guess("1000", "speaker", "1234", "new")) == 0
    assert await guard.wait_s(Guess("2000", "moderator", "1234", "new")) == 0


async def test_tallies_outlive_a_restart_and_reveal_nothing(tmp_path: Path) -> None:
    file = tmp_path / "pins.json"
    guess = Guess("1000", "moderator", "135791", "+15550100")
    first = PinGuard("secret", file, clock=lambda: START)
    for _ in range(3):
        await first.judge(guess, False)
    second = PinGuard("secret", file, clock=lambda: START)
    assert await second.wait_s(guess) == 30
    assert file.stat().st_mode & 0o777 == 0o600
    assert "135791" not in file.read_text()
    assert "15550100" not in file.read_text()
    assert "135791" not in repr(guess)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lines": {"a": {"x": 1}}}', "\udcff"])
def test_damaged_file_counts_from_zero(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pins.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert Tallies(file).line("any") == Tally()


async def test_file_that_cannot_be_written_does_not_stop_the_guard(tmp_path: Path) -> None:
    guard = PinGuard("secret", tmp_path / "nowhere" / "pins.json", clock=lambda: START)
    guess = Guess("1000", "moderator", "1234", "a")
    for _ in range(3):
        await guard.judge(guess, False)
    assert (await guard.judge(guess, True)).outcome == "refused"


async def test_flood_of_callers_pushes_out_strangers_but_no_line_and_nobody_known() -> None:
    tallies = Tallies()
    await tallies.put("line", Tally(20, START), "friend", Tally(right_at=START))
    for n in range(MAX_CALLERS + 10):
        await tallies.put("line", Tally(20, START), f"stranger {n}", Tally(1, START))
    assert tallies.caller("friend").right_at == START
    assert tallies.caller("stranger 0") == Tally()
    assert tallies.caller(f"stranger {MAX_CALLERS}").wrong == 1
    assert tallies.line("line").wrong == 20
