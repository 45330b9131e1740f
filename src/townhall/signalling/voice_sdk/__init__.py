"""Signalling for browsers: what Twilio's Voice SDK for JavaScript (2.x, unmodified) speaks over its
WebSocket.

A page shows an access token (`AccessTokens`), registers, calls an application (`BrowserInvite`) and is
called (`BrowserRinging`); both are sessions of the shape that SIP's have. Sound goes another way
(`townhall.sdp.webrtc`, `townhall.media`). No page of Twilio's describes the protocol:
docs/reference/voice-sdk.md does. Left out: user messages (refused), push notifications, call quality
feedback (thrown away).
"""

from townhall.signalling.voice_sdk.endpoint import is_signal
from townhall.signalling.voice_sdk.incoming import BrowserInvite
from townhall.signalling.voice_sdk.insights import is_insights
from townhall.signalling.voice_sdk.outgoing import BrowserRinging
from townhall.signalling.voice_sdk.session import BrowserSession
from townhall.signalling.voice_sdk.settings import Limits, VoiceSDKSettings
from townhall.signalling.voice_sdk.tokens import AccessTokens, Grant, TokenError
from townhall.signalling.voice_sdk.voice_sdk import VoiceSDK

__all__ = [
    "AccessTokens",
    "BrowserInvite",
    "BrowserRinging",
    "BrowserSession",
    "Grant",
    "Limits",
    "TokenError",
    "VoiceSDK",
    "VoiceSDKSettings",
    "is_insights",
    "is_signal",
]
