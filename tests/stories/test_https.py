"""A server with a certificate: calls, the REST API, callbacks to itself, renewal without a call lost."""

import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.harness.certificates import make_certificates
from tests.harness.documents import conference
from tests.harness.numbers import install
from tests.harness.server import ACCOUNT_SID, AUTH_TOKEN, ServerFailed, TownhallServer
from tests.harness.story import Story
from tests.harness.webhook import Webhook


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    make_certificates(directory)
    return directory


def put(made: Path, name: str, server: TownhallServer) -> None:
    for kind in ("crt", "key"):
        (server.data_dir / f"new.{kind}").write_bytes((made / f"{name}.{kind}").read_bytes())
        (server.data_dir / f"new.{kind}").rename(server.data_dir / f"tls.{kind}")


@pytest.fixture
def secure(made: Path, tmp_path: Path, webhook: Webhook) -> Iterator[TownhallServer]:
    install(tmp_path / "townhall.db", webhook)
    files = {"tls_cert": str(tmp_path / "tls.crt"), "tls_key": str(tmp_path / "tls.key")}
    server = TownhallServer(tmp_path, webhook_inner_origins=webhook.url, **files)
    server.authority = made / "ca.pem"
    put(made, "good", server)
    with server:
        yield server


def shown_by(server: TownhallServer) -> str:
    return ssl.get_server_certificate((server.address, server.http_port)).strip()


async def test_renewed_certificate_is_shown_and_no_call_is_lost(
    made: Path, secure: TownhallServer, webhook: Webhook
) -> None:
    async with Story(secure, webhook) as story:
        for name in ("ann", "ben"):
            await story.call(name, conference(story.room, beep="false"))
        await story.hear({"ann": "ben", "ben": "ann"})
        trusted = ssl.create_default_context(cafile=made / "ca.pem")
        trusted.check_hostname = False
        async with httpx2.AsyncClient(verify=trusted, auth=(ACCOUNT_SID, AUTH_TOKEN)) as client:
            url = f"{secure.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Conferences.json?Status=in-progress"
            (room,) = (await client.get(url)).json()["conferences"]
            assert room["friendly_name"] == story.room
        assert shown_by(secure) == (made / "good.crt").read_text().strip()
        put(made, "other_name", secure)
        began = len(secure.log)
        secure.signal(signal.SIGHUP)
        await story.logged("certificate read; valid until 2120-01-01", began)
        assert shown_by(secure) == (made / "other_name.crt").read_text().strip()
        await story.hear({"ann": "ben", "ben": "ann"})


async def test_menu_of_our_own_application_works_over_https(secure: TownhallServer, webhook: Webhook) -> None:
    async with Story(secure, webhook) as story:
        moderator = await story.dial("moderator", "1000")
        await moderator.press("3")
        speaker = await story.dial("speaker", "1000")
        await speaker.press("2")
        await story.hear({"moderator": "speaker", "speaker": "moderator"})


def test_status_command_trusts_the_server_s_own_certificate(secure: TownhallServer) -> None:
    told = secure.command("status")
    assert "listens at" in told.stdout


def test_server_with_an_expired_certificate_does_not_start(made: Path, tmp_path: Path) -> None:
    files = {"tls_cert": str(made / "expired.crt"), "tls_key": str(made / "expired.key")}
    with pytest.raises(ServerFailed, match=r"TOWNHALL_TLS_CERT: .*expired\.crt expired on 2020-01-02"):
        TownhallServer(tmp_path, **files).start()
