"""How commands speak: tables for people on a terminal, tab-separated lines for programs behind a pipe."""

import sys
from collections.abc import Iterable, Sequence
from typing import NoReturn

import typer


def complain(message: str) -> None:
    """One line on stderr."""
    print(f"townhall: {' '.join(message.split())}", file=sys.stderr)


def fail(message: str, status: int = 1) -> NoReturn:
    complain(message)
    raise typer.Exit(status)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], none: str) -> None:
    """`none` is said on a terminal when there are no rows."""
    kept = list(rows)
    if not sys.stdout.isatty():
        for row in [columns, *kept]:
            print("\t".join(" ".join(cell.split()) for cell in row))
        return
    if not kept:
        print(none)
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE_HEAD, header_style="bold")
    for row in kept:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Names and values, aligned."""
    kept = list(facts)
    width = max(len(name) for name, _ in kept)
    for name, value in kept:
        print(f"{name:<{width}}  {value}")
