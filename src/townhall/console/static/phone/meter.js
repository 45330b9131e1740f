/** Meters that move with a voice, and whoever else wants to be told of the levels. */

import { make } from "./dom.js";

const SAID_EVERY_MS = 500;
const CALM_EVERY_MS = 250;

/** @returns {HTMLElement & {show: (level: number) => void}} a bar; `label`: whose voice */
export function makeMeter(label) {
  const bar = make("div.meter", {
    role: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 0,
  }); // prettier-ignore
  let said = 0;
  bar.show = (level) => {
    bar.style.setProperty("--level-now", level.toFixed(3));
    const now = performance.now();
    if (now - said < SAID_EVERY_MS) return;
    said = now;
    bar.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  };
  return bar;
}

/** Calls `draw` for each picture while it runs; four times a second for people who want no motion. */
export class Animation {
  #draw;
  #frame = 0;
  #last = 0;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {() => void} draw */
  constructor(draw) {
    this.#draw = draw;
  }

  run(on) {
    if (on === (this.#frame !== 0)) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = on ? requestAnimationFrame((now) => this.#step(now)) : 0;
  }

  #step(now) {
    if (!this.#calm.matches || now - this.#last >= CALM_EVERY_MS) {
      this.#last = now;
      this.#draw();
    }
    if (this.#frame) this.#frame = requestAnimationFrame((later) => this.#step(later));
  }
}
