/**
 * Single keys. A small letter acts on the person whose row has the focus, a capital on the whole conference; `?`
 * shows them all. They can be switched off (WCAG 2.1.4), and they never act while somebody types or a dialog is
 * open.
 */

import { PERSON_ACTS, ROOM_ACTS, canDo } from "./acts.js";
import { isOpen, show } from "./dialogs.js";
import { find, make } from "./dom.js";
import { keepKeysOff, keysAreOff } from "./kept.js";
import { nameOf } from "./people.js";

const MOVES = [
  ["↑ ↓", "From person to person (also j and k)"],
  ["→ ←", "Along a person's buttons"],
  ["Enter", "More about a person"],
  ["1 … 6", "To the person at that place on air"],
  ["/", "Search"],
  ["p", "To the people"],
  ["s", "Switch between conferences"],
  ["Esc", "Leave the search, close a dialog"],
  ["?", "This overlay"],
];

export class Keys {
  #desk;
  #roster;
  #onair;
  #overview;

  constructor({ desk, roster, onair, overview }) {
    this.#desk = desk;
    this.#roster = roster;
    this.#onair = onair;
    this.#overview = overview;
    document.addEventListener("keydown", (event) => this.#press(event));
    find("help").addEventListener("click", () => this.open());
  }

  /** The overlay with all keys. */
  async open() {
    const off = make("input", { type: "checkbox", id: "keys-off" });
    off.checked = keysAreOff();
    off.addEventListener("change", () => keepKeysOff(off.checked));
    await show(
      "Keys",
      [
        make(
          "div.keys",
          {},
          list(
            "A person",
            PERSON_ACTS.map(({ key, help }) => [key, help]),
          ),
          list("The whole conference", this.#roomKeys()),
          list("Getting about", MOVES),
        ),
        make(
          "p.check",
          {},
          off,
          make("label", { for: "keys-off" }, "Single keys off (arrows, Enter and Esc stay)"),
        ),
      ],
      { kind: "wide" },
    ).closed;
  }

  #roomKeys() {
    return ROOM_ACTS.filter((act) => !act.can || act.can(this.#desk)).map(({ key, help }) => [
      `Shift ${key}`,
      help,
    ]);
  }

  #press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (isOpen() || !this.#desk.session.signed_in || isTyping(event.target)) return;
    if (keysAreOff() && event.key !== "?") return;
    if (this.#go(event.key) || (this.#desk.room && (this.#onRoom(event) || this.#onPerson(event.key))))
      event.preventDefault();
  }

  #go(key) {
    if (key === "?") return (this.open(), true);
    if (key === "s" && !find("switch").hidden) return (this.#overview.open(), true);
    if (!this.#desk.room) return false;
    if (key === "/") return (find("search").focus(), true);
    if (key === "p") return (this.#roster.focus(), true);
    if (key === "j" || key === "k") return (this.#roster.move(key === "j" ? 1 : -1), true);
    if (/^[1-9]$/.test(key)) {
      const speaker = this.#onair.speaker(Number(key));
      if (speaker) this.#roster.focus(speaker);
      return true;
    }
    return false;
  }

  #onRoom(event) {
    if (!event.shiftKey || this.#desk.room.facts.state === "ended") return false;
    const act = ROOM_ACTS.find(({ key }) => key === event.key.toUpperCase());
    if (!act || (act.can && !act.can(this.#desk))) return false;
    act.run(this.#desk);
    return true;
  }

  #onPerson(key) {
    const act = PERSON_ACTS.find((other) => other.key === key);
    if (!act) return false;
    const person = this.#roster.selected();
    if (!person) this.#desk.tell("Choose a person first: press p or an arrow key, or click a row.");
    else if (canDo(act, person)) act.run(this.#desk, person);
    else this.#desk.tell(`${act.label(person)} is not possible for ${nameOf(person)} now.`);
    return true;
  }
}

/** Whether keys go into a field. */
function isTyping(target) {
  return (
    target instanceof HTMLElement &&
    target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select, audio, [contenteditable]")
  );
}

function list(title, keys) {
  const rows = keys.flatMap(([key, words]) => [
    make("dt", {}, ...key.split(" ").map((part) => make(part === "…" ? "span" : "kbd", {}, part))),
    make("dd", {}, words),
  ]);
  return make("section", {}, make("h3", {}, title), make("dl", {}, ...rows));
}
