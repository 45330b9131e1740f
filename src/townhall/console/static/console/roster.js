/**
 * The roster: everybody in the conference, by role, one line each. Only the lines in view are elements, so 2,000
 * people cost as much as thirty.
 *
 * For screen readers it is a grid with the full number of rows (`aria-rowcount`, `aria-rowindex`). One row can be
 * tabbed to; arrows move on. The row that has the focus stays an element even when it is scrolled out of view.
 */

import { Calm } from "./calm.js";
import { dress, find, make, put, write } from "./dom.js";
import { count } from "./format.js";
import { alikeInView, arrange, shiftOf } from "./order.js";
import { searchWords } from "./people.js";
import { listenToArrows, nearestPerson, placeAfter } from "./rosterkeys.js";
import { Rows } from "./rows.js";

const SPARE_ROWS = 6;
const ROW_PX = 36;
const COLUMNS = ["Name", "State", "Talked", "Here for", "Acts"];

export class Roster {
  #desk;
  #shown = [];
  #wanted = [];
  #places = new Map();
  #query = "";
  #sid = null;
  #focused = null;
  #hovered = null;
  #rowPx = ROW_PX;
  #viewPx = 0;
  #topPx = 0;
  #calm;
  #scroll = make("div.scroll", { role: "presentation" });
  #sizer = make("div.sizer", { role: "presentation" });
  #nobody = make("p.nothing", { hidden: true });
  #grid;
  /** The rows that are elements; says what is pressed in them. */
  rows;

  constructor(desk) {
    this.#desk = desk;
    this.rows = new Rows(desk, this.#sizer);
    this.#scroll.append(this.#sizer);
    const names = COLUMNS.map((name) => make("div.cell", { role: "columnheader" }, name));
    const head = make("div.row.columns", { role: "row", "aria-rowindex": "1" }, ...names);
    this.#grid = make("div.grid", { role: "grid", "aria-label": "People" }, head, this.#scroll);
    find("roster").append(this.#grid, this.#nobody);
    this.#calm = new Calm(this.#scroll, () => this.#settle());
    this.#listen();
  }

  /** The person whose row has, or last had, the focus; undefined when there is none. */
  selected() {
    return this.#focused && this.#desk.room?.people.get(this.#focused);
  }

  /** Put the focus on a person's row, or on the one that had it last, and bring it into view. */
  focus(key = this.#focused) {
    this.#focusPlace(this.#places.get(key) ?? nearestPerson(this.#shown, -1, 1));
  }

  /** Put the focus on the next person in this direction, 1 or −1. */
  move(direction) {
    this.#focusPlace(nearestPerson(this.#shown, this.#places.get(this.#focused) ?? -1, direction));
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
    else if (touched.has("tick")) this.rows.tick();
    this.rows.paintLevels();
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
    this.#nobody.hidden = !this.#query || found > 0;
    write(this.#nobody, `Nobody is found by “${this.#query}”.`);
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
    dress(this.#sizer, "block-size", `${this.#shown.length * this.#rowPx}px`);
    put(this.#grid, "aria-rowcount", this.#shown.length + 1);
    if (moved) {
      this.#topPx = Math.max(0, this.#topPx + moved * this.#rowPx);
      this.#scroll.scrollTop = this.#topPx;
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
    return this.#topPx > 0 ? (this.#shown[first]?.key ?? null) : null;
  }

  /** When the focused person has left, the focus goes to whoever stands there now. */
  #replaceFocused() {
    const element = this.rows.element(this.#focused);
    if (!element || this.#wanted.some((line) => line.key === this.#focused)) return;
    const inside = element.contains(document.activeElement);
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

  /** The places in view, from the first to the one after the last. */
  #inView() {
    return [Math.floor(this.#topPx / this.#rowPx), Math.ceil((this.#topPx + this.#viewPx) / this.#rowPx)];
  }

  #paintRows() {
    if (!this.#desk.room) return;
    const [first, last] = this.#inView();
    const from = Math.max(0, first - SPARE_ROWS);
    const to = Math.min(this.#shown.length, last + SPARE_ROWS);
    const places = Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
    const focused = this.#places.get(this.#focused);
    if (focused !== undefined && (focused < from || focused >= to)) places.push(focused);
    this.rows.paint(this.#shown, places, this.#rowPx);
    this.#paintTabStop(first);
  }

  /** One row can be tabbed to: the one that had the focus, else the first person in view. */
  #paintTabStop(first) {
    const kept = this.rows.has(this.#focused) ? this.#focused : null;
    this.rows.paintTabStop(kept ?? this.#shown[nearestPerson(this.#shown, first - 1, 1)]?.key);
  }

  #focusPlace(place) {
    if (place < 0) return;
    this.#focused = this.#shown[place].key;
    this.#bringIntoView(place);
    this.#paintRows();
    this.rows.element(this.#focused)?.focus({ preventScroll: true });
  }

  #bringIntoView(place) {
    const top = place * this.#rowPx;
    // The first person's heading comes along.
    const above = this.#shown[place - 1]?.heading ? top - this.#rowPx : top;
    if (above < this.#topPx) this.#scroll.scrollTop = above;
    else if (top + this.#rowPx > this.#topPx + this.#viewPx)
      this.#scroll.scrollTop = top + this.#rowPx - this.#viewPx;
    this.#topPx = this.#scroll.scrollTop;
  }

  #listen() {
    new ResizeObserver(([entry]) => this.#measure(entry.contentRect.height)).observe(this.#scroll);
    this.#scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#scroll.addEventListener("pointerover", ({ target }) => {
      this.#hovered = target.closest(".row")?.dataset.key ?? null;
    });
    this.#scroll.addEventListener("pointerleave", () => {
      this.#hovered = null;
    });
    this.#grid.addEventListener("focusin", ({ target }) => {
      const row = target.closest(".row.person");
      if (!row) return;
      this.#focused = row.dataset.key;
      this.#paintTabStop(0);
    });
    this.#scroll.addEventListener("dblclick", ({ target }) => {
      const key = target.closest(".row.person")?.dataset.key;
      if (key && !target.closest("button")) this.rows.with(key, (person) => this.rows.onMore(person));
    });
    listenToArrows(this.#grid, {
      go: (key, step) => this.#focusPlace(placeAfter(this.#shown, this.#places.get(key) ?? 0, step, this.#page())),
      more: (key) => this.rows.with(key, (person) => this.rows.onMore(person)),
    });
    find("pending").addEventListener("click", () => this.#settle(true));
  }

  #scrolled() {
    this.#topPx = this.#scroll.scrollTop;
    this.#paintRows();
  }

  #measure(height) {
    this.#viewPx = height;
    this.#rowPx = Number.parseFloat(getComputedStyle(this.#grid).getPropertyValue("--row")) || ROW_PX;
    if (this.#desk.room) this.#settle(true);
  }

  /** How many rows a page has. */
  #page() {
    return Math.max(1, Math.floor(this.#viewPx / this.#rowPx) - 1);
  }
}
