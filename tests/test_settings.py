"""Environment over file over defaults; every fault is one line that says what to do and shows no secret."""

import os
from pathlib import Path

import pytest

from townhall.settings import Settings, SettingsError, load_settings


def load(tmp_path: Path, **settings: str) -> Settings:
    env = {f"TOWNHALL_{name.upper()}": value for name, value in settings.items()}
    return load_settings({"HOME": str(tmp_path), "TOWNHALL_DATA_DIR": str(tmp_path / "data")} | env, tmp_path)


def test_defaults_open_nothing_to_the_network(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.bind == ("127.0.0.1",)
    assert (settings.http_port, settings.sip_port, settings.rtp_ports) == (8080, 5060, (20000, 20063))
    assert settings.media_silence_s == 30
    assert settings.base_url == "http://127.0.0.1:8080"
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/data/townhall.db"


@pytest.mark.parametrize(
    ("environment", "data_dir"),
    [
        ({}, "home/.local/share/townhall"),
        ({"XDG_DATA_HOME": "{tmp}/shared"}, "shared/townhall"),
        ({"TOWNHALL_DATA_DIR": "{tmp}/mine"}, "mine"),
        ({"TOWNHALL_DATA_DIR": ""}, "home/.local/share/townhall"),
    ],
)
def test_data_dir_found_in_its_usual_places(
    tmp_path: Path, environment: dict[str, str], data_dir: str
) -> None:
    env = {name: value.format(tmp=tmp_path) for name, value in environment.items()}
    settings = load_settings({"HOME": str(tmp_path / "home")} | env, tmp_path)
    assert settings.data_dir == tmp_path / data_dir


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "townhall.toml").write_text(
        'http_port = 9000\nsip_port = 5070\nbind = ["::1", "127.0.0.1"]\n'
    )
    settings = load(tmp_path, http_port="9001")
    assert (settings.http_port, settings.sip_port) == (9001, 5070)
    assert settings.bind == ("::1", "127.0.0.1")
    assert settings.base_url == "http://[::1]:9001"


def test_file_named_by_the_environment_wins_over_the_one_at_hand(tmp_path: Path) -> None:
    (tmp_path / "townhall.toml").write_text("http_port = 9000\n")
    (tmp_path / "other.toml").write_text('sip_port = 5071\n[sip_users]\nanna = "pass word"\n')
    settings = load(tmp_path, config=str(tmp_path / "other.toml"))
    assert (settings.http_port, settings.sip_port) == (8080, 5071)
    assert settings.sip_password("anna") == "pass word"
    assert settings.sip_password("berta") is None


def test_file_in_the_data_dir_is_found(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "townhall.toml").write_text("max_calls = 7\n")
    assert load(tmp_path).max_calls == 7


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("bind", "0.0.0.0, ::", ("0.0.0.0", "::")),
        ("bind", "[::1] localhost", ("::1", "127.0.0.1")),
        ("http_bind", "127.0.0.1", ("127.0.0.1",)),
        ("http_port", "0", 0),
        ("rtp_ports", "30000-30001", (30000, 30001)),
        ("ice_port", "3478", 3478),
        ("media_workers", " 2 ", 2),
        ("codecs", "g.722, pcma", ("G722", "PCMA")),
        ("codecs", "PCMU PCMA G722 PCMU", ("PCMU", "PCMA", "G722")),
        ("public_url", "https://calls.example.com/town/", "https://calls.example.com/town"),
        ("public_host", "[2001:db8::5]", "2001:db8::5"),
        ("public_host", "sip.example.com", "sip.example.com"),
        ("database_url", "postgres://a:b@db/town", "postgresql+asyncpg://a:b@db/town"),
        ("database_url", "sqlite:////var/t.db", "sqlite+aiosqlite:////var/t.db"),
        (
            "webhook_inner_origins",
            "http://127.0.0.1:5000/ http://App:80",
            ("http://127.0.0.1:5000", "http://app:80"),
        ),
        ("media_silence_s", "0", 0.0),
        ("auto_gain", "no", False),
        ("noise_suppression", "yes", True),
        ("speech_pause_ms", "900", 900),
        ("hold_music_s", "0", 0.0),
        ("loudest_talkers", "6", 6),
        ("max_calls", "1", 1),
        ("log_level", "DEBUG", "debug"),
        ("log_format", "json", "json"),
    ],
)
def test_setting_given_well_is_read(tmp_path: Path, name: str, text: str, value: object) -> None:
    assert getattr(load(tmp_path, **{name: text}), name) == value


