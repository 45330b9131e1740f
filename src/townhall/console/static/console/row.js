/** One line of the roster: a person with their acts, or a role's heading. It only writes what differs. */

import { PERSON_ACTS, canDo } from "./acts.js";
import { dress, make, put, write } from "./dom.js";
import { capital, count, roleWord, shortTime, spokenTime } from "./format.js";
import { icon } from "./icons.js";
import { nameOf, numberOf, share, stateWords, talkTime } from "./people.js";

/** A role's heading with how many there are. */
export class HeadingRow {
  #words = make("span.word");
  #number = make("span.many.digits");

  constructor() {
    const cell = make("div.cell", { role: "gridcell", "aria-colspan": "5" }, this.#words, " ", this.#number);
    this.element = make("div.row.heading", { role: "row" }, cell);
  }

  /** @param {{heading: string, number: number}} line */
  paint(line) {
    put(this.element, "data-role", line.heading);
    write(this.#words, capital(roleWord(line.heading, 2)));
    write(this.#number, count(line.number));
  }
}

/** A person. `onAct(act)` and `onMore()` are called when a button is pressed. */
export class PersonRow {
  #meter = make("span.meter", { "aria-hidden": "true" });
  #name = make("span.name");
  #number = make("span.phone.number");
  #state = make("span.how");
  #spoke = make("div.cell.spoke.digits", { role: "gridcell" });
  #here = make("div.cell.here.digits", { role: "gridcell" });
  #buttons = new Map();

  constructor(onAct, onMore) {
    const more = make(
      "button.icon-button.more",
      { type: "button", tabindex: "-1", on: { click: () => onMore() } },
      icon("more"),
    );
    this.more = more;
    for (const act of PERSON_ACTS) {
      const button = make("button.icon-button", {
        type: "button",
        tabindex: "-1",
        "data-act": act.id,
        on: { click: () => onAct(act) },
      });
      this.#buttons.set(act.id, button);
    }
    this.element = make(
      "div.row.person",
      { role: "row", tabindex: "-1" },
      make("div.cell.who", { role: "gridcell" }, this.#meter, this.#name, this.#number),
      make("div.cell.state-of", { role: "gridcell" }, this.#state),
      this.#spoke,
      this.#here,
      make("div.cell.row-acts", { role: "gridcell" }, ...this.#buttons.values(), more),
    );
  }

  /** @param {Object} person @param {{people: Map, nowMs: number, gone: boolean}} around */
  paint(person, { people, nowMs, gone }) {
    const state = gone ? "gone" : person.state;
    put(this.element, "data-is", state);
    put(this.element, "data-role", person.role);
    put(
      this.element,
      "aria-label",
      `${nameOf(person)}, ${roleWord(person.role)}, ${gone ? "left" : stateWords(person, people)}`,
    );
    write(this.#name, nameOf(person));
    put(this.#name, "title", nameOf(person));
    write(this.#number, numberOf(person));
    write(this.#state, gone ? "Left" : stateWords(person, people));
    this.#paintButtons(person, gone);
    this.tick(person, nowMs, gone);
  }

  /** Paint the times alone. */
  tick(person, nowMs, gone = false) {
    if (gone) return;
    const talked = talkTime(person, nowMs);
    write(this.#spoke, talked ? shortTime(talked / 1000) : "");
    const here = person.joined_at_ms && person.state !== "ringing" ? (nowMs - person.joined_at_ms) / 1000 : null;
    write(this.#here, here === null ? "" : shortTime(here));
    put(this.#here, "title", here === null ? null : `Here for ${spokenTime(here)}`);
  }

  /** @param {number|null} dbov null: the level is not known, only whether they speak */
  level(person, dbov) {
    const talking = person?.state === "talking";
    dress(this.#meter, "--level-now", !talking ? "0" : dbov === null ? "1" : share(dbov).toFixed(2));
  }

  #paintButtons(person, gone) {
    for (const act of PERSON_ACTS) {
      const button = this.#buttons.get(act.id);
      const possible = !gone && canDo(act, person);
      put(button, "data-off", !possible);
      button.disabled = !possible;
      const label = `${act.label(person)} ${nameOf(person)}`;
      put(button, "aria-label", label);
      put(button, "title", `${act.label(person)} (${act.key})`);
      const drawing = act.icon(person);
      if (button.dataset.drawing === drawing) continue;
      button.replaceChildren(icon(drawing));
      button.dataset.drawing = drawing;
    }
    put(this.more, "aria-label", `More about ${nameOf(person)}`);
    this.more.disabled = gone;
  }
}
