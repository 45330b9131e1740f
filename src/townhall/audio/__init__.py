"""Audio as arrays: G.711, G.722, Opus, mixing, resampling, playout with loss concealment, digits and speech
in the audio, automatic gain, noise suppression, clips, tones, music.

Everything works on numpy arrays whose rows are legs (or *slots*, a leg's row number in a state array);
nothing here loops over legs, packets or samples (but for the one call per packet of Opus or G.722 that is
decoded), opens a file or reads a clock. Live audio is int16 in ticks of 20 ms: 160 samples at 8 kHz, of such
legs 320 at 16 kHz. Left out: other wideband codecs, echo cancellation, and everything about RTP headers
(room `rtp`) and files on disk (the callers hand bytes over).
"""

from townhall.audio.clips import AudioError, decode, load_clip, write_wav
from townhall.audio.g711 import (
    ALAW_DECODE,
    ALAW_SILENCE,
    ALAW_TO_ULAW,
    ULAW_DECODE,
    ULAW_SILENCE,
    ULAW_TO_ALAW,
    encode_alaw,
    encode_ulaw,
)
from townhall.audio.g722 import G722Decoder, G722Encoder
from townhall.audio.inband import InbandDigits
from townhall.audio.levels import SoundDetector
from townhall.audio.mixing import add_private, bus_sums, limit, mix_minus
from townhall.audio.music import hold_music
from townhall.audio.opus import OpusDecoder, OpusEncoder, OpusError, OpusMissing, load_opus, opus_version
from townhall.audio.opus_playout import OpusPlayout
from townhall.audio.playout import Playout
from townhall.audio.resampling import Downsampler, Upsampler
from townhall.audio.talking import SpeechDetector
from townhall.audio.tones import ToneError, beep_enter, beep_exit, comfort, dtmf, ringback, sine
from townhall.audio.wide_playout import WidePlayout

__all__ = [
    "ALAW_DECODE",
    "ALAW_SILENCE",
    "ALAW_TO_ULAW",
    "ULAW_DECODE",
    "ULAW_SILENCE",
    "ULAW_TO_ALAW",
    "AudioError",
    "Downsampler",
    "G722Decoder",
    "G722Encoder",
    "InbandDigits",
    "OpusDecoder",
    "OpusEncoder",
    "OpusError",
    "OpusMissing",
    "OpusPlayout",
    "Playout",
    "SoundDetector",
    "SpeechDetector",
    "ToneError",
    "Upsampler",
    "WidePlayout",
    "add_private",
    "beep_enter",
    "beep_exit",
    "bus_sums",
    "comfort",
    "decode",
    "dtmf",
    "encode_alaw",
    "encode_ulaw",
    "hold_music",
    "limit",
    "load_clip",
    "load_opus",
    "mix_minus",
    "opus_version",
    "ringback",
    "sine",
    "write_wav",
]
