/** The panels at the foot: who spoke when, attendance, recordings. Tabs, as the ARIA practices have them. */

import { Attendance } from "./attendance.js";
import { find, make, put, write } from "./dom.js";
import { Lanes } from "./lanes.js";
import { Recordings } from "./recordings.js";

export class Records {
  #desk;
  #sid = null;
  #ended = null;
  #chosen = "lanes";
  #tabs = new Map();

  constructor(desk) {
    this.#desk = desk;
    this.lanes = new Lanes(desk);
    this.attendance = new Attendance(desk);
    this.recordings = new Recordings(desk);
    this.#makeTab("lanes", "Who spoke when", this.lanes);
    this.#makeTab("attendance", "Attendance", this.attendance);
    this.#makeTab("recordings", "Recordings", this.recordings);
    this.choose("lanes");
  }

  /** @param {Set<string>} touched */
  paint(touched) {
    const ended = this.#desk.room.facts.state === "ended";
    if (this.#sid !== this.#desk.sid) this.#begin();
    if (this.#ended !== ended) this.#place(ended);
    this.lanes.paint(touched);
    if (touched.has("recordings")) this.recordings.paint();
    const many = this.#desk.room.recordings.size;
    write(this.#tabs.get("recordings").tab, many ? `Recordings (${many})` : "Recordings");
    if (touched.has("roster") && this.#chosen === "attendance" && !ended) this.#later();
  }

  /** Show a panel: `lanes`, `attendance` or `recordings`. */
  choose(name) {
    this.#chosen = name;
    for (const [other, { tab, panel, part }] of this.#tabs) {
      const chosen = other === name;
      put(tab, "aria-selected", String(chosen));
      put(tab, "tabindex", chosen ? "0" : "-1");
      // After the end, attendance has a place of its own.
      if (!(other === "attendance" && this.#ended)) panel.hidden = !chosen;
      if (chosen) find("tools").replaceChildren(...part.tools);
    }
    if (!this.#desk.room) return;
    if (name === "lanes") this.lanes.paint(new Set(["lanes"]));
    else this.#tabs.get(name).part.load();
  }

  #begin() {
    this.#sid = this.#desk.sid;
    this.#ended = null;
    this.attendance.clear();
    this.recordings.clear();
    this.recordings.load();
    if (this.#chosen === "attendance") this.attendance.load();
  }

  /** After the end there is no roster: attendance stands in its place, with the same search. */
  #place(ended) {
    this.#ended = ended;
    const { tab, panel } = this.#tabs.get("attendance");
    tab.hidden = ended;
    const roster = find("roster");
    roster.hidden = ended;
    find("people-heading").textContent = ended ? "Who was there" : "People";
    if (ended) {
      roster.after(panel);
      panel.hidden = false;
      put(panel, "role", "group");
      find("people-tools").replaceChildren(...this.attendance.tools);
      if (this.#chosen === "attendance") this.choose("lanes");
      this.attendance.load();
    } else {
      find("panel-lanes").after(panel);
      put(panel, "role", "tabpanel");
      find("people-tools").replaceChildren();
      panel.hidden = this.#chosen !== "attendance";
    }
  }

  #timer = 0;

  /** Who comes and goes changes attendance; it is asked for again, but not for each of 2,000. */
  #later() {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      if (this.#chosen === "attendance" && this.#desk.room) this.attendance.load();
    }, 3_000);
  }

  #makeTab(name, words, part) {
    const tab = make(
      "button.tab",
      {
        type: "button",
        role: "tab",
        id: `tab-${name}`,
        "aria-controls": `panel-${name}`,
        on: { click: () => this.choose(name) },
      },
      words,
    );
    tab.addEventListener("keydown", (event) => this.#key(event, name));
    find("tabs").append(tab);
    this.#tabs.set(name, { tab, panel: find(`panel-${name}`), part });
  }

  #key(event, name) {
    const names = [...this.#tabs.keys()].filter((other) => !this.#tabs.get(other).tab.hidden);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = names[(names.indexOf(name) + step + names.length) % names.length];
    this.choose(next);
    this.#tabs.get(next).tab.focus();
  }
}
