/**
 * The "on air" strip: who speaks now, in large letters, with a level that moves. Speakers keep their places
 * (`slots.js`).
 */

import { PERSON_ACTS } from "./acts.js";
import { dress, find, make, put, write } from "./dom.js";
import { capital, counted, roleWord, shortTime } from "./format.js";
import { icon } from "./icons.js";
import { nameOf, share } from "./people.js";
import { Lamps } from "./lamps.js";
import { seat } from "./slots.js";

const MUTE = PERSON_ACTS.find((act) => act.id === "mute");
const LEAST_WIDTH = 232;
const MOST = 6;

export class OnAir {
  #desk;
  #slots = [];
  #tiles = [];
  #sid = null;
  #faces = new Map();
  #width = 0;
  #lamps;

  constructor(desk) {
    this.#desk = desk;
    this.#lamps = new Lamps(desk);
    // The width is told, not asked for, so that painting never makes the browser lay the page out.
    new ResizeObserver(([entry]) => {
      this.#width = entry.contentRect.width;
      if (this.#desk.room) this.#seat();
    }).observe(find("slots"));
  }

  /** Who stands at a place, counted from 1: a call SID, or undefined. */
  speaker(place) {
    return this.#slots[place - 1]?.key;
  }

  /** @param {Set<string>} touched `people` and `roster`: who speaks; `levels`; `tick`: how long */
  paint(touched) {
    if (this.#sid !== this.#desk.sid) {
      this.#sid = this.#desk.sid;
      this.#slots = [];
      this.#faces.clear();
    }
    if (["people", "roster", "facts", "tick"].some((part) => touched.has(part))) this.#seat();
    if (!touched.has("levels") || touched.size > 1) this.#lamps.paint();
    this.#paintLevels();
  }

  #seat() {
    const { people, facts } = this.#desk.room;
    if (facts.state === "ended") return;
    const talking = [...people.values()].filter((person) => person.speaking && person.state === "talking");
    for (const person of talking) this.#faces.set(person.call_sid, person);
    const seats = talking.map((person) => ({ key: person.call_sid, since: person.speaking_since_ms ?? 0 }));
    const { slots, unseated } = seat(this.#slots, seats, this.#places(), this.#desk.now());
    this.#slots = slots;
    this.#forget(slots);
    this.#paintTiles();
    write(find("beyond"), unseated.length ? `${counted(unseated.length, "more speaks", "more speak")}` : "");
  }

  #places() {
    return Math.max(2, Math.min(MOST, Math.floor(this.#width / LEAST_WIDTH)));
  }

  #paintTiles() {
    while (this.#tiles.length < this.#slots.length) this.#tiles.push(this.#makeTile());
    while (this.#tiles.length > this.#slots.length) this.#tiles.pop().item.remove();
    this.#slots.forEach((slot, place) => this.#paintTile(this.#tiles[place], slot));
  }

  #paintTile(tile, slot) {
    const person = slot && (this.#desk.room.people.get(slot.key) ?? this.#faces.get(slot.key));
    put(tile.item, "data-is", slot ? (slot.lit ? "lit" : "dim") : "empty");
    tile.button.hidden = !person || !this.#desk.room.people.has(slot.key);
    tile.key = slot?.key;
    if (!person) {
      write(tile.name, "");
      write(tile.facts, "");
      return;
    }
    put(tile.item, "data-role", person.role);
    write(tile.name, nameOf(person));
    put(tile.name, "title", nameOf(person));
    const length = shortTime((this.#desk.now() - slot.since) / 1000);
    write(
      tile.facts,
      slot.lit
        ? `${capital(roleWord(person.role))} · ${length}`
        : `${capital(roleWord(person.role))} · silent ${length}`,
    );
    const label = `${MUTE.label(person)} ${nameOf(person)}`;
    put(tile.button, "aria-label", label);
    put(tile.button, "title", label);
    const drawing = MUTE.icon(person);
    if (tile.button.dataset.drawing !== drawing) {
      tile.button.replaceChildren(icon(drawing));
      tile.button.dataset.drawing = drawing;
    }
  }

  #paintLevels() {
    const { levels } = this.#desk.room;
    const measured = this.#desk.capabilities.levels;
    put(find("onair"), "data-unmeasured", !measured);
    for (const tile of this.#tiles) {
      const lit = tile.item.dataset.is === "lit";
      const level = lit && measured ? share(levels.get(tile.key) ?? -90) : 0;
      dress(tile.meter, "--level-now", level.toFixed(3));
    }
  }

  #makeTile() {
    const tile = {
      name: make("span.name"),
      facts: make("span.facts.digits"),
      meter: make("span.meter.ppm", { "aria-hidden": "true" }),
      button: make("button.button.quiet", { type: "button", on: { click: () => this.#mute(tile) } }),
      key: null,
    };
    tile.item = make("li.slot", {}, make("span.text", {}, tile.name, tile.facts), tile.button, tile.meter);
    find("slots").append(tile.item);
    return tile;
  }

  #mute(tile) {
    const person = this.#desk.room.people.get(tile.key);
    if (person) MUTE.run(this.#desk, person);
  }

  #forget(slots) {
    const seated = new Set(slots.filter(Boolean).map((slot) => slot.key));
    for (const key of this.#faces.keys()) if (!seated.has(key)) this.#faces.delete(key);
  }
}
