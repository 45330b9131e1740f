"""`X-Twilio-Signature`: HMAC-SHA1 over the URL and the form parameters, in base64 (Twilio, "Webhooks
security").

The URL is signed as it is requested: with its port if one is written, with its query, without fragment and
without `user:password@`, which a receiver can't see.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable


def sign(token: str, url: str, parameters: Iterable[tuple[str, str]] = ()) -> str:
    """The signature of a request. `parameters`: those of a form POST; none for GET, whose URL holds them.

    Names sort by code point; a name's values are taken once each, sorted, as Twilio's validators do it.
    """
    message = url + "".join([name + value for name, value in sorted(set(parameters))])
    mac = hmac.digest(token.encode(), message.encode("utf-8", "surrogatepass"), hashlib.sha1)
    return base64.b64encode(mac).decode("ascii")
