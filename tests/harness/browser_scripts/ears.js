// Sends the remote sound of every connection to the test: 8 kHz, 16 bit, in tenths of a second.
//
// It reads the tracks themselves, before volume and loudspeaker, but there is something to read only when the page
// plays them. It needs no worklet, so that pages under a strict content security policy need no exception.
{
  const RATE = 8000;
  const PIECE = RATE / 10;
  const Original = globalThis.RTCPeerConnection;
  const open = new Set();

  /** Takes every `factor`-th sample after a low pass of 3.6 kHz, piece by piece. */
  const makeDecimator = (factor) => {
    const taps = Float32Array.from({ length: 24 * factor + 1 }, (_, index, half = 12 * factor) => {
      const x = index - half;
      const sinc = x === 0 ? 0.9 / factor : Math.sin((Math.PI * 0.9 * x) / factor) / (Math.PI * x);
      return sinc * (0.54 + 0.46 * Math.cos((Math.PI * x) / half));
    });
    let kept = new Float32Array(taps.length - 1);
    return (samples) => {
      if (factor === 1) return samples;
      const all = new Float32Array(kept.length + samples.length);
      all.set(kept);
      all.set(samples, kept.length);
      const made = new Float32Array(Math.floor((all.length - taps.length) / factor) + 1);
      for (let at = 0; at < made.length; at += 1) {
        let sum = 0;
        for (let tap = 0; tap < taps.length; tap += 1) sum += taps[tap] * all[at * factor + tap];
        made[at] = sum;
      }
      kept = all.slice(made.length * factor);
      return made;
    };
  };

  const encode = (samples) => {
    const whole = Int16Array.from(samples, (one) => Math.max(-32768, Math.min(32767, Math.round(one * 32768))));
    return btoa(String.fromCharCode(...new Uint8Array(whole.buffer)));
  };

  const listen = async (peer, track) => {
    // As deep as a busy machine needs it: frames that nobody takes in time are thrown away.
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 1000 }).readable.getReader();
    const decimators = new Map();
    const waiting = [];
    for (;;) {
      const { done, value: frame } = await reader.read();
      if (done) return;
      const samples = new Float32Array(frame.numberOfFrames);
      frame.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      const rate = frame.sampleRate;
      frame.close();
      if (!decimators.has(rate)) decimators.set(rate, makeDecimator(rate / RATE));
      for (const sample of decimators.get(rate)(samples)) waiting.push(sample);
      while (waiting.length >= PIECE) {
        const piece = waiting.splice(0, PIECE);
        if (open.has(peer) && peer === townhallTest.peers.at(-1)) globalThis.townhallHeard(encode(piece));
      }
    }
  };

  globalThis.RTCPeerConnection = class RTCPeerConnection extends Original {
    constructor(...configuration) {
      super(...configuration);
      townhallTest.peers.push(this);
      open.add(this);
      this.addEventListener("track", ({ track }) => {
        if (track.kind === "audio") void listen(this, track);
      });
    }

    close() {
      super.close();
      if (open.delete(this) && open.size === 0) globalThis.townhallOver();
    }
  };
}
