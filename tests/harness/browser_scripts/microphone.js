// The microphone hears a sine of the tab's own instead of the room, so that stories can tell who hears whom.
//
// A track made by WebAudio is not cleaned of noise and echo as a real microphone's is: a steady tone would be taken
// for noise and go under.
{
  const { asked } = townhallTest;
  const LEVEL = 0.1; // -20 dB below full scale, as loud as the phones of stories
  let voice = null;

  const makeVoice = () => {
    const context = new AudioContext();
    const oscillator = new OscillatorNode(context, { frequency: asked.tone || 440 });
    const gain = new GainNode(context, { gain: asked.tone ? LEVEL : 0 });
    const outlet = new GainNode(context);
    oscillator.connect(gain).connect(outlet);
    oscillator.start();
    return { context, oscillator, gain, outlet };
  };

  /** Four syllables a second on a gliding pitch: no words, but what tells a voice from a tone. */
  const makeSpeech = ({ context, outlet }) => {
    const voice = new OscillatorNode(context, { type: "sawtooth", frequency: 130 });
    const glide = new OscillatorNode(context, { frequency: 0.7 });
    glide.connect(new GainNode(context, { gain: 20 })).connect(voice.frequency);
    const syllables = new GainNode(context, { gain: 0.5 });
    const beat = new OscillatorNode(context, { frequency: 4 });
    beat.connect(new GainNode(context, { gain: 0.5 })).connect(syllables.gain);
    for (const frequency of [650, 1200, 2400]) {
      voice.connect(new BiquadFilterNode(context, { type: "bandpass", frequency, Q: 6 })).connect(syllables);
    }
    syllables.connect(outlet);
    for (const source of [voice, glide, beat]) source.start();
  };

  const refusal = { refused: "NotAllowedError", missing: "NotFoundError", busy: "NotReadableError" }[asked.microphone];
  const original = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);

  if (original) {
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      if (!constraints?.audio) return original(constraints);
      if (refusal) throw new DOMException("as the test asked", refusal);
      voice ??= makeVoice();
      await voice.context.resume();
      const outlet = new MediaStreamAudioDestinationNode(voice.context, { channelCount: 1 });
      voice.outlet.connect(outlet);
      return outlet.stream;
    };
  }

  townhallTest.say = (hz) => {
    asked.tone = hz;
    if (!voice) return;
    if (hz) voice.oscillator.frequency.value = hz;
    voice.gain.gain.value = hz ? LEVEL : 0;
  };

  /** Speak instead of making a tone, until the page is closed. */
  townhallTest.speak = () => {
    townhallTest.say(null);
    makeSpeech(voice);
  };
}
