/** The event feed: what happened, newest first, and who did it. What is new waits while the pointer is over it. */

import { Calm } from "./calm.js";
import { find, make, put, write } from "./dom.js";
import { clockTime } from "./format.js";
import { feedLines } from "./feedlines.js";

const MOST_LINES = 200;

export class Feed {
  #desk;
  #items = new Map();
  #sid = null;
  #calm;

  constructor(desk) {
    this.#desk = desk;
    this.#calm = new Calm(find("entries"), () => this.#paint());
    find("feed-comings").addEventListener("change", () => this.#paint());
  }

  /** @param {Set<string>} touched `entries` */
  paint(touched) {
    const other = this.#sid !== this.#desk.sid;
    if (other) {
      this.#sid = this.#desk.sid;
      this.#items.clear();
      find("entries").replaceChildren();
    }
    if (other || (touched.has("entries") && !this.#calm.held)) this.#paint();
  }

  #paint() {
    if (!this.#desk.room) return;
    const list = find("entries");
    const lines = feedLines(this.#desk.room.entries, find("feed-comings").checked, MOST_LINES);
    const wanted = new Set(lines.map((line) => line.id));
    for (const [id, item] of this.#items) {
      if (wanted.has(id)) continue;
      item.element.remove();
      this.#items.delete(id);
    }
    // A reader who has scrolled down keeps what he reads where it is.
    const below = list.scrollTop > 0 ? list.scrollHeight - list.scrollTop : 0;
    let before = list.firstElementChild;
    for (const line of lines) {
      const item = this.#items.get(line.id) ?? this.#makeItem(line);
      paintLine(item, line);
      if (item.element === before) before = before.nextElementSibling;
      else list.insertBefore(item.element, before);
    }
    if (below) list.scrollTop = list.scrollHeight - below;
  }

  #makeItem(line) {
    const item = { time: make("time"), by: make("strong"), text: make("span") };
    item.element = make("li", {}, item.time, make("span.said", {}, item.by, item.text));
    this.#items.set(line.id, item);
    return item;
  }
}

function paintLine(item, line) {
  put(item.element, "data-kind", line.kind);
  write(item.time, clockTime(line.at_ms / 1000));
  put(item.time, "datetime", new Date(line.at_ms).toISOString());
  // Who did it stands at the front of the phrase, and is set in bold there.
  const leads = line.by && line.text.startsWith(line.by);
  write(item.by, leads ? line.by : "");
  write(item.text, leads ? line.text.slice(line.by.length) : line.text);
}
