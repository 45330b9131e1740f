"""Pages and their files: what is in the folder and nothing else, with headers that let no script in."""

from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from tests.harness.console_house import BASE, ConsoleHouse

from townhall.console.pages import HEADERS, Pages, SafeHeaders
from townhall.console.refusals import Refusal, on_refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("phone/index.html", "console/index.html", "shared/base.css", "console/app.js"):
        file = tmp_path / "static" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"/* {name} */")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "static" / ".hidden").write_text("secret")
    return tmp_path / "static"


@pytest.fixture
def client(folder: Path) -> httpx2.AsyncClient:
    app = Starlette(
        routes=Pages(folder).routes(),
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={Refusal: on_refusal},
    )
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=BASE)


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/", "text/html; charset=utf-8", "/* phone/index.html */"),
        ("/console", "text/html; charset=utf-8", "/* console/index.html */"),
        ("/static/shared/base.css", "text/css; charset=utf-8", "/* shared/base.css */"),
        ("/static/console/app.js", "text/javascript; charset=utf-8", "/* console/app.js */"),
    ],
)
async def test_file_is_served_with_its_type(
    client: httpx2.AsyncClient, path: str, kind: str, text: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (200, kind, text)
    assert answer.headers["cache-control"] == "no-cache"


async def test_known_file_is_not_sent_again_until_it_changes(
    client: httpx2.AsyncClient, folder: Path
) -> None:
    tag = (await client.get("/static/shared/base.css")).headers["etag"]
    again = await client.get("/static/shared/base.css", headers={"if-none-match": f'W/"x", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    (folder / "shared/base.css").write_text("changed, and longer than it was")
    changed = await client.get("/static/shared/base.css", headers={"if-none-match": tag})
    assert (changed.status_code, changed.text) == (200, "changed, and longer than it was")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../secret.txt",
        "/static/..%2fsecret.txt",
        "/static/%2e%2e/secret.txt",
        "/static/shared/..%2f..%2fsecret.txt",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/..%5csecret.txt",
        "/static/.hidden",
        "/static/shared",
        "/static/",
        "/static/shared/base.css%00.js",
        "/static/" + "a/" * 2_000,
        "/static/" + "a" * 5_000,
    ],
)
async def test_nothing_outside_the_folder_is_served(client: httpx2.AsyncClient, path: str) -> None:
    request = httpx2.Request("GET", BASE, headers={"host": "calls.example.com"})
    request.url = httpx2.URL(BASE).copy_with(raw_path=path.encode())
    answer = await client.send(request)
    assert answer.status_code == 404
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/", "/static/none.js", "/console/session", "/console/events", "/nowhere"])
async def test_every_answer_carries_the_safe_headers(house: ConsoleHouse, path: str) -> None:
    answer = await house.browser().client.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in answer.headers["content-security-policy"]


async def test_errors_of_unknown_paths_and_methods_are_json(house: ConsoleHouse) -> None:
    client = house.browser().client
    assert (await client.get("/console/nothing")).json()["error"]["code"] == "not-found"
    wrong = await client.delete("/console/session")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "bad-request")
