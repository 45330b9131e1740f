"""A small phone of our own, for trying things out: `townhall call`, the stories of the tests, the load maker.

It calls and is called, registers, speaks (a tone, a recording, silence), presses keys in all three ways,
holds and resumes, and keeps all that it hears on one timeline that can be searched for tones. It stands on
our own signalling and SDP; its audio path is its own and shares nothing with the media process, so that the
one can judge the other. What it leaves out: RTCP, playout to a loudspeaker.
"""

from townhall.phone.call import NotHeard, PhoneCall
from townhall.phone.hearing import ReceptionReport
from townhall.phone.incoming import IncomingCall
from townhall.phone.outing import Outing, go_out
from townhall.phone.phone import Phone
from townhall.phone.settings import PhoneError, PhoneSettings

__all__ = [
    "IncomingCall",
    "NotHeard",
    "Outing",
    "Phone",
    "PhoneCall",
    "PhoneError",
    "PhoneSettings",
    "ReceptionReport",
    "go_out",
]
