/** The lanes as a table: the same for those who cannot see the picture, and for those who want numbers. */

import { make } from "./dom.js";
import { capital, clockTime, roleWord, shortTime } from "./format.js";
import { nameOf } from "./people.js";
import { totalOf } from "./spans.js";

const COLUMNS = ["Name", "Role", "Times", "Talked", "Share", "First words", "Last words"];

export class LaneTable {
  #desk;
  #body = make("tbody");
  #painted = "";
  element = make(
    "div.table-scroll",
    { hidden: true, tabindex: "0", role: "region", "aria-label": "Who spoke, as a table" },
    make(
      "table",
      {},
      make("caption.visually-hidden", {}, "Who spoke, how often and for how long"),
      make("thead", {}, make("tr", {}, ...COLUMNS.map((name) => make("th", { scope: "col" }, name)))),
      this.#body,
    ),
  );

  constructor(desk) {
    this.#desk = desk;
  }

  get shown() {
    return !this.element.hidden;
  }

  show(on) {
    this.element.hidden = !on;
    this.#painted = "";
    this.paint();
  }

  /** Paint the rows anew, if they say something new. */
  paint() {
    if (!this.shown || !this.#desk.room) return;
    const nowMs = this.#desk.now();
    const lanes = [...this.#desk.room.lanes.values()].map((lane) => ({ lane, total: totalOf(lane.spans, nowMs) }));
    const whole = lanes.reduce((sum, { total }) => sum + total, 0);
    const rows = lanes.map(({ lane, total }) => cellsOf(lane, total, whole));
    const painted = JSON.stringify([this.#desk.sid, rows]);
    if (painted === this.#painted) return;
    this.#painted = painted;
    this.#body.replaceChildren(
      ...rows.map(([name, ...cells]) =>
        make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((cell) => make("td.digits", {}, cell))),
      ),
    );
  }
}

function cellsOf(lane, total, whole) {
  const first = lane.spans[0];
  const last = lane.spans.at(-1);
  return [
    nameOf(lane),
    capital(roleWord(lane.role)),
    String(lane.spans.length),
    shortTime(total / 1000),
    whole ? `${Math.round((100 * total) / whole)} %` : "",
    first ? clockTime(first[0] / 1000) : "",
    last ? (last[1] === null ? "now" : clockTime(last[1] / 1000)) : "",
  ];
}
