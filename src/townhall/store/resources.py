"""What is set up through the API or the command line and then stands: queues, applications, keys, trunks."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from townhall.ids import new_sid


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """A queue that callers are put into by `<Enqueue>`; its name is unique."""

    friendly_name: str
    max_size: int = 1000
    sid: str = field(default_factory=lambda: new_sid("QU"))
    created_at: datetime = field(default_factory=_now)
    updated_at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True)
class Application:
    """Voice URLs under a SID of their own, which numbers and calls can name."""

    friendly_name: str = ""
    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str | None = None
    voice_fallback_method: str = "POST"
    status_callback: str | None = None
    status_callback_method: str = "POST"
    voice_caller_id_lookup: bool = False
    public_application_connect_enabled: bool = False
    sid: str = field(default_factory=lambda: new_sid("AP"))
    created_at: datetime = field(default_factory=_now)
    updated_at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True)
class APIKey:
    """An API key. `kind`: `standard` or `main`. Its secret is kept as it is: it signs access tokens."""

    friendly_name: str = ""
    kind: str = "standard"
    sid: str = field(default_factory=lambda: new_sid("SK"))
    secret: str = field(default="", repr=False)
    created_at: datetime = field(default_factory=_now)
    updated_at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True)
class PrefixRule:
    """Numbers that begin with `prefix` go over the trunk, without their first `strip` characters and with
    `add` before the rest.
    """

    prefix: str = ""
    strip: int = 0
    add: str = ""


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way to the telephone network. Its `rules` say which numbers it takes; without any it takes none.

    `priority`: the lower is tried first. `countries`: the prefixes that may be called, such as `+43`;
    none: no number may. `calls_a_minute` None: as many as the server takes.
    """

    name: str
    host: str
    port: int = 5060
    transport: str = "udp"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    register: bool = False
    rules: tuple[PrefixRule, ...] = ()
    priority: int = 10
    enabled: bool = True
    calls_a_minute: int | None = None
    countries: tuple[str, ...] = ()
    sid: str = field(default_factory=lambda: new_sid("TK"))
    created_at: datetime = field(default_factory=_now)
    updated_at: datetime = field(default_factory=_now)