def test_media_workers_auto_leave_a_core_to_control(tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert load(tmp_path, media_workers="Auto").media_workers == min(32, max(1, cores - 1))


def test_ports_of_browsers_in_all_processes_are_apart_from_the_others(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="with the 1 after it outside 20000-20063"):
        load(tmp_path, media_workers="2", ice_port="19999")
    with pytest.raises(SettingsError, match=r"with the 2 after it .* not sip_port"):
        load(tmp_path, media_workers="3", ice_port="5058")
    with pytest.raises(SettingsError, match="up to 65534"):
        load(tmp_path, media_workers="2", ice_port="65535")


@pytest.mark.parametrize(
    ("settings", "port"),
    [
        ({}, 20064),
        ({"rtp_ports": "30000-30001"}, 30002),
        ({"rtp_ports": "64000-65535"}, 63999),
        ({"ice_port": "0"}, 0),
        ({"media_workers": "3"}, 20064),
        ({"media_workers": "3", "rtp_ports": "64000-65533"}, 63997),
    ],
)
def test_browsers_port_lies_beside_the_rtp_ports_unless_it_is_set(
    tmp_path: Path, settings: dict[str, str], port: int
) -> None:
    assert load(tmp_path, **settings).browser_port == port


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("bind", "example.com", ["'example.com'", "IP addresses"]),
        ("bind", ",", ["','", "IP addresses"]),
        ("http_port", "65536", ["'65536'", "0 to 65535"]),
        ("http_port", "5060", ["5060", "other than sip_port"]),
        ("sip_port", "sip", ["'sip'", "0 to 65535"]),
        ("sip_port", "20010", ["20000-20063", "without sip_port 20010"]),
        ("rtp_ports", "20001-20010", ["'20001-20010'", "even"]),
        ("rtp_ports", "20000", ["'20000'", "20000-20063"]),
        ("rtp_ports", "20000-20000", ["at least two ports"]),
        ("rtp_ports", "65000-70000", ["1024-65535"]),
        ("ice_port", "20010", ["20010", "outside 20000-20063"]),
        ("ice_port", "5060", ["5060", "not sip_port"]),
        ("media_workers", "0", ["'0'", "1 to 64", "auto"]),
        ("media_workers", "33", ["33", "each pair of 20000-20063"]),
        ("account_sid", "AC12", ["'AC12'", "32 hexadecimal digits"]),
        ("codecs", "PCMU,G729", ["'PCMU,G729'", "PCMU, PCMA and G722"]),
        ("codecs", "G722", ["'G722'", "PCMU or PCMA among them"]),
        ("public_url", "ftp://x", ["'ftp://x'", "https://"]),
        ("public_url", "https://x/?a=b", ["without user, query or fragment"]),
        ("public_url", "https://[::1", ["https://"]),
        ("public_host", "a b", ["'a b'", "a host name or an IP address"]),
        ("webhook_inner_origins", "http://127.0.0.1/path", ["without a path"]),
        ("media_silence_s", "soon", ["'soon'", "seconds"]),
        ("auto_gain", "loud", ["'loud'", "true or false"]),
        ("speech_pause_ms", "50", ["'50'", "100 to 10000"]),
        ("hold_music_s", "-1", ["'-1'", "0 (never)"]),
        ("loudest_talkers", "few", ["'few'", "0 (all)"]),
        ("media_silence_s", "nan", ["'nan'", "seconds"]),
        ("max_calls", "0", ["'0'", "1 to 100000"]),
        ("log_level", "loud", ["'loud'", "debug, info, warning or error"]),
        ("log_format", "xml", ["'xml'", "text or json"]),
        ("sip_users_file", "/nowhere/users", ["/nowhere/users", "No such file"]),
        ("config", "/nowhere/t.toml", ["TOWNHALL_CONFIG", "/nowhere/t.toml"]),
        ("htpp_port", "1", ["TOWNHALL_HTPP_PORT", "did you mean TOWNHALL_HTTP_PORT?"]),
        ("zzz", "1", ["no such setting", "docs/reference/settings.md"]),
        ("max_calls", "9" * 500, ["…", "1 to 100000"]),
    ],
)
def test_setting_given_badly_is_refused_in_one_line(
    tmp_path: Path, name: str, text: str, said: list[str]
) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, **{name: text})
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 300
    for part in said:
        assert part in message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("auth_token", "hush-hush"),
        ("auth_token", "hush hush hush hush"),
        ("sip_users", "anna=hush-hush berta"),
        ("sip_users", "anna=hush-hush anna=hush-hush"),
        ("database_url", "mysql://me:hush-hush@host/db"),
    ],
)
def test_bad_secret_is_not_repeated(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, **{name: text})
    assert "hush" not in str(error.value)
    assert f"TOWNHALL_{name.upper()}" in str(error.value)


