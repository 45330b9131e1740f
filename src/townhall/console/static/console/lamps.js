/**
 * The signs, as lamps in a studio: on air, recording, locked, all muted. Each stands where it always stands and
 * says in words how it is, lit or not, so that a glance from the other end of the room is enough.
 */

import { find, make, put, write } from "./dom.js";
import { runningTime } from "./format.js";

const LAMPS = [
  { id: "air", lit: (desk) => speaks(desk), words: ["Nobody speaks", "On air"] },
  { id: "recording", lit: ({ room }) => room.facts.recording, words: ["Not recording", "Recording"] },
  {
    id: "locked",
    lit: ({ room }) => room.facts.locked,
    words: ["Open to callers", "Locked"],
    can: ({ capabilities }) => capabilities.lock,
  },
  { id: "muted", lit: ({ room }) => room.facts.muted_all, words: ["Free to speak", "All muted"] },
];

export class Lamps {
  #desk;
  #lamps;

  constructor(desk) {
    this.#desk = desk;
    this.#lamps = LAMPS.map((lamp) => ({ ...lamp, text: make("span"), clock: make("span.digits") }));
    for (const lamp of this.#lamps) {
      lamp.element = make("li", { "data-lamp": lamp.id }, lamp.text, lamp.clock);
      find("lamps").append(lamp.element);
    }
  }

  paint() {
    for (const { element, lit, words, can, text, clock, id } of this.#lamps) {
      const on = Boolean(lit(this.#desk));
      element.hidden = can ? !can(this.#desk) : false;
      put(element, "data-lit", on);
      write(text, words[on ? 1 : 0]);
      if (id !== "recording") continue;
      const { recording } = this.#desk.room.facts;
      write(clock, recording ? runningTime((this.#desk.now() - recording.since_ms) / 1000) : "");
    }
  }
}

function speaks({ room }) {
  for (const person of room.people.values()) if (person.state === "talking") return true;
  return false;
}
