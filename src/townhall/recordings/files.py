"""The names of a recording's files."""

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RecordingFiles:
    directory: Path
    sid: str

    @property
    def part(self) -> Path:
        """What a recorder writes."""
        return self.directory / f"{self.sid}.part"

    @property
    def further(self) -> list[tuple[int, Path]]:
        """What other recorders wrote when the first was lost, and at which sample each began, in this order:
        `RE….parts/000000123456`. They have a folder of their own, as nobody is to look through all recordings
        for the few that have some.
        """
        found = self._parts.iterdir() if self._parts.exists() else ()
        return sorted((int(path.name), path) for path in found if path.name.isdecimal())

    @property
    def _parts(self) -> Path:
        return self.directory / f"{self.sid}.parts"

    @property
    def talkers(self) -> Path:
        """The folder of what a recorder of talkers writes."""
        return self.directory / f"{self.sid}.talkers"

    @property
    def names(self) -> Path:
        """Who the talkers are, a line of JSON each, while they are recorded."""
        return self.talkers / "names.jsonl"

    @property
    def order(self) -> Path:
        """What is to be done when it is recorded, for a server that starts again in between."""
        return self.directory / f"{self.sid}.order"

    @property
    def wav(self) -> Path:
        """The finished recording."""
        return self.directory / f"{self.sid}.wav"

    @property
    def sidecar(self) -> Path:
        """Who is on which channel."""
        return self.directory / f"{self.sid}.json"

    def rendering(self, suffix: str, channels: int | None) -> Path:
        """A form of it that is made on demand: `RE….mp3`, `RE….1.wav`."""
        return self.directory / (f"{self.sid}.{channels}.{suffix}" if channels else f"{self.sid}.{suffix}")

    def clear(self) -> None:
        """Remove what is left of the making once it is finished."""
        self.part.unlink(missing_ok=True)
        shutil.rmtree(self._parts, ignore_errors=True)
        self.order.unlink(missing_ok=True)
        shutil.rmtree(self.talkers, ignore_errors=True)

    def remove(self) -> None:
        """Remove everything."""
        self.clear()
        for path in self.directory.glob(f"{self.sid}.*"):
            path.unlink(missing_ok=True)
