/**
 * Painting once per frame: whatever touches the state says so here, and before the browser draws the next picture
 * each touched part is painted once, however many events came.
 */
export class Frame {
  #touched = new Map();
  #asked = false;
  #paint;

  /** @param {(touched: Map<string, Set<string>>) => void} paint by conference SID ("*": all) the parts to paint */
  constructor(paint) {
    this.#paint = paint;
  }

  /** @param {[string, string][]} pairs as `apply` of the store returns them */
  touch(pairs) {
    for (const [sid, part] of pairs) {
      if (!this.#touched.has(sid)) this.#touched.set(sid, new Set());
      this.#touched.get(sid).add(part);
    }
    if (this.#asked || !this.#touched.size) return;
    this.#asked = true;
    requestAnimationFrame(() => this.#run());
  }

  #run() {
    const touched = this.#touched;
    this.#touched = new Map();
    this.#asked = false;
    this.#paint(touched);
  }
}
