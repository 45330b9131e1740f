"""Only requests that carry a valid `X-Twilio-Signature` are answered.

The signature covers the public URL as the sender knows it: `base_url` and the request's path and query,
whatever proxy stands in between.
"""

from functools import lru_cache
from urllib.parse import unquote_plus

from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from twilio.request_validator import RequestValidator, compare

MAX_BODY_BYTES = 64 * 1024
MAX_PARAMETERS = 500
_SHORT = 200
"""Characters of a value that is remembered decoded."""

Parameters = ImmutableMultiDict[str, str]


class SignatureCheck:
    def __init__(self, auth_token: str, base_url: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._base_url = base_url.rstrip("/")

    async def parameters(self, request: Request) -> Parameters:
        """The webhook's parameters, of URL and form together; raises `HTTPException` 403, 413 or 400."""
        form = _pairs(await _body(request)) if _is_form(request) else []
        path = request.scope.get("raw_path") or request.scope["path"].encode()
        query = request.scope["query_string"]
        url = self._base_url + path.partition(b"?")[0].decode("latin-1")
        url += f"?{query.decode('latin-1')}" if query else ""
        signature = request.headers.get("X-Twilio-Signature", "")
        if not self._fits(url, form, signature):
            raise HTTPException(403, "The X-Twilio-Signature does not fit this request and its public URL.")
        return ImmutableMultiDict(_pairs(query) + form)

    def _fits(self, url: str, pairs: list[tuple[str, str]], signature: str) -> bool:
        form = _Form(pairs)
        # Nearly always the URL was signed as it stands; only else are its other spellings worth their time.
        at_once = compare(self._validator.compute_signature(url, form), signature)
        return bool(at_once or self._validator.validate(url, form, signature))


class _Form(dict[str, list[str]]):
    """A form as the validator asks for it first: its other ways begin with an exception for each name."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getall(self, name: str) -> list[str]:
        return self[name]


def _is_form(request: Request) -> bool:
    content_type = request.headers.get("content-type", "")
    return (
        request.method == "POST"
        and content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"
    )


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"A webhook's form has at most {MAX_BODY_BYTES} bytes.")
    return body


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    """What `parse_qsl` makes of it, blanks kept, in a third of its time: every call asks several times."""
    try:
        text = encoded.decode("utf-8")
    except ValueError:
        raise HTTPException(400, "The parameters are not form-encoded UTF-8.") from None
    fields = text.split("&")
    if len(fields) > MAX_PARAMETERS:
        raise HTTPException(400, f"A webhook has at most {MAX_PARAMETERS} parameters.")
    pairs = (field.partition("=") for field in fields if field)
    return [(_plain(name), _plain(value)) for name, _, value in pairs]


def _plain(encoded: str) -> str:
    if "%" not in encoded and "+" not in encoded:
        return encoded
    return _unquoted(encoded) if len(encoded) <= _SHORT else unquote_plus(encoded)


_unquoted = lru_cache(maxsize=2048)(unquote_plus)
"""The same caller and the same number are named again and again."""
