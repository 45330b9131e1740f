/** Attendance: one row a stay, with the CSV beside it. Asked for when it is looked at; long lists come in pieces. */

import { find, make, write } from "./dom.js";
import { capital, clockTime, count, counted, roleWord, shortTime } from "./format.js";
import { icon } from "./icons.js";
import { fold } from "./order.js";
import { nameOf, numberOf } from "./people.js";
import { fileOf } from "./server.js";

const PIECE = 200;
const COLUMNS = ["Name", "Number", "Role", "Came", "Left", "Stayed", "Talked"];

export class Attendance {
  #desk;
  #panel = find("panel-attendance");
  #body = make("tbody");
  #words = make("p.soft.small", { role: "status" });
  #more = make("button.button", { type: "button", hidden: true });
  #rows = [];
  #query = "";
  #most = PIECE;
  #csv = make("a.button.quiet.small", { download: "" }, icon("download"), "CSV");
  /** What belongs to this panel. */
  tools = [this.#csv];

  constructor(desk) {
    this.#desk = desk;
    const head = make("thead", {}, make("tr", {}, ...COLUMNS.map((name) => make("th", { scope: "col" }, name))));
    const table = make("table", {}, make("caption.visually-hidden", {}, "Attendance"), head, this.#body);
    this.#panel.append(
      make("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Attendance" }, table, this.#more),
      this.#words,
    );
    this.#more.addEventListener("click", () => {
      this.#most += 5 * PIECE;
      this.#paint();
    });
  }

  /** Ask the server and show what it says. */
  async load() {
    const { sid } = this.#desk;
    this.#csv.href = fileOf(sid, "attendance.csv");
    try {
      const { rows } = await this.#desk.server.ask(sid, "attendance");
      if (sid !== this.#desk.sid) return;
      this.#rows = rows;
      this.#paint();
    } catch (error) {
      write(this.#words, error.message);
    }
  }

  /** Another conference is looked at. */
  clear() {
    this.#rows = [];
    this.#most = PIECE;
    this.#body.replaceChildren();
    write(this.#words, "");
  }

  /** Show the rows that are found by these words. */
  search(query) {
    this.#query = fold(query);
    this.#paint();
  }

  #paint() {
    const words = this.#query.split(/\s+/).filter(Boolean);
    const rows = this.#rows.filter((row) =>
      words.every((word) => fold(`${nameOf(row)} ${row.number ?? ""} ${row.role}`).includes(word)),
    );
    this.#body.replaceChildren(...rows.slice(0, this.#most).map((row) => this.#makeRow(row)));
    this.#more.hidden = rows.length <= this.#most;
    write(this.#more, `Show more of ${count(rows.length)}`);
    write(
      this.#words,
      words.length
        ? `${count(rows.length)} of ${counted(this.#rows.length, "stay", "stays")}`
        : counted(rows.length, "stay", "stays"),
    );
  }

  #makeRow(row) {
    const left = row.left_at_ms ? clockTime(row.left_at_ms / 1000) : "here";
    const cells = [
      numberOf(row),
      capital(roleWord(row.role)),
      row.joined_at_ms ? clockTime(row.joined_at_ms / 1000) : "",
      left,
      row.stay_ms === null ? "" : shortTime(row.stay_ms / 1000),
      row.talk_ms ? shortTime(row.talk_ms / 1000) : "",
    ];
    return make(
      "tr",
      { "data-role": row.role },
      make("th", { scope: "row" }, nameOf(row)),
      ...cells.map((cell) => make("td.digits", {}, cell)),
    );
  }
}
