/** The rows of the roster that are elements: made when they come into view, gone when they leave it. */

import { dress, put } from "./dom.js";
import { HeadingRow, PersonRow } from "./row.js";

export class Rows {
  #desk;
  #place;
  #rows = new Map();
  #faces = new Map();

  /** Called with an act and a person when a button of a row is pressed. */
  onAct = () => {};
  /** Called with a person when more about them is asked for. */
  onMore = () => {};

  /** @param {Object} desk @param {HTMLElement} place where the rows are put */
  constructor(desk, place) {
    this.#desk = desk;
    this.#place = place;
  }

  has(key) {
    return this.#rows.has(key);
  }

  /** The element of a row, or undefined. */
  element(key) {
    return this.#rows.get(key)?.element;
  }

  /**
   * Have exactly these lines as elements, and paint them.
   *
   * @param {{key: string}[]} shown all lines
   * @param {number[]} places which of them, in order
   * @param {number} height of a line, in pixels
   */
  paint(shown, places, height) {
    const keys = new Set(places.map((place) => shown[place].key));
    for (const [key, row] of this.#rows) {
      if (keys.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
      this.#faces.delete(key);
    }
    const nowMs = this.#desk.now();
    for (const place of places) {
      const row = this.#paintLine(shown[place], nowMs);
      dress(row.element, "transform", `translateY(${place * height}px)`);
      put(row.element, "aria-rowindex", place + 2);
    }
    this.paintLevels();
  }

  /** Paint the times alone. */
  tick() {
    const nowMs = this.#desk.now();
    for (const [key, row] of this.#people()) {
      const person = this.#desk.room.people.get(key);
      if (person) row.tick(person, nowMs);
    }
  }

  /** Paint the levels alone. */
  paintLevels() {
    const { levels, people } = this.#desk.room;
    const measured = this.#desk.capabilities.levels;
    for (const [key, row] of this.#people()) {
      row.level(people.get(key), measured ? (levels.get(key) ?? -90) : null);
    }
  }

  /** Let one row be tabbed to. */
  paintTabStop(stop) {
    for (const [key, row] of this.#people()) put(row.element, "tabindex", key === stop ? "0" : "-1");
  }

  /** A person of the room, handed on when they are still there. */
  with(key, then) {
    const person = this.#desk.room?.people.get(key);
    if (person) then(person);
  }

  #paintLine(line, nowMs) {
    const row = this.#rows.get(line.key) ?? this.#make(line);
    if (line.heading) {
      row.paint(line);
      return row;
    }
    const { people } = this.#desk.room;
    // Who has left stays a line until the order may change, so the last that was known of them is kept.
    const here = people.get(line.key);
    const person = here ?? this.#faces.get(line.key);
    if (person) {
      this.#faces.set(line.key, person);
      row.paint(person, { people, nowMs, gone: !here });
    }
    return row;
  }

  #make(line) {
    const row = line.heading ? new HeadingRow() : this.#makePerson(line.key);
    row.element.dataset.key = line.key;
    this.#rows.set(line.key, row);
    this.#place.append(row.element);
    return row;
  }

  #makePerson(key) {
    return new PersonRow(
      (act) => this.with(key, (person) => this.onAct(act, person)),
      () => this.with(key, (person) => this.onMore(person)),
    );
  }

  #people() {
    return [...this.#rows].filter(([, row]) => row instanceof PersonRow);
  }
}
