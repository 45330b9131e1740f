import pytest

from townhall.phone.outing import steps_of
from townhall.phone.settings import PhoneError, PhoneSettings


def test_packet_time_that_no_phone_has_is_refused() -> None:
    with pytest.raises(PhoneError, match="25"):
        PhoneSettings(ptime_ms=25)


def test_phone_without_codecs_is_refused() -> None:
    with pytest.raises(PhoneError, match="PCMU"):
        PhoneSettings(codecs=())


def test_press_sequence_is_taken_apart() -> None:
    assert steps_of("1w2 W,@3.5#-*") == ["1", "w", "2", "W", "@3.5", "#", "*"]


@pytest.mark.parametrize("sequence", ["1x", "@", "+1", "@w", "1.5"])
def test_press_sequence_with_anything_else_is_refused(sequence: str) -> None:
    with pytest.raises(PhoneError, match="expected keys"):
        steps_of(sequence)
