"""An OpenAPI document of what the REST API has, made from the compact table of shapes.

It is for generating requests: path parameters are known SIDs (stand-ins such as `known-CA`, to be replaced by
what is really there), well-formed unknown ones, and anything; form fields are what their types say, mixed
with values that lead somewhere.
"""

import json
import re
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "conformance" / "api_shapes.json"
KNOWN = "known-"
Shape = dict[str, Any]

_PREFIXES = {
    "Accounts": "AC", "Applications": "AP", "Calls": "CA", "Conferences": "CF", "Events": "EV",
    "IncomingPhoneNumbers": "PN", "Keys": "SK", "Members": "CA", "Notifications": "NO", "Participants": "CA",
    "Queues": "QU", "Recordings": "RE", "SigningKeys": "SK",
}  # fmt: skip
_WORDS: dict[str, tuple[str, ...]] = {
    "To": ("+15550123456", "client:nobody", "sip:nobody@phones.example", "app:AP0"),
    "From": ("+15550123456", "client:nobody", "1000"),
    "CallSidToCoach": (f"{KNOWN}CA",),
    "Twiml": ("<Response/>", "<Response><Say>Hello</Say></Response>", "<Response>"),
    "PageToken": ("PACA0", "x"),
    "PhoneNumber": ("+15550123456",),
}
_URLS = ("http://127.0.0.1:9/nobody", "https://x.example/a?b=c#rc=1", "", "ftp://x.example/", "/a")


def describe() -> Shape:
    """The document; `security` is left to the caller."""
    table = json.loads(TABLE.read_text("utf-8"))
    return {
        "openapi": "3.0.3",
        "info": {"title": "REST API 2010-04-01", "version": table["version"]},
        "paths": {
            path: {method: _operation(path, method, op) for method, op in operations.items()}
            for path, operations in table["paths"].items()
        },
    }


def _operation(path: str, method: str, op: Shape) -> Shape:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _sid(prefix)}
        for name, prefix in path_parameters(path)
    ]
    parameters += [
        {"name": name, "in": "query", "schema": _mixed(name, shape)} for name, shape in op["query"].items()
    ]
    found: Shape = {"parameters": parameters, "responses": {"default": {"description": "Any answer"}}}
    if op.get("form"):
        properties = {name: _mixed(name, shape) for name, shape in op["form"].items()}
        form = {"type": "object", "properties": properties, "additionalProperties": False}
        found["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
    return found


def path_parameters(path: str) -> list[tuple[str, str]]:
    """The parameters in a path, and the prefix of the SIDs that stand there."""
    found = re.findall(r"/(\w+)/\{(\w+)\}", path)
    return [(name, _PREFIXES[resource]) for resource, name in found]


def _sid(prefix: str) -> Shape:
    if prefix == "AC":
        return {"type": "string", "enum": [f"{KNOWN}AC"]}
    known = {"enum": [f"{KNOWN}{prefix}", f"{KNOWN}{prefix}", "Front"]}
    unknown = {"type": "string", "pattern": f"^{prefix}[0-9a-f]{{32}}$"}
    return {"anyOf": [known, unknown, {"type": "string", "minLength": 1, "maxLength": 40}]}


def _mixed(name: str, shape: Shape) -> Shape:
    """A parameter's own shape, beside words that mean something there."""
    words = _URLS if shape.get("format") == "uri" else _WORDS.get(name, ())
    plain = {key: value for key, value in shape.items() if key not in ("format", "nullable")}
    return {"anyOf": [plain, {"type": "string", "enum": list(words)}]} if words else plain
