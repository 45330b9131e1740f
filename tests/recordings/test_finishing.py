"""What recorders leave, made into recordings: trimmed, mended, put together."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from townhall.audio import sine
from townhall.audio.wav import wav_header, wav_header_bytes
from townhall.recordings import Finished, RecordingFileError, RecordingFiles, WaveFile, finish, render

RATE = 8000


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.int16)


def write(path: Path, *channels: np.ndarray, header_samples: int | None = None) -> None:
    """A recorder's file, its header possibly old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.stack(channels, axis=1)
    count = len(samples) if header_samples is None else header_samples
    path.write_bytes(wav_header(len(channels), count) + samples.astype("<i2").tobytes())


def read(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    assert rate == RATE
    return samples


@pytest.fixture
def files(tmp_path: Path) -> RecordingFiles:
    return RecordingFiles(tmp_path, "RE" + "0" * 32)


SPOKEN = np.concatenate((silence(1.0), sine(440, 2.0), silence(0.5), sine(440, 0.5), silence(3.0)))


def test_recording_is_kept_whole_unless_it_is_to_be_trimmed(files: RecordingFiles) -> None:
    write(files.part, SPOKEN)
    assert finish(files, trim=False) == Finished(7 * RATE, 1)
    assert read(files.wav)[:, 0].tolist() == SPOKEN.tolist()
    assert not files.part.exists()


def test_trimming_cuts_silence_at_both_ends_and_none_between(files: RecordingFiles) -> None:
    write(files.part, SPOKEN)
    done = finish(files, trim=True)
    assert done.samples == round(3.2 * RATE)  # a tenth of a second is kept before and after
    assert done.seconds == 3
    assert read(files.wav)[:, 0].tolist() == SPOKEN[round(0.9 * RATE) : round(4.1 * RATE)].tolist()


def test_trimming_of_two_channels_keeps_them_together(files: RecordingFiles) -> None:
    one = np.concatenate((silence(1.0), sine(440, 1.0), silence(2.0)))
    other = np.concatenate((silence(2.0), sine(600, 1.0), silence(1.0)))
    write(files.part, one, other)
    assert finish(files, trim=True) == Finished(round(2.2 * RATE), 2)
    cut = slice(round(0.9 * RATE), round(3.1 * RATE))
    assert read(files.wav).tolist() == np.stack((one[cut], other[cut]), axis=1).tolist()


def test_silence_alone_leaves_nothing_when_trimmed_and_itself_when_not(files: RecordingFiles) -> None:
    write(files.part, silence(2.0))
    assert finish(files, trim=True) == Finished(0, 1, silent=True)
    assert list(files.directory.iterdir()) == []
    write(files.part, silence(2.0))
    assert finish(files, trim=False) == Finished(2 * RATE, 1)


@pytest.mark.parametrize("left", [b"", b"RIFF", wav_header(1, 0), wav_header(1, 0) + bytes(1500)])
def test_less_than_a_tenth_of_a_second_is_no_recording(files: RecordingFiles, left: bytes) -> None:
    files.part.write_bytes(left)
    assert finish(files, trim=False).samples == 0
    assert list(files.directory.iterdir()) == []


def test_nothing_at_all_is_no_recording(files: RecordingFiles) -> None:
    assert finish(files, trim=False) == Finished(0, 1)


def test_file_with_an_old_header_and_half_a_sample_has_all_that_was_written(files: RecordingFiles) -> None:
    write(files.part, SPOKEN, header_samples=100)
    with files.part.open("ab") as file:
        file.write(b"\x01")
    assert finish(files, trim=False).samples == 7 * RATE
    assert read(files.wav)[:, 0].tolist() == SPOKEN.tolist()


def test_finishing_twice_changes_nothing(files: RecordingFiles) -> None:
    write(files.part, SPOKEN)
    finish(files, trim=False)
    files.order.write_text("{}")  # a crash between the file and its record
    assert finish(files, trim=True).samples == 7 * RATE
    assert not files.order.exists()


def talkers(files: RecordingFiles, *spoken: tuple[float, np.ndarray]) -> None:
    for number, (first_s, samples) in enumerate(spoken, 1):
        write(files.talkers / f"{number:03d}.wav", samples)
        line = {"file": f"{number:03d}.wav", "first": round(first_s * RATE), "call_sid": f"CA{number}"}
        with files.names.open("a") as names:
            names.write(json.dumps(line) + "\n")


def parts(files: RecordingFiles) -> list[Path]:
    """Names of what recorders wrote from 2 s and from 4 s on, where the first was lost."""
    folder = files.directory / f"{files.part.name}s"
    folder.mkdir(exist_ok=True)
    return [folder / f"{second * RATE:012d}" for second in (2, 4)]


def test_further_parts_stand_at_their_places_with_silence_between(files: RecordingFiles) -> None:
    first, second, third = sine(440, 1.5), sine(550, 1.0), sine(660, 0.5)
    write(files.part, first)
    for path, sound in zip(parts(files), (second, third), strict=True):
        write(path, sound)
    files.part.write_bytes(files.part.read_bytes() + b"x")  # half a sample
    assert files.further == [(2 * RATE, parts(files)[0]), (4 * RATE, parts(files)[1])]
    assert finish(files, trim=False) == Finished(round(4.5 * RATE), 1)
    whole = np.concatenate((first, silence(0.5), second, silence(1.0), third))
    assert read(files.wav)[:, 0].tolist() == whole.tolist()
    assert not list(files.directory.glob("*.part*"))


def test_further_part_begins_where_it_says_though_the_first_was_longer(files: RecordingFiles) -> None:
    first, second = sine(440, 2.02), sine(550, 1.0)
    write(files.part, first, first)
    write(parts(files)[0], second, second)
    assert finish(files, trim=False) == Finished(3 * RATE, 2)
    whole = np.concatenate((first[: 2 * RATE], second))
    assert read(files.wav)[:, 1].tolist() == whole.tolist()


def test_further_part_is_kept_where_the_first_was_not_begun(files: RecordingFiles) -> None:
    sound = sine(440, 1.0)
    write(parts(files)[0], sound)
    parts(files)[1].write_bytes(b"")
    assert finish(files, trim=False) == Finished(3 * RATE, 1)
    assert read(files.wav)[:, 0].tolist() == np.concatenate((silence(2.0), sound)).tolist()


def test_talkers_become_channels_each_at_his_time(files: RecordingFiles) -> None:
    first, second = sine(440, 3.0), sine(600, 1.0)
    talkers(files, (0.0, first), (1.5, second))
    about = {"friendly_name": "Ünïversity"}
    assert finish(files, trim=False, about=about) == Finished(3 * RATE, 2)
    samples = read(files.wav)
    assert samples[:, 0].tolist() == first.tolist()
    at = np.concatenate((silence(1.5), second, silence(0.5)))
    assert samples[:, 1].tolist() == at.tolist()
    sidecar = json.loads(files.sidecar.read_text())
    assert sidecar == {
        "recording_sid": files.sid,
        "friendly_name": "Ünïversity",
        "duration_s": 3.0,
        "sample_rate": RATE,
        "talkers": [
            {"channel": 1, "call_sid": "CA1", "first_s": 0.0, "last_s": 3.0},
            {"channel": 2, "call_sid": "CA2", "first_s": 1.5, "last_s": 2.5},
        ],
    }
    assert not files.talkers.exists()


def test_talkers_are_trimmed_as_a_whole(files: RecordingFiles) -> None:
    talkers(
        files,
        (0.0, np.concatenate((silence(2.0), sine(440, 1.0), silence(4.0)))),
        (1.0, np.concatenate((silence(3.0), sine(600, 1.0), silence(2.0)))),
    )
    assert finish(files, trim=True) == Finished(round(3.2 * RATE), 2)
    entries = json.loads(files.sidecar.read_text())["talkers"]
    assert [(e["first_s"], e["last_s"]) for e in entries] == [(0.0, 3.2), (0.0, 3.2)]


def test_talkers_of_whom_half_a_line_was_written_are_left_out(files: RecordingFiles) -> None:
    talkers(files, (0.0, sine(440, 1.0)))
    with files.names.open("a") as names:
        names.write('{"file": "002.wav", "fir')
    assert finish(files, trim=False) == Finished(RATE, 1)


def test_two_hundred_talkers_for_minutes_take_little_memory(files: RecordingFiles) -> None:
    import tracemalloc

    talkers(files, *((number * 0.1, sine(400 + number, 2.0)) for number in range(200)))
    tracemalloc.start()
    try:
        assert finish(files, trim=False).channels == 200
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_mono_form_of_many_channels_is_their_sum_without_overflow(
    files: RecordingFiles, tmp_path: Path
) -> None:
    one, other = sine(440, 1.0), sine(600, 1.0)
    write(files.wav, one, other, sine(440, 1.0, level_dbfs=0.0))
    render(files.wav, tmp_path / "mono.wav", "wav", 1)
    mono = read(tmp_path / "mono.wav")
    assert mono.shape == (RATE, 1)
    assert np.abs(mono.astype(int)).max() > 20_000
    render(files.wav, tmp_path / "m.mp3", "mp3", None)
    assert soundfile.info(tmp_path / "m.mp3").channels == 1


@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_has_32_kbits_a_second(files: RecordingFiles, tmp_path: Path, channels: int) -> None:
    write(files.wav, *[sine(440, 20.0)] * channels)
    render(files.wav, tmp_path / "r.mp3", "mp3", None)
    rate = (tmp_path / "r.mp3").stat().st_size * 8 / 20
    assert soundfile.info(tmp_path / "r.mp3").channels == channels
    assert 30_000 < rate < 34_000
    assert (tmp_path / "r.mp3").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("data", [b"", b"not a wave", b"RIFF" + bytes(80)])
def test_file_that_is_no_recording_is_refused_and_nothing_left(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.wav").write_bytes(data)
    with pytest.raises(RecordingFileError, match=r"x\.wav"):
        render(tmp_path / "x.wav", tmp_path / "x.mp3", "mp3", None)
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]


def test_recording_beyond_four_gigabytes_is_read_by_others(tmp_path: Path) -> None:
    path, samples = tmp_path / "long.wav", 3_000_000_000
    with path.open("wb") as file:  # nearly all of it a hole
        file.write(wav_header(1, samples))
        file.truncate(wav_header_bytes(1) + 2 * samples)
    assert soundfile.info(path).frames == samples
    assert WaveFile(path).samples == samples
