"""aiortc as a browser: a client of ICE, DTLS and SRTP that shares no line with ours, straight at a media
process.

It says a tone and keeps what it hears. SDP is written by hand here: who offers what is another room's matter.
"""

import asyncio
import fractions
import re
from dataclasses import dataclass, field

import aioice.ice
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

from townhall.ice import Credentials, new_credentials
from townhall.media import Leg, Media

RATE = 8000
FRAME = 160
PATIENCE_S = 60.0

# aioice leaves loopback addresses out; our tests know no others.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

ANSWER = """v=0
o=- 1 {version} IN IP4 {host}
s=-
t=0 0
a=ice-lite
m=audio {port} UDP/TLS/RTP/SAVPF 0
c=IN IP4 {host}
a=mid:{mid}
a=sendrecv
a=rtpmap:0 PCMU/8000
a=rtcp-mux
a=ice-ufrag:{local.ufrag}
a=ice-pwd:{local.pwd}
a=fingerprint:{fingerprint}
a=setup:{setup}
a=candidate:1 1 udp 2130706431 {host} {port} typ host
a=end-of-candidates
"""


class Tone(MediaStreamTrack):
    """A sine, in real time."""

    kind = "audio"

    def __init__(self, hz: float) -> None:
        super().__init__()
        self._hz = hz
        self._samples = 0
        self._began: float | None = None

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._began = loop.time()
        await asyncio.sleep(max(0.0, self._began + self._samples / RATE - loop.time()))
        at = np.arange(self._samples, self._samples + FRAME) / RATE
        wave = (6000 * np.sin(2 * np.pi * self._hz * at)).astype(np.int16)
        frame = AudioFrame.from_ndarray(wave[None], layout="mono")
        frame.sample_rate, frame.pts = RATE, self._samples
        frame.time_base = fractions.Fraction(1, RATE)
        self._samples += FRAME
        return frame


def attribute(sdp: str, name: str) -> str:
    """The first `a=name:` of an SDP."""
    found = re.search(rf"^a={name}:(.*?)\r?$", sdp, re.MULTILINE)
    assert found is not None, f"no a={name} in {sdp}"
    return found[1]


@dataclass
class WebPhone:
    """One browser and its leg."""

    media: Media
    leg: Leg
    local: Credentials = field(default_factory=new_credentials)
    """The server's."""
    heard: list[np.ndarray] = field(default_factory=list)
    secured: asyncio.Event = field(default_factory=asyncio.Event)
    insecure: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    connection: RTCPeerConnection = field(
        default_factory=lambda: RTCPeerConnection(RTCConfiguration(iceServers=[]))
    )

    @classmethod
    async def open(cls, media: Media) -> "WebPhone":
        """A leg that waits for its browser."""
        leg = await media.open_leg(secure=True)
        phone = cls(media, leg)
        leg.on_secured = phone.secured.set
        leg.on_insecure = phone.insecure.set_result
        leg.on_silent = phone.silent.set
        return phone

    @classmethod
    async def call(cls, media: Media, hz: float, fingerprint: str | None = None) -> "WebPhone":
        """A browser that calls; `fingerprint` in place of its own is a lie."""
        phone = await cls.open(media)
        phone.connection.on("track", phone._listen)
        phone.connection.addTrack(Tone(hz))
        await phone.connection.setLocalDescription(await phone.connection.createOffer())
        offer = phone.connection.localDescription.sdp
        phone.tell(offer, "server", fingerprint)
        phone.leg.connect(codec="PCMU", payload_type=0, remote=None, rtcp_mux=True)
        answer = phone.answer("passive", attribute(offer, "mid"))
        await phone.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        return phone

    def tell(self, sdp: str, role: str, fingerprint: str | None = None) -> None:
        """Say to the media process what the browser's SDP said."""
        self.leg.secure(
            local_ufrag=self.local.ufrag,
            local_pwd=self.local.pwd,
            remote_ufrag=attribute(sdp, "ice-ufrag"),
            remote_pwd=attribute(sdp, "ice-pwd"),
            fingerprint=fingerprint or attribute(sdp, "fingerprint"),
            role=role,
        )

    def answer(self, setup: str, mid: str = "0", version: int = 1) -> str:
        """Our SDP."""
        return ANSWER.format(
            version=version,
            host="127.0.0.1" if self.leg.host == "0.0.0.0" else self.leg.host,
            port=self.leg.rtp_port,
            local=self.local,
            fingerprint=self.leg.fingerprint,
            setup=setup,
            mid=mid,
        ).replace("\n", "\r\n")

    def _listen(self, track: MediaStreamTrack) -> None:
        self._listener = asyncio.create_task(self._collect(track))

    async def _collect(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            self.heard.append(frame.to_ndarray().reshape(-1))
            self.more.set()

    async def wait_frames(self, count: int) -> np.ndarray:
        """The next so many frames from now on, as samples at 8 kHz."""
        begin = len(self.heard)
        async with asyncio.timeout(PATIENCE_S):
            while len(self.heard) < begin + count:
                self.more.clear()
                await self.more.wait()
        return np.concatenate(self.heard[begin:])

    async def wait_secured(self) -> None:
        """Until the media process says so."""
        async with asyncio.timeout(PATIENCE_S):
            await self.secured.wait()

    async def wait_state(self, *wanted: str) -> None:
        """Until the browser's connection is in one of these states."""
        changed = asyncio.Event()
        self.connection.on("connectionstatechange", changed.set)
        while self.connection.connectionState not in wanted:
            changed.clear()
            await changed.wait()

    async def close(self) -> None:
        """The browser goes."""
        await self.connection.close()
        listener = getattr(self, "_listener", None)
        if listener is not None:
            listener.cancel()


def share_of(hz: float, samples: np.ndarray) -> float:
    """How much of the sound's energy is within 20 Hz of a frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    at = np.fft.rfftfreq(len(samples), 1 / 8000)
    return float(spectrum[np.abs(at - hz) <= 20].sum() / max(spectrum.sum(), 1.0))


async def hears(phone: WebPhone, hz: float) -> None:
    """Wait until what the phone hears is a tone."""
    async with asyncio.timeout(PATIENCE_S):
        while share_of(hz, await phone.wait_frames(20)) < 0.9:
            pass