def test_secrets_never_show_in_the_settings(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        auth_token="hush-hush-hush-hush",
        sip_users="anna=hush-hush",
        database_url="postgresql://me:hush-hush@host/db",
    )
    assert settings.auth_token.get_secret_value() == "hush-hush-hush-hush"
    assert settings.sip_password("anna") == "hush-hush"
    assert "hush" not in repr(settings)
    assert "hush" not in str(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http_port = ", "not a TOML file"),
        ("htp_port = 1", "did you mean http_port in"),
        ("http_port = [1]", "http_port in"),
        ("bind = 5", "bind in"),
        ("sip_users = 5", "sip_users in"),
        ("data_dir = 5", "data_dir"),
        ("sip_users_file = 5", "sip_users_file"),
    ],
)
def test_bad_file_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "townhall.toml").write_text(text)
    with pytest.raises(SettingsError) as error:
        load_settings({"HOME": str(tmp_path)}, tmp_path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_users_are_read_from_their_file(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("anna=one\nberta=two\n")
    settings = load(tmp_path, sip_users_file=str(tmp_path / "users"))
    assert (settings.sip_password("anna"), settings.sip_password("berta")) == ("one", "two")
    with pytest.raises(SettingsError, match="one of the two"):
        load(tmp_path, sip_users_file=str(tmp_path / "users"), sip_users="carla=three")


def test_credentials_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    first = load(tmp_path)
    kept = tmp_path / "data" / "credentials.toml"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in kept.parent.iterdir()] == ["credentials.toml"]
    second = load(tmp_path)
    assert (second.account_sid, second.auth_token) == (first.account_sid, first.auth_token)
    given = load(tmp_path, auth_token="a-token-of-my-own")
    assert given.account_sid == first.account_sid
    assert given.auth_token.get_secret_value() == "a-token-of-my-own"


def test_operators_password_is_added_to_credentials_of_before(tmp_path: Path) -> None:
    first = load(tmp_path)
    kept = tmp_path / "data" / "credentials.toml"
    lines = [line for line in kept.read_text().splitlines() if "operator_password" not in line]
    kept.write_text("\n".join(lines))
    second = load(tmp_path)
    assert (second.account_sid, second.auth_token) == (first.account_sid, first.auth_token)
    password = second.operator_password.get_secret_value()
    assert len(password) == 19
    assert password != first.operator_password.get_secret_value()
    assert load(tmp_path).operator_password == second.operator_password
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in kept.parent.iterdir()] == ["credentials.toml"]


def test_short_password_of_the_operator_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"OPERATOR_PASSWORD.*12 to 128") as refused:
        load(tmp_path, operator_password="town-hall")
    assert "town-hall" not in str(refused.value)


def test_damaged_credentials_are_refused_not_replaced(tmp_path: Path) -> None:
    load(tmp_path)
    kept = tmp_path / "data" / "credentials.toml"
    kept.write_text("account_sid = ")
    with pytest.raises(SettingsError, match="damaged"):
        load(tmp_path)
    assert kept.read_text() == "account_sid = "


@pytest.mark.parametrize(("given", "missing"), [("tls_cert", "tls_key"), ("tls_key", "tls_cert")])
def test_certificate_without_its_key_is_refused(tmp_path: Path, given: str, missing: str) -> None:
    said = f"TOWNHALL_{given.upper()}: read '?/here.pem'?; allowed is both or neither: {missing} is not set"
    with pytest.raises(SettingsError, match=said):
        load(tmp_path, **{given: "/here.pem"})


def test_certificate_makes_the_address_https(tmp_path: Path) -> None:
    settings = load(tmp_path, tls_cert="/here/cert.pem", tls_key="/here/key.pem")
    assert settings.base_url == settings.local_url == "https://127.0.0.1:8080"
    named = load(tmp_path, tls_cert="/c", tls_key="/k", public_url="https://calls.example.com")
    assert (named.base_url, named.local_url) == ("https://calls.example.com", "https://127.0.0.1:8080")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ()),
        ("127.0.0.1", ("127.0.0.1/32",)),
        ("10.1.2.3/8, ::1", ("10.0.0.0/8", "::1/128")),
    ],
)
def test_trusted_proxies_are_addresses_and_networks(
    tmp_path: Path, text: str, value: tuple[str, ...]
) -> None:
    assert load(tmp_path, trusted_proxies=text).trusted_proxies == value


@pytest.mark.parametrize("text", ["caddy", "*", "10.0.0.0/40", "127.0.0.1 caddy.example.com"])
def test_proxy_that_is_no_address_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"TRUSTED_PROXIES.*IP addresses and networks"):
        load(tmp_path, trusted_proxies=text)


def test_web_server_may_listen_elsewhere_than_the_calls(tmp_path: Path) -> None:
    assert load(tmp_path, bind="0.0.0.0", http_bind="127.0.0.9").local_url == "http://127.0.0.9:8080"


@pytest.mark.parametrize(
    ("given", "most"),
    [({}, 1500), ({"max_calls": "1"}, 1), ({"max_calls": "10"}, 7), ({"calls_per_source": "2000"}, 2000)],
)
def test_one_source_may_hold_three_quarters_of_all_calls(
    tmp_path: Path, given: dict[str, str], most: int
) -> None:
    assert load(tmp_path, **given).most_of_source == most
