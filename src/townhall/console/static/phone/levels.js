/** How loud a stream is, as a number for a meter. */

const QUIETEST_DB = -60;
const FALL_A_READING = 0.06;

/** Measures one stream at a time: `listen(stream)`, then `read()` once for each picture. */
export class Level {
  #context;
  #analyser;
  #source = null;
  #samples;
  #shown = 0;

  /** @param {AudioContext} context */
  constructor(context) {
    this.#context = context;
    this.#analyser = new AnalyserNode(context, { fftSize: 1024 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
  }

  /** @param {MediaStream|null} stream  what to measure from now on; null: nothing */
  listen(stream) {
    this.#source?.disconnect();
    this.#source = stream?.getAudioTracks().length ? this.#context.createMediaStreamSource(stream) : null;
    this.#source?.connect(this.#analyser);
    this.#shown = 0;
  }

  /** @returns {number} 0 (silence) to 1 (as loud as can be): it rises at once and falls gently */
  read() {
    if (!this.#source) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let power = 0;
    for (const sample of this.#samples) power += sample * sample;
    const decibels = 10 * Math.log10(power / this.#samples.length + 1e-12);
    const now = Math.min(1, Math.max(0, 1 - decibels / QUIETEST_DB));
    this.#shown = Math.max(now, this.#shown - FALL_A_READING);
    return this.#shown;
  }
}
