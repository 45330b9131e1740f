"""Sounds as clips: files of mono 16-bit PCM that the media process reads by path.

Words come from `speech`, files from the web through `webhooks`, and the house's own music and beeps from
`audio`.
"""

import asyncio
import contextlib
import hashlib
import os
from pathlib import Path

from townhall.audio.clips import AudioError, decode, write_wav
from townhall.audio.music import hold_music
from townhall.audio.tones import beep_enter, beep_exit, beep_record, ringback
from townhall.speech import Speech, SpeechUnavailable
from townhall.twiml.control import FetchFailed, Page, Utterance
from townhall.webhooks import Cookies, WebhookClient

CLIP_RATE = 16000
_KEPT_BYTES = 2 * 1024**3
"""Decoded files beyond this are dropped, the least recently used first: about 18 hours of sound."""


class ClipLibrary:
    def __init__(self, directory: Path, speech: Speech, webhooks: WebhookClient) -> None:
        self._directory = directory
        self._speech = speech
        self._webhooks = webhooks
        self.hold_music = str(directory / "hold-music.wav")
        self.beep_enter = str(directory / "beep-enter.wav")
        self.beep_exit = str(directory / "beep-exit.wav")
        self.beep_record = str(directory / "beep-record.wav")

    def prepare(self) -> None:
        """Write the house's own sounds, if they are not there yet."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, make in (
            (self.hold_music, hold_music),
            (self.beep_enter, beep_enter),
            (self.beep_exit, beep_exit),
            (self.beep_record, beep_record),
        ):
            if not Path(path).exists():
                _write(Path(path), write_wav(make(CLIP_RATE), CLIP_RATE))

    def ringing(self, country: str) -> str:
        """The clip of a country's ringing tone, one period; raises `ToneError` for one that we don't know."""
        path = self._directory / f"ringing-{country}.wav"
        if not path.exists():
            _write(path, write_wav(ringback(country, CLIP_RATE), CLIP_RATE))
        return str(path)

    async def words(self, utterance: Utterance) -> str:
        """The clip that speaks; raises `FetchFailed` (13520) when no voice can."""
        try:
            return str(await self._speech.synthesise(utterance))
        except SpeechUnavailable as error:
            raise FetchFailed(13520, "", f"<Say> could not be spoken: {error}") from error

    async def download(self, url: str, cookies: Cookies) -> str:
        """The clip of an audio file on the web; raises `FetchFailed`."""
        return await self.decode(await self._webhooks.fetch_audio(url, cookies))

    async def decode(self, page: Page) -> str:
        """The clip of an audio answer; raises `FetchFailed` (12300) when it isn't audio that we know."""
        digest = hashlib.sha256(page.content_type.encode() + b"\0" + page.body).hexdigest()
        path = self._directory / f"web-{digest}.wav"
        try:
            os.utime(path)
        except FileNotFoundError:
            await asyncio.to_thread(self._decode_to, path, page)
        return str(path)

    def _decode_to(self, path: Path, page: Page) -> None:
        try:
            samples = decode(page.body, page.content_type, CLIP_RATE)
        except AudioError as error:
            raise FetchFailed(
                12300, page.url, f"read {page.content_type or 'no content type'}: {error}"
            ) from error
        self._make_room()
        _write(path, write_wav(samples, CLIP_RATE))

    def _make_room(self) -> None:
        """Drop what was not used for longest; another thread may do the same at the same time."""
        files = []
        for path in self._directory.glob("web-*.wav"):
            with contextlib.suppress(FileNotFoundError):
                files.append((path.stat().st_mtime, path.stat().st_size, path))
        total = 0
        for _, size, path in sorted(files, reverse=True):
            total += size
            if total > _KEPT_BYTES:
                path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever sees half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{id(data)}")
    draft.write_bytes(data)
    draft.replace(path)
