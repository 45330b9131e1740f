"""The signed HTTP client: TwiML requests, audio files, status callbacks.

Follows Twilio's pages on webhook requests, connection overrides and request validation
(`X-Twilio-Signature`). Addresses are checked before they are connected to, unless the operator consented to
the origin. Our own applications can be mounted, which saves the network hop and changes nothing else.

Callbacks are queued, retried and, with an `Outbox`, kept over restarts.

Left out: client certificates, proxies, and the edge override (`e=`, accepted
and ignored).
"""

from townhall.webhooks.cache import AudioCache
from townhall.webhooks.callbacks import CallbackSender, CallbackSettings
from townhall.webhooks.client import WebhookClient
from townhall.webhooks.consent import AddressRefusedError, OriginConsent
from townhall.webhooks.cookies import Cookies
from townhall.webhooks.lanes import Pauses
from townhall.webhooks.outbox import Outbox
from townhall.webhooks.signature import sign
from townhall.webhooks.watching import Exchanged

__all__ = [
    "AddressRefusedError",
    "AudioCache",
    "CallbackSender",
    "CallbackSettings",
    "Cookies",
    "Exchanged",
    "OriginConsent",
    "Outbox",
    "Pauses",
    "WebhookClient",
    "sign",
]
