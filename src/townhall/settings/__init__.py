"""What the operator can set: environment variables over a TOML file over defaults.

Every field of `Settings` is one setting: `http_port` is `TOWNHALL_HTTP_PORT` in the environment and
`http_port` in the file. The file is the one that `TOWNHALL_CONFIG` names, else `townhall.toml` in the working
directory, else the one in the data directory; only the first that exists is read. An empty variable counts as
not set. Whatever is wrong, unknown names included, is refused with one line that says which setting, what was
read and what is allowed. Secrets are never part of a message or a `repr`.

The account SID, the auth token and the operator's password are made on the first start and kept in
`credentials.toml` in the data directory, readable by its owner alone. This room reads and writes no other
files; it opens no sockets and no database.
"""

from townhall.settings.loading import SettingsError, load_settings
from townhall.settings.model import Settings

__all__ = ["Settings", "SettingsError", "load_settings"]
