"""The page phone's token and lines: who gets one, what it is good for, and who gets none."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx2
import jwt
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp

from townhall.console.phone import MOST_BODY_BYTES, PhoneLine, PhoneSettings, phone_routes

ACCOUNT = "AC" + "1" * 32
KEY = "SK" + "2" * 32
APPLICATION = "AP" + "3" * 32
SECRET = "page-phones-own-secret-of-32-bytes"
BASE = "https://calls.example.com"
SETTINGS = PhoneSettings(ACCOUNT, KEY, SECRET, APPLICATION, sip_address="sip:{number}@calls.example.com")
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


class Lines:
    async def phone_lines(self) -> Sequence[PhoneLine]:
        return [
            PhoneLine("1000", "Open house", (("1", "Listen"), ("2", "Speak"))),
            PhoneLine("2000", "Board"),
        ]


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Page:
    """A page that asks; `source` is the address it comes from."""

    settings: PhoneSettings = SETTINGS
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self._app: ASGIApp = Starlette(routes=phone_routes(self.settings, Lines(), self.clock))

    async def ask(
        self, *, source: str = "192.0.2.1", headers: dict[str, str] = OWN_PAGE, content: bytes | str = b"{}"
    ) -> httpx2.Response:
        transport = httpx2.ASGITransport(self._app, client=(source, 50000))
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.post("/phone/token", headers=headers, content=content)

    async def lines(self) -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(self._app), base_url=BASE) as client:
            return await client.get("/phone/lines")


def claims(answer: httpx2.Response) -> dict[str, object]:
    assert answer.status_code == 200, answer.text
    decoded: dict[str, object] = jwt.decode(answer.json()["token"], SECRET, algorithms=["HS256"])
    return decoded


async def test_token_is_good_for_calls_to_the_lines_application_alone() -> None:
    answer = await Page().ask()
    token, given = claims(answer), answer.json()
    assert (token["iss"], token["sub"]) == (KEY, ACCOUNT)
    assert token["grants"] == {
        "identity": given["identity"],
        "voice": {"incoming": {"allow": True}, "outgoing": {"application_sid": APPLICATION}},
    }
    assert jwt.get_unverified_header(given["token"])["cty"] == "twilio-fpa;v=1"
    assert given["signal"] == "/signal"


async def test_token_runs_out_when_the_answer_says() -> None:
    answer = await Page(PhoneSettings(ACCOUNT, KEY, SECRET, APPLICATION, ttl_s=90)).ask()
    token = claims(answer)
    assert answer.json()["expires_in_s"] == 90
    assert int(str(token["exp"])) - int(str(token["nbf"])) == 90


async def test_token_is_kept_by_no_cache() -> None:
    assert (await Page().ask()).headers["cache-control"] == "no-store"


async def test_each_page_has_an_identity_of_its_own() -> None:
    page = Page()
    found = {(await page.ask()).json()["identity"] for _ in range(20)}
    assert len(found) == 20
    assert all(name.startswith("web_") and name.replace("_", "").isalnum() for name in found)


async def test_page_keeps_its_identity_with_the_next_token() -> None:
    page = Page()
    first = (await page.ask()).json()
    again = await page.ask(content=f'{{"token": "{first["token"]}"}}')
    assert again.json()["identity"] == first["identity"]
    assert claims(again)["sub"] == ACCOUNT


def forged(secret: str = SECRET, **changed: object) -> str:
    grants = {"identity": "web_1234567890abcdef", "voice": {}}
    whole = {"iss": KEY, "sub": ACCOUNT, "exp": 4_000_000_000, "grants": grants, **changed}
    return jwt.encode({k: v for k, v in whole.items() if v is not None}, secret, algorithm="HS256")


def test_forged_token_of_this_test_is_right_but_for_what_is_changed() -> None:
    assert jwt.decode(forged(), SECRET, algorithms=["HS256"])["grants"]["identity"] == "web_1234567890abcdef"


@pytest.mark.parametrize(
    "token",
    [
        forged("another secret of thirty-two bytes"),
        forged(exp=1_000_000_000),
        forged(iss="SK" + "9" * 32),
        forged(sub="AC" + "9" * 32),
        forged(grants={"identity": "boss"}),
        forged(grants={"identity": ["web_1234567890abcdef"]}),
        forged(grants=None),
        forged(grants="web_1234567890abcdef"),
        jwt.encode({"iss": KEY, "sub": ACCOUNT, "grants": {"identity": "web_1"}}, "", algorithm="none"),
        "web_1234567890abcdef",
        "a.b.c",
        "",
    ],
)
async def test_token_that_is_not_ours_keeps_no_identity(token: str) -> None:
    answer = await Page().ask(content=f'{{"token": "{token}"}}')
    assert answer.json()["identity"] not in ("web_1234567890abcdef", "web_1", "boss")
    assert claims(answer)["iss"] == KEY


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"token"', b'{"token": 5}', b'{"token": {}}', b"\xff\xfe", b"[" * 8000],
)
async def test_body_that_makes_no_sense_is_as_good_as_none(body: bytes) -> None:
    assert (await Page().ask(content=body)).json()["identity"].startswith("web_")


async def test_body_of_megabytes_is_refused() -> None:
    answer = await Page().ask(content=b"x" * (MOST_BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "https://calls.example.com.elsewhere.example"},
        {"Origin": "https://calls.example.com:8443"},
        {"Sec-Fetch-Site": "cross-site", "Origin": BASE},
    ],
)
async def test_page_of_another_site_gets_no_token(headers: dict[str, str]) -> None:
    answer = await Page().ask(headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross-site")


async def test_browser_that_names_only_its_origin_gets_a_token() -> None:
    assert (await Page().ask(headers={"Origin": BASE})).status_code == 200


@pytest.mark.parametrize(
    "public", ["https://town.example", "https://Town.example/", "https://town.example/calls"]
)
async def test_page_behind_a_proxy_is_known_by_the_public_address(public: str) -> None:
    page = Page(PhoneSettings(ACCOUNT, KEY, SECRET, APPLICATION, public_origin=public))
    behind = {"Origin": "https://town.example", "Host": "10.0.0.7:8080"}
    assert (await page.ask(headers=behind)).status_code == 200
    assert (await page.ask(headers={**behind, "Origin": "http://town.example"})).status_code == 403


async def test_source_that_asks_too_often_waits_and_others_do_not() -> None:
    page = Page(PhoneSettings(ACCOUNT, KEY, SECRET, APPLICATION, tokens_per_minute=2))
    assert [(await page.ask()).status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    refused = await page.ask()
    assert refused.headers["retry-after"] == "30"
    assert refused.json()["error"] | {"message": ""} == {
        "code": "too-many",
        "message": "",
        "wait_s": 30,
        "twilio_code": None,
    }
    assert (await page.ask(source="192.0.2.2")).status_code == 200
    page.clock.now += 30
    assert [(await page.ask()).status_code for _ in range(2)] == [200, 429]


async def test_addresses_of_one_ipv6_network_are_one_source() -> None:
    page = Page(PhoneSettings(ACCOUNT, KEY, SECRET, APPLICATION, tokens_per_minute=1))
    sources = ["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff::3", "2001:db8:0:2::1"]
    assert [(await page.ask(source=source)).status_code for source in sources] == [200, 200, 429, 200]


async def test_lines_are_listed_with_their_keys_and_what_a_sip_phone_calls() -> None:
    assert (await Page().lines()).json() == {
        "lines": [
            {"number": "1000", "name": "Open house", "keys": {"1": "Listen", "2": "Speak"}},
            {"number": "2000", "name": "Board", "keys": {}},
        ],
        "address": "sip:{number}@calls.example.com",
    }


@pytest.mark.parametrize(("ttl_s", "secret"), [(601, SECRET), (0, SECRET), (600, "")])
def test_settings_of_a_token_too_long_or_unsigned_are_refused(ttl_s: int, secret: str) -> None:
    with pytest.raises(ValueError, match=r"ttl_s|api_key_secret"):
        PhoneSettings(ACCOUNT, KEY, secret, APPLICATION, ttl_s=ttl_s)
