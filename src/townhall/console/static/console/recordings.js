/** Recordings: to be heard here and downloaded. */

import { find, make } from "./dom.js";
import { clockTime, shortTime, spokenTime } from "./format.js";
import { icon } from "./icons.js";

const STATUS = {
  "in-progress": "Recording now",
  paused: "Paused",
  processing: "Being finished",
  absent: "Nothing was heard, so nothing was kept",
  failed: "Failed",
};

export class Recordings {
  #desk;
  #list = make("ol.recordings");
  #nothing = make("p.nothing", {});
  #items = new Map();
  tools = [];

  constructor(desk) {
    this.#desk = desk;
    find("panel-recordings").append(this.#nothing, this.#list);
  }

  /** Ask the server which there are. What the stream tells later is shown by `paint`. */
  async load() {
    const { sid } = this.#desk;
    try {
      const { recordings } = await this.#desk.server.ask(sid, "recordings");
      const room = this.#desk.state.rooms.get(sid);
      for (const recording of recordings) room?.recordings.set(recording.sid, recording);
      if (sid === this.#desk.sid) this.paint();
    } catch (error) {
      this.#nothing.hidden = false;
      this.#nothing.textContent = error.message;
    }
  }

  clear() {
    this.#items.clear();
    this.#list.replaceChildren();
  }

  /** A player that plays is left alone: a recording is made anew only when its status changes. */
  paint() {
    const recordings = [...(this.#desk.room?.recordings.values() ?? [])].sort(
      (one, other) => one.since_ms - other.since_ms,
    );
    this.#nothing.hidden = recordings.length > 0;
    this.#nothing.textContent = "Nothing has been recorded.";
    recordings.forEach((recording, index) => {
      const known = this.#items.get(recording.sid);
      if (known?.status === recording.status) return;
      const element = makeItem(recording, index + 1);
      if (known) known.element.replaceWith(element);
      else this.#list.append(element);
      this.#items.set(recording.sid, { element, status: recording.status });
    });
  }
}

function makeItem(recording, number) {
  const begun = recording.since_ms ? clockTime(recording.since_ms / 1000) : "";
  const title = `Recording ${number}`;
  const head = make("div.what", {}, make("strong", {}, title), make("span.soft.digits", {}, ` ${begun}`));
  if (recording.status !== "completed") {
    return make(
      "li",
      { "data-status": recording.status },
      head,
      make("span.soft", {}, STATUS[recording.status] ?? recording.status),
    );
  }
  const length = recording.duration_ms / 1000;
  const long = make("span.digits", { title: spokenTime(length) }, shortTime(length));
  const player = make("audio", { controls: true, preload: "none", src: recording.mp3, "aria-label": title });
  return make(
    "li",
    { "data-status": recording.status },
    head,
    long,
    player,
    fileLink(title, recording.mp3, "MP3"),
    fileLink(title, recording.wav, "WAV"),
  );
}

function fileLink(title, address, format) {
  return make(
    "a.button.quiet.small",
    { href: `${address}?download=1`, download: "", "aria-label": `${title} as ${format}` },
    icon("download"),
    format,
  );
}
