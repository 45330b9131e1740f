"""Text to speech: words in, clips out.

The natural voice and espeak-ng are GPL programs; they run as a process of their own (`voice_worker.py`, in
the voice environment's Python) and are never imported. Without that environment the `espeak-ng` program of
the operating system speaks. Clips are cached by what was asked for, so a prompt is spoken once and then
costs a look at the disk.

It leaves out: speech to text, speaking while the rest is still being made, mixing languages within one text.
"""

from townhall.speech.errors import SpeechUnavailable
from townhall.speech.speech import Speech

__all__ = ["Speech", "SpeechUnavailable"]
