"""Holds answers of the REST API to the table of Twilio's shapes (`tests/conformance/api_shapes.json`).

Every property must be there, of the right type, null only where it may be, and there may be no other but
those that are documented as ours.
"""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "conformance" / "api_shapes.json"
ENVELOPE = {
    "page": int, "page_size": int, "start": int, "end": int, "uri": str,
    "first_page_uri": str, "next_page_uri": (str, type(None)), "previous_page_uri": (str, type(None)),
}  # fmt: skip
ERROR = {"code": int, "message": str, "more_info": str, "status": int}
OURS = {"api.v2010.account.conference": {"locked": bool}}
"""Properties that Twilio does not have, of some answers of a resource, and paths that it does not have."""
OUR_PATHS = re.compile(r"/2010-04-01/Accounts/AC\w{32}/Conferences/CF\w{32}/Levels\.json")
ALWAYS_THERE = ("status", "channels", "source", "type")
"""Enumerations that are never null. The table says so of all, Twilio's own examples of few."""
_TYPES = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
}
_RFC2822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000")

Shapes = dict[str, Any]


@cache
def table() -> Shapes:
    loaded: Shapes = json.loads(TABLE.read_text("utf-8"))
    return loaded


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    literal = [(re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(path)), path) for path in table()["paths"]]
    return [(re.compile(pattern), path) for pattern, path in literal]


def operation(method: str, path: str) -> Shapes | None:
    """What the table says of this request; None when it is not in it."""
    for pattern, name in _patterns():
        if pattern.fullmatch(path):
            found: Shapes | None = table()["paths"][name].get(method.lower())
            return found
    return None


def check_answer(method: str, path: str, status: int, body: bytes) -> None:
    """Assert that an answer to this request has the shape that the table gives it."""
    if status >= 400:
        return check_error(status, json.loads(body))
    if OUR_PATHS.fullmatch(path):
        return None
    op = operation(method, path)
    assert op is not None, f"{method} {path} is not in the table"
    assert status == op["status"], f"{method} {path} answered {status}, not {op['status']}"
    if "answer" not in op:
        assert body == b""
        return None
    read = json.loads(body)
    shape, ours = table()["resources"][op["answer"]], OURS.get(op["answer"], {})
    rows = read[op["list"]] if "list" in op else [read]
    for row in rows:
        for name, kind in ours.items():
            assert isinstance(row.pop(name, kind()), kind), name
    if "list" in op:
        check_list(read, op["list"], shape)
    else:
        check_resource(read, shape)
    return None


def check_error(status: int, read: Mapping[str, Any]) -> None:
    assert {name: type(value) for name, value in read.items()} == ERROR
    assert read["status"] == status
    assert str(read["code"]) in read["more_info"]


def check_list(read: Mapping[str, Any], key: str, shape: Shapes) -> None:
    assert set(read) == {*ENVELOPE, key}
    for name, kind in ENVELOPE.items():
        assert isinstance(read[name], kind), name  # type: ignore[arg-type]
    for row in read[key]:
        check_resource(row, shape)


def check_resource(read: Mapping[str, Any], shape: Shapes) -> None:
    assert set(read) == set(shape), f"missing {set(shape) - set(read)}, too much {set(read) - set(shape)}"
    for name, value in read.items():
        _check_value(name, value, shape[name])


def _check_value(name: str, value: Any, shape: Shapes) -> None:
    if value is None:
        may_be = shape.get("nullable") or ("enum" in shape and name not in ALWAYS_THERE)
        assert may_be, f"{name} is null"
        return
    if "type" in shape:
        assert isinstance(value, _TYPES[shape["type"]]), f"{name} is {value!r}, no {shape['type']}"  # type: ignore[arg-type]
        assert not isinstance(value, bool) or shape["type"] == "boolean", f"{name} is {value!r}"
    if "enum" in shape:
        assert value in shape["enum"], f"{name} is {value!r}"
    if "pattern" in shape:
        assert re.fullmatch(shape["pattern"], value), f"{name} is {value!r}"
    if shape.get("format") == "date-time-rfc-2822":
        assert _RFC2822.fullmatch(value), f"{name} is {value!r}"
        assert parsedate_to_datetime(value)
    if shape.get("format") == "uri-map":
        assert all(uri.startswith("/2010-04-01/") and uri.endswith(".json") for uri in value.values())
