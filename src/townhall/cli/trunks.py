"""`townhall trunk`: the ways to the telephone network, and how they do.

A rule is a prefix, and what stands in its place when the number is dialled: `+49=0` makes +4930123 030123,
`+=00` is for every international number, `+1` sends numbers as they are, `all` is for everything that is
dialled.
"""

import json
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from townhall.cli.printing import fail, print_table
from townhall.cli.stored import with_store

if TYPE_CHECKING:
    from townhall.store import PrefixRule, Store
    from townhall.store import Trunk as StoredTrunk

app = typer.Typer(help="Manage the trunks that calls to numbers go over.", no_args_is_help=True)


class Transport(StrEnum):
    UDP = "udp"
    TCP = "tcp"


Name = Annotated[str, typer.Argument(metavar="NAME", help="A word of your choice: carrier, sipgate.")]
Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", help="PREFIX or PREFIX=REPLACEMENT of numbers that it takes, or all; repeatable."),
]
Countries = Annotated[
    list[str] | None,
    typer.Option("--country", help="Prefix that may be called, such as +49, or all; repeatable."),
]
Port = Annotated[int | None, typer.Option(help="The trunk's SIP port, 5060 by default.")]
TransportOption = Annotated[Transport | None, typer.Option("--transport", help="udp or tcp.")]
User = Annotated[str | None, typer.Option("--user", help='User name for its challenges; "" for none.')]
Password = Annotated[
    str | None,
    typer.Option("--password", envvar="TOWNHALL_TRUNK_PASSWORD", help="Password; better by the variable."),
]
Register = Annotated[bool | None, typer.Option("--register/--no-register", help="Register there.")]
Priority = Annotated[int | None, typer.Option(help="The lower is tried first; 10 by default.")]
PerMinute = Annotated[int | None, typer.Option("--calls-a-minute", help="Most calls a minute; 0: no limit.")]
Enabled = Annotated[bool | None, typer.Option("--enable/--disable", help="Whether it is used at all.")]


@app.command("list")
def show() -> None:
    """List the trunks in the order in which they are tried."""
    rows = [
        (
            trunk.name,
            f"{trunk.transport}:{trunk.host}:{trunk.port}",
            "  ".join(_rule_text(rule) for rule in trunk.rules) or "none",
            " ".join(trunk.countries) or "none",
            str(trunk.priority),
            ("" if trunk.enabled else "disabled ") + ("registers" if trunk.register else ""),
        )
        for trunk in with_store(_all)
    ]
    columns = ("Trunk", "Address", "Rules", "Countries", "Priority", "")
    print_table(columns, rows, "There are no trunks; `townhall trunk add NAME HOST` makes one.")


@app.command()
def add(
    name: Name,
    host: Annotated[str, typer.Argument(metavar="HOST", help="The trunk's host name or address.")],
    rule: Rules = None,
    country: Countries = None,
    port: Port = None,
    transport: TransportOption = None,
    user: User = None,
    password: Password = None,
    register: Register = None,
    priority: Priority = None,
    calls_a_minute: PerMinute = None,
    enable: Enabled = None,
) -> None:
    """Add a trunk. It takes no number before it has a rule and a country."""
    given = _given(rule, country, port, transport, user, password, register, priority, calls_a_minute, enable)

    async def work(store: "Store") -> None:
        from townhall.store import Trunk

        trunk = Trunk(name=name, host=host, **given)
        _refuse_bad(trunk)
        await store.trunks.add(trunk)

    with_store(work)
    print(f"Trunk {name} is added.")
    if not given.get("rules") or not given.get("countries"):
        print("It takes no number yet: give it a --rule and a --country with `townhall trunk change`.")


