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
    oscillator.connect(gain);
    oscillator.start();
    return { context, oscillator, gain };
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
      voice.gain.connect(outlet);
      return outlet.stream;
    };
  }

  townhallTest.say = (hz) => {
    asked.tone = hz;
    if (!voice) return;
    if (hz) voice.oscillator.frequency.value = hz;
    voice.gain.gain.value = hz ? LEVEL : 0;
  };
}
