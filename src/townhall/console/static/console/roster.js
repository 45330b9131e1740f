/**
 * The roster: everybody in the conference, by role, one line each. Only the lines in view are elements, so 2,000 people cost
 * as much as thirty.
 *
 * For screen readers it is a grid with the full number of rows (`aria-rowcount`, `aria-rowindex`). One row can be
 * tabbed to; arrows move on. The row that has the focus stays an element even when it is scrolled out of view.
 */

import { Calm } from "./calm.js";
import { dress, find, make, put, write } from "./dom.js";
import { count, counted } from "./format.js";
import { alikeInView, arrange, shiftOf } from "./order.js";
import { searchWords } from "./people.js";
import { HeadingRow, PersonRow } from "./row.js";

const SPARE_ROWS = 6;
const COLUMNS = ["Name", "State", "Talked", "Here for", "Acts"];

export class Roster {
  #desk;
  #shown = [];
  #wanted = [];
  #places = new Map();
  #rows = new Map();
  #faces = new Map();
  #query = "";
  #sid = null;
  #focused = null;
  #hovered = null;
  #height = 40;
  #view = 0;
  #top = 0;
  #calm;
  #scroll = make("div.scroll", { role: "presentation" });
  #sizer = make("div.sizer", { role: "presentation" });
  #grid;

  /** Called with an act and a person when a button of a row is pressed. */
  onAct = () => {};
  /** Called with a person when more about them is asked for. */
  onMore = () => {};

