"""Recordings as files: what recorders left is made into one WAV, cut, put together and rendered.

Nothing here knows of calls or of the store; everything runs in threads, in blocks, so that the memory it
takes does not grow with the length. Names in the recordings' folder: `RE….part` is being written,
`RE….talkers/` holds the files of a recording with a channel per talker, `RE….wav` is finished, `RE….json`
tells its talkers, other endings are renderings that can be made again.
"""

from townhall.recordings.files import RecordingFiles
from townhall.recordings.finishing import Finished, finish
from townhall.recordings.rendering import render
from townhall.recordings.wave import RecordingFileError, WaveFile

__all__ = ["Finished", "RecordingFileError", "RecordingFiles", "WaveFile", "finish", "render"]
