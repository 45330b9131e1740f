/** Ringing: what a caller hears until somebody answers, and what a page that is called sounds like. */

const PATTERNS = {
  /** The ringing tone of most of Europe: a second on, four off. */
  outgoing: { tones: [425], on: 1, off: 4, level: 0.05 },
  incoming: { tones: [480, 620], on: 0.8, off: 1.6, level: 0.12 },
};
const EDGE_S = 0.02;

export class Ringer {
  #context;
  #playing = null;

  /** @param {AudioContext} context */
  constructor(context) {
    this.#context = context;
  }

  /** @param {"outgoing"|"incoming"} name */
  ring(name) {
    if (this.#playing) return;
    const { tones, on, off, level } = PATTERNS[name];
    const gain = new GainNode(this.#context, { gain: 0 });
    gain.connect(this.#context.destination);
    const sources = tones.map((frequency) => new OscillatorNode(this.#context, { frequency }));
    for (const source of sources) {
      source.connect(gain);
      source.start();
    }
    const burst = () => {
      const now = this.#context.currentTime;
      gain.gain.setTargetAtTime(level, now, EDGE_S);
      gain.gain.setTargetAtTime(0, now + on, EDGE_S);
    };
    burst();
    this.#playing = { sources, gain, timer: setInterval(burst, (on + off) * 1000) };
  }

  stop() {
    if (!this.#playing) return;
    clearInterval(this.#playing.timer);
    for (const source of this.#playing.sources) source.stop();
    this.#playing.gain.disconnect();
    this.#playing = null;
  }
}
