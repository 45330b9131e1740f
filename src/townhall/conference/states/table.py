"""The rules as Markdown: one table per state and two of reasons, as they stand in the documentation."""

from collections.abc import Sequence

from townhall.conference.reasons import REASON_LEFT, REASON_LEFT_WITH_THE_REST
from townhall.conference.states import STATES, State


def markdown() -> list[str]:
    """Every table of `docs/explanation/conference.md` that the code can write."""
    return [*(_state_table(state) for state in STATES), _left_table(), _rest_table()]


def _state_table(state: State) -> str:
    rows = [(f"`{rule.event}`", rule.guard or "–", rule.target, rule.notes) for rule in state.rules]
    return _table(("Event", "Guard", "Target", "Notes"), rows)


def _left_table() -> str:
    rows = [(f"`{by}`", f"`{reason}`") for by, reason in REASON_LEFT.items()]
    return _table(("He left by", "`ReasonParticipantLeft`"), rows)


def _rest_table() -> str:
    rows = [(f"`{ended}`", f"`{left}`") for ended, left in REASON_LEFT_WITH_THE_REST.items()]
    return _table(("`ReasonConferenceEnded`", "`ReasonParticipantLeft` of the others"), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


if __name__ == "__main__":
    print("\n\n".join(markdown()))  # noqa: T201  (a writer's tool)
