"""The settings themselves: names, kinds, defaults, and what follows from them."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from townhall.settings import values

_Port = Annotated[int, Field(ge=0, le=65535)]
_Word = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)


class Settings(BaseModel):
    """All settings, checked. docs/reference/settings.md says what each one is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Annotated[Path, BeforeValidator(values.path)]
    bind: Annotated[tuple[str, ...], BeforeValidator(values.hosts)] = ("127.0.0.1",)
    http_bind: Annotated[tuple[str, ...], BeforeValidator(values.hosts)] | None = None
    http_port: _Port = 8080
    sip_port: _Port = 5060
    rtp_ports: Annotated[tuple[int, int], BeforeValidator(values.rtp_ports)] = (20000, 20063)
    ice_port: _Port | None = None
    codecs: Annotated[tuple[values.PhoneCodec, ...], BeforeValidator(values.codecs)] = (
        "G722",
        "PCMU",
        "PCMA",
    )
    media_workers: Annotated[int, BeforeValidator(values.workers)] = 1
    public_url: Annotated[str, BeforeValidator(values.public_url)] | None = None
    public_host: Annotated[str, BeforeValidator(values.host)] | None = None
    tls_cert: Annotated[Path, BeforeValidator(values.path)] | None = None
    tls_key: Annotated[Path, BeforeValidator(values.path)] | None = None
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(values.networks)] = ()
    account_sid: Annotated[str, BeforeValidator(values.account_sid)]
    auth_token: Annotated[SecretStr, BeforeValidator(values.auth_token)]
    operator_password: Annotated[SecretStr, BeforeValidator(values.operator_password)]
    database_url: Annotated[str, BeforeValidator(values.database_url)] = Field(repr=False)
    sip_domain: Annotated[str, BeforeValidator(values.host)] | None = None
    sip_users: Annotated[dict[str, SecretStr], BeforeValidator(values.sip_users)] = {}
    sip_users_file: Annotated[Path, BeforeValidator(values.path)] | None = None
    auto_gain: bool = True
    noise_suppression: bool = False
    speech_pause_ms: Annotated[int, Field(ge=100, le=10_000)] = 600
    hold_music_s: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 30.0
    loudest_talkers: Annotated[int, Field(ge=0, le=100_000)] = 0
    media_silence_s: Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)] = 30.0
    max_calls: Annotated[int, Field(ge=1, le=100_000)] = 2000
    busy_share: Annotated[float, Field(ge=0.01, le=1, allow_inf_nan=False)] = 0.8
    calls_per_source: Annotated[int, Field(ge=1, le=100_000)] | None = None
    api_requests_per_second: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = 100.0
    callback_hours: Annotated[float, Field(ge=0, le=168, allow_inf_nan=False)] = 4.0
    callbacks_waiting: Annotated[int, Field(ge=100, le=1_000_000)] = 50_000
    recordings_keep_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    webhook_inner_origins: Annotated[tuple[str, ...], BeforeValidator(values.origins)] = ()
    sip_inner_hosts: Annotated[tuple[str, ...], BeforeValidator(values.sip_hosts)] = ()
    calls_per_minute: Annotated[int, Field(ge=0, le=100_000)] = 60
    call_premium: bool = False
    call_emergency: bool = False
    voice_python: Annotated[Path, BeforeValidator(values.path)] | None = None
    opus_library: Annotated[Path, BeforeValidator(values.path)] | None = None
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _Word] = "info"
    log_format: Annotated[Literal["text", "json"], _Word] = "text"

    @model_validator(mode="after")
    def _ports_apart(self) -> Self:
        """A fault of several settings says itself what it is: name, what was read, what is allowed."""
        first, last = self.rtp_ports
        if first <= self.sip_port <= last:
            raise ValueError(f"rtp_ports\n{first}-{last}\na range without sip_port {self.sip_port}")
        ice = self.browser_port
        last_ice = ice + self.media_workers - 1 if ice else 0
        if (first <= last_ice and ice <= last) or ice <= self.sip_port <= last_ice != 0:
            several = f" with the {self.media_workers - 1} after it" if self.media_workers > 1 else ""
            raise ValueError(
                f"ice_port\n{ice}\na port{several} outside {first}-{last}, which is not sip_port either"
            )
        if last_ice > 65535:
            raise ValueError(f"ice_port\n{ice}\na port up to {65536 - self.media_workers}, one each")
        if self.media_workers > (last - first + 1) // 2:
            raise ValueError(
                f"media_workers\n{self.media_workers}\nat most a process for each pair of {first}-{last}"
            )
        if self.http_port == self.sip_port != 0:
            raise ValueError(f"http_port\n{self.http_port}\na port other than sip_port, which takes TCP too")
        return self

    @model_validator(mode="after")
    def _certificate_with_its_key(self) -> Self:
        for given, missing in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
            if getattr(self, given) and not getattr(self, missing):
                raise ValueError(f"{given}\n{getattr(self, given)}\nboth or neither: {missing} is not set")
        return self

    @property
    def browser_port(self) -> int:
        """The UDP port of all browsers' audio, the first of as many as there are media processes: unless set,
        the one after the RTP ports. 0: any free ones.
        """
        if self.ice_port is not None:
            return self.ice_port
        first, last = self.rtp_ports
        return last + 1 if last + self.media_workers <= 65535 else first - self.media_workers

    @property
    def base_url(self) -> str:
        """The web address under which webhooks and people reach this server; no slash at its end."""
        return self.public_url or self.local_url

    @property
    def local_url(self) -> str:
        """The web address under which this machine reaches the server, proxies or not."""
        scheme = "https" if self.tls_cert else "http"
        return f"{scheme}://{_in_url(_reachable((self.http_bind or self.bind)[0]))}:{self.http_port}"

    @property
    def most_of_source(self) -> int:
        """Calls that one source may have at a time: unless it is set, three quarters of all."""
        return self.calls_per_source or max(1, self.max_calls * 3 // 4)

    def sip_password(self, user: str) -> str | None:
        """The password that a phone registers this user with; None: no such user."""
        secret = self.sip_users.get(user)
        return secret.get_secret_value() if secret else None


def _reachable(address: str) -> str:
    """An address that can be called, in place of a wildcard."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