  constructor(desk) {
    this.#desk = desk;
    this.#scroll.append(this.#sizer);
    const head = COLUMNS.map((name) => make("div.cell", { role: "columnheader" }, name));
    this.#grid = make("div.grid", { role: "grid", "aria-label": "People", "aria-colcount": "5" }, make("div.row.columns", { role: "row", "aria-rowindex": "1" }, ...head), this.#scroll);
    find("roster").append(this.#grid);
    this.#calm = new Calm(this.#scroll, () => this.#settle());
    this.#listen();
  }

  /** The person whose row has, or last had, the focus; undefined when there is none. */
  selected() {
    return this.#focused && this.#desk.room?.people.get(this.#focused);
  }

  /** Put the focus on a person's row, or on the one that had it last, and bring it into view. */
  focus(key = this.#focused) {
    const place = this.#places.get(key) ?? this.#step(-1, 1);
    if (place === undefined || place < 0) return;
    this.#focusPlace(place);
  }

  /** Put the focus on the next person in this direction, 1 or −1. */
  move(direction) {
    const next = this.#step(this.#places.get(this.#focused) ?? -1, direction);
    if (next >= 0) this.#focusPlace(next);
  }

  /** Show those that are found by these words. */
  search(query) {
    this.#query = query;
    if (!this.#desk.room) return;
    this.#arrange();
    this.#settle(true);
  }

  /** @param {Set<string>} touched `roster`: who; `people`: how; `levels`; `tick`: times */
  paint(touched) {
    if (this.#sid !== this.#desk.sid) this.#begin();
    if (touched.has("roster") || (touched.has("people") && this.#query)) {
      this.#arrange();
      this.#settle();
    } else if (touched.has("people") || touched.has("facts")) this.#paintRows();
    else if (touched.has("tick")) this.#tick();
    this.#paintLevels();
  }

  #begin() {
    this.#sid = this.#desk.sid;
    this.#shown = [];
    this.#focused = null;
    this.#arrange();
    this.#settle(true);
    this.#scroll.scrollTop = 0;
  }

  #arrange() {
    const { people } = this.#desk.room;
    this.#wanted = arrange(people.values(), this.#query, (person) => searchWords(person, people));
    const found = this.#wanted.reduce((sum, line) => sum + (line.number ?? 0), 0);
    write(find("found"), this.#query ? `${count(found)} of ${count(people.size)}` : "");
  }

  /** Show the wanted order, unless it would move what is under the pointer. */
  #settle(now = false) {
    if (!now && this.#calm.held && !alikeInView(this.#shown, this.#wanted, ...this.#inView())) {
      this.#tellPending();
      this.#paintRows();
      return;
    }
    find("pending").hidden = true;
    const anchor = this.#anchor();
    const moved = anchor === null ? 0 : shiftOf(this.#shown, this.#wanted, anchor);
    this.#replaceFocused();
    this.#shown = this.#wanted;
    this.#places = new Map(this.#shown.map((line, place) => [line.key, place]));
    dress(this.#sizer, "block-size", `${this.#shown.length * this.#height}px`);
    put(this.#grid, "aria-rowcount", this.#shown.length + 1);
    if (moved) {
      this.#top = Math.max(0, this.#top + moved * this.#height);
      this.#scroll.scrollTop = this.#top;
    }
    this.#paintRows();
  }

  /** The line that must not move: the focused one, else the one under the pointer, else the first in view. */
  #anchor() {
    const [first, last] = this.#inView();
    for (const key of [this.#focused, this.#hovered]) {
      const place = this.#places.get(key);
      if (place >= first && place < last) return key;
    }
    return this.#top > 0 ? (this.#shown[first]?.key ?? null) : null;
  }

  /** When the focused person has left, the focus goes to whoever stands there now. */
  #replaceFocused() {
    const row = this.#rows.get(this.#focused);
    if (!row || this.#wanted.some((line) => line.key === this.#focused)) return;
    const inside = row.element.contains(document.activeElement);
    const place = Math.min(this.#places.get(this.#focused) ?? 0, this.#wanted.length - 1);
    const heir = this.#wanted[place]?.heading ? this.#wanted[place + 1] : this.#wanted[place];
    this.#focused = heir?.key ?? null;
    if (inside) queueMicrotask(() => this.#focused && this.focus());
  }

  #tellPending() {
    const shown = new Set(this.#shown.map((line) => line.key));
    const came = this.#wanted.filter((line) => !shown.has(line.key) && !line.heading).length;
    write(find("pending"), came ? `Show ${count(came)} who came in` : "Show changes");
    find("pending").hidden = false;
  }

  #inView() {
    return [Math.floor(this.#top / this.#height), Math.ceil((this.#top + this.#view) / this.#height)];
  }

  #paintRows() {
    if (!this.#desk.room) return;
    const [first, last] = this.#inView();
    const places = new Set();
    for (let place = Math.max(0, first - SPARE_ROWS); place < Math.min(this.#shown.length, last + SPARE_ROWS); place += 1) {
      places.add(place);
    }
    const focused = this.#places.get(this.#focused);
    if (focused !== undefined) places.add(focused);
    const keys = new Set([...places].map((place) => this.#shown[place].key));
    for (const [key, row] of this.#rows) {
      if (keys.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
      this.#faces.delete(key);
    }
    const nowMs = this.#desk.now();
    for (const place of [...places].sort((one, other) => one - other)) this.#paintRow(place, nowMs);
    this.#paintTabStop(first);
  }

  #paintRow(place, nowMs) {
    const line = this.#shown[place];
    const row = this.#rows.get(line.key) ?? this.#makeRow(line);
    dress(row.element, "transform", `translateY(${place * this.#height}px)`);
    put(row.element, "aria-rowindex", place + 2);
    if (line.heading) {
      row.paint(line);
      return;
    }
    const { people } = this.#desk.room;
    const here = people.get(line.key);
    const person = here ?? this.#faces.get(line.key);
    if (!person) return;
    this.#faces.set(line.key, person);
    row.paint(person, { people, nowMs, gone: !here });
  }

  #makeRow(line) {
    const row = line.heading
      ? new HeadingRow()
      : new PersonRow(
          (act) => this.#with(line.key, (person) => this.onAct(act, person)),
          () => this.#with(line.key, (person) => this.onMore(person)),
        );
    row.element.dataset.key = line.key;
    this.#rows.set(line.key, row);
    this.#sizer.append(row.element);
    return row;
  }

  #with(key, then) {
    const person = this.#desk.room?.people.get(key);
    if (person) then(person);
  }

  /** One row can be tabbed to: the one that had the focus, else the first person in view. */
  #paintTabStop(first) {
    let stop = this.#rows.has(this.#focused) ? this.#focused : null;
    stop ??= this.#shown.find((line, place) => place >= first && !line.heading)?.key;
    for (const [key, row] of this.#rows) {
      if (row instanceof PersonRow) put(row.element, "tabindex", key === stop ? "0" : "-1");
    }
  }

  #tick() {
    const nowMs = this.#desk.now();
    for (const [key, row] of this.#rows) {
      const person = this.#desk.room.people.get(key);
      if (person && row instanceof PersonRow) row.tick(person, nowMs);
    }
  }

  #paintLevels() {
    const { levels, people } = this.#desk.room;
    const measured = this.#desk.capabilities.levels;
    for (const [key, row] of this.#rows) {
      if (row instanceof PersonRow) row.level(people.get(key), measured ? (levels.get(key) ?? -90) : null);
    }
  }

  #listen() {
    new ResizeObserver(([entry]) => {
      this.#view = entry.contentRect.height;
      this.#height = Number.parseFloat(getComputedStyle(this.#grid).getPropertyValue("--row")) || 40;
      if (this.#desk.room) this.#settle(true);
    }).observe(this.#scroll);
    this.#scroll.addEventListener("scroll", () => {
      this.#top = this.#scroll.scrollTop;
      this.#paintRows();
      this.#paintLevels();
    }, { passive: true });
    this.#scroll.addEventListener("pointerover", (event) => {
      this.#hovered = event.target.closest(".row")?.dataset.key ?? null;
    });
    this.#scroll.addEventListener("pointerleave", () => {
      this.#hovered = null;
    });
    this.#grid.addEventListener("focusin", (event) => {
      const row = event.target.closest(".row.person");
      if (!row) return;
      this.#focused = row.dataset.key;
      this.#paintTabStop(0);
    });
    this.#grid.addEventListener("keydown", (event) => this.#key(event));
    this.#scroll.addEventListener("dblclick", (event) => {
      const key = event.target.closest(".row.person")?.dataset.key;
      if (key && !event.target.closest("button")) this.#with(key, (person) => this.onMore(person));
    });
    find("pending").addEventListener("click", () => this.#settle(true));
  }

  #key(event) {
    const row = event.target.closest(".row.person");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = this.#places.get(row.dataset.key) ?? 0;
    const page = Math.max(1, Math.floor(this.#view / this.#height) - 1);
    const goes = {
      ArrowDown: () => this.#step(place, 1),
      ArrowUp: () => this.#step(place, -1),
      PageDown: () => this.#step(Math.min(this.#shown.length - 1, place + page) - 1, 1),
      PageUp: () => this.#step(Math.max(0, place - page) + 1, -1),
      Home: () => this.#step(-1, 1),
      End: () => this.#step(this.#shown.length, -1),
    };
    if (Object.hasOwn(goes, event.key)) {
      event.preventDefault();
      const next = goes[event.key]();
      if (next >= 0) this.#focusPlace(next);
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      stepAmongButtons(row, event.key === "ArrowRight" ? 1 : -1);
    } else if (event.key === "Enter" && event.target === row) {
      event.preventDefault();
      this.#with(row.dataset.key, (person) => this.onMore(person));
    }
  }

  /** The next person's place in this direction; −1 when there is none. Headings are passed over. */
  #step(place, direction) {
    for (let next = place + direction; next >= 0 && next < this.#shown.length; next += direction) {
      if (!this.#shown[next].heading) return next;
    }
    return -1;
  }

  #focusPlace(place) {
    this.#focused = this.#shown[place].key;
    this.#bringIntoView(place);
    this.#paintRows();
    this.#rows.get(this.#focused)?.element.focus({ preventScroll: true });
  }

  #bringIntoView(place) {
    const top = place * this.#height;
    // The first person's heading comes along.
    const above = this.#shown[place - 1]?.heading ? top - this.#height : top;
    if (above < this.#top) this.#scroll.scrollTop = above;
    else if (top + this.#height > this.#top + this.#view) this.#scroll.scrollTop = top + this.#height - this.#view;
    this.#top = this.#scroll.scrollTop;
  }

  /** In words, for the empty list. */
  emptyWords() {
    return this.#query ? `Nobody here is found by “${this.#query}”.` : counted(0, "person", "people");
  }
}

function stepAmongButtons(row, direction) {
  const stops = [row, ...row.querySelectorAll("button:not(:disabled)")].filter((stop) => stop === row || stop.offsetParent);
  const place = stops.indexOf(document.activeElement);
  stops[Math.min(stops.length - 1, Math.max(0, place + direction))]?.focus();
}
