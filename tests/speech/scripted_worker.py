"""A voice worker that does as the words say: `die`, `hang`, `rubbish`, `refuse`, `missing`; else it writes
a tone.

Every start and every request is noted in the file named by its first argument.
"""

import json
import os
import sys
import time
import wave
from pathlib import Path

import numpy as np

notes = Path(sys.argv[1])


def note(text: str) -> None:
    with notes.open("a") as file:
        file.write(text + "\n")


note("start")
for line in sys.stdin:
    request = json.loads(line)
    words = request.get("warm") or " ".join(piece.get("text", "") for piece in request["pieces"])
    note(f"{request.get('engine', 'warm')} {words}")
    answer = {"id": request["id"], "ok": True}
    if "die" in words:
        os._exit(3)
    if "hang" in words:
        time.sleep(60)
    if "refuse" in words:
        answer = {"id": request["id"], "error": "not today"}
    if "missing" in words and request["engine"] == "piper":
        answer = {"id": request["id"], "error": "no such voice", "missing": True}
    if "path" in request and "ok" in answer:
        tone = np.sin(np.arange(22050) * 2 * np.pi * 440 / 22050) * (32767 if "loud" in words else 3000)
        with wave.open(request["path"], "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(22050)
            sound.writeframes(tone.astype("<i2").tobytes())
    print("rubbish" if "rubbish" in words else json.dumps(answer), flush=True)