@app.command()
def change(
    name: Name,
    host: Annotated[str | None, typer.Option(help="The trunk's host name or address.")] = None,
    rule: Rules = None,
    country: Countries = None,
    port: Port = None,
    transport: TransportOption = None,
    user: User = None,
    password: Password = None,
    register: Register = None,
    priority: Priority = None,
    calls_a_minute: PerMinute = None,
    enable: Enabled = None,
) -> None:
    """Change what you name; the rest stays. Rules and countries take the place of all that were there."""
    given = _given(rule, country, port, transport, user, password, register, priority, calls_a_minute, enable)
    if host is not None:
        given["host"] = host
    if not given:
        fail("nothing to change; `townhall trunk change --help` lists what can be", 2)

    async def work(store: "Store") -> None:
        trunk = await _find(store, name)
        _refuse_bad(replace(trunk, **given))
        await store.trunks.change(trunk.sid, **given)

    with_store(work)
    print(f"Trunk {name} is changed.")


@app.command()
def remove(name: Name) -> None:
    """Remove a trunk. Calls that are under way go on."""

    async def work(store: "Store") -> None:
        await store.trunks.remove((await _find(store, name)).sid)

    with_store(work)
    print(f"Trunk {name} is removed.")


@app.command()
def status() -> None:
    """Show which trunks the running server has heard of, and which are registered."""
    from townhall.calls.trunks import STATES_FILE
    from townhall.settings import load_settings

    path = load_settings().data_dir / STATES_FILE
    try:
        states = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        fail("no server is running here, or it has not looked at the trunks yet")
    rows = [
        (
            state["name"],
            {True: "answers", False: "does not answer", None: "not asked yet"}[state["answers"]],
            {True: "registered", False: "not registered", None: ""}[state["registered"]],
            state["detail"],
        )
        for state in states
    ]
    print_table(("Trunk", "OPTIONS", "Registration", ""), rows, "There are no trunks that are enabled.")
    raise typer.Exit(
        0 if all(s["answers"] is not False and s["registered"] is not False for s in states) else 1
    )


async def _all(store: "Store") -> "list[StoredTrunk]":
    return list(await store.trunks.list())


async def _find(store: "Store", name: str) -> "StoredTrunk":
    trunk = await store.trunks.by_name(name)
    if trunk is None:
        fail(f"there is no trunk {name!r}; `townhall trunk list` shows those that there are")
    return trunk


def _refuse_bad(trunk: "StoredTrunk") -> None:
    """End with status 2 when a value of the trunk cannot be used."""
    from townhall.store import StoreError
    from townhall.store.validation import check_trunk

    if trunk.register and not (trunk.username and trunk.password):
        fail("a trunk that is to be registered at needs --user and --password", 2)
    try:
        check_trunk(trunk)
    except StoreError as error:
        fail(str(error), 2)


def _given(
    rules: list[str] | None,
    countries: list[str] | None,
    port: int | None,
    transport: Transport | None,
    user: str | None,
    password: str | None,
    register: bool | None,
    priority: int | None,
    calls_a_minute: int | None,
    enable: bool | None,
) -> dict[str, Any]:
    """The store's fields for the options that were used."""
    given: dict[str, Any] = {
        "port": port,
        "transport": transport.value if transport else None,
        "register": register,
        "priority": priority,
        "enabled": enable,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if rules is not None:
        given["rules"] = tuple(_rule(text) for text in rules)
    if countries is not None:
        every = tuple(f"+{digit}" for digit in range(1, 10))
        given["countries"] = every if countries == ["all"] else tuple(countries)
    if user is not None:
        given["username"] = user or None
    if password is not None:
        given["password"] = password or None
    if calls_a_minute is not None:
        given["calls_a_minute"] = calls_a_minute or None
    return given


def _rule(text: str) -> "PrefixRule":
    from townhall.store import PrefixRule

    prefix, replaced, replacement = text.partition("=")
    prefix = "" if prefix == "all" else prefix
    allowed = set("+0123456789*#")
    if not set(prefix) <= allowed or not set(replacement) <= allowed:
        fail(f"rule {text!r}: expected a prefix such as +49, one with a replacement such as +49=0, or all", 2)
    return PrefixRule(prefix, len(prefix) if replaced else 0, replacement)


def _rule_text(rule: "PrefixRule") -> str:
    if not rule.strip and not rule.add:
        return rule.prefix or "all"
    if rule.strip == len(rule.prefix):
        return f"{rule.prefix or 'all'}={rule.add}"
    return f"{rule.prefix or 'all'} (without {rule.strip}, with {rule.add or 'nothing'} before)"
