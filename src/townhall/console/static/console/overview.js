/** Which conferences there are: on the page when none is looked at, and as a dialog to switch. */

import { lineCard } from "./lines.js";
import { show } from "./dialogs.js";
import { find, make, put, write } from "./dom.js";
import { clockTime, count, counted, day, runningTime, shortTime } from "./format.js";
import { runTime, stateWords } from "./header.js";

const ORDER = ["live", "waiting", "ended"];

/** The address of a conference on this page. */
export function addressOf(sid) {
  return `#${encodeURIComponent(sid)}`;
}

/** Conferences as they are listed: live, then waiting, by their beginning; then the ended, newest first. */
export function inOrder(rooms) {
  return [...rooms].sort(({ facts: one }, { facts: other }) => {
    if (one.state !== other.state) return ORDER.indexOf(one.state) - ORDER.indexOf(other.state);
    const older = one.created_at_ms - other.created_at_ms;
    return one.state === "ended" ? -older : older;
  });
}

export class Overview {
  #desk;
  #painted = "";

  constructor(desk) {
    this.#desk = desk;
    find("switch").addEventListener("click", () => this.open());
  }

  /** Paint the list on the page, when it says something new. */
  paint() {
    const rooms = inOrder(this.#desk.state.rooms.values());
    const active = rooms.filter(({ facts }) => facts.state !== "ended");
    const taken = new Set(active.flatMap(({ facts }) => facts.lines));
    const idle = this.#desk.session.lines.filter((line) => !taken.has(line.number));
    const painted = JSON.stringify([
      rooms.map(({ facts }) => [facts, this.#clock(facts)]),
      idle,
      this.#desk.phones,
    ]);
    if (painted === this.#painted) return;
    this.#painted = painted;
    const focused = document.activeElement?.dataset?.sid;
    write(find("overview-heading"), active.length ? "Conferences" : "Nobody is here yet");
    write(find("overview-words"), active.length ? "" : "A conference appears here as soon as somebody calls.");
    find("overview-body").replaceChildren(
      ...(active.length ? [this.#list(active)] : []),
      ...(idle.length
        ? [
            make(
              "div.call-in-cards",
              {},
              ...idle.slice(0, 12).map((line) => lineCard(line, this.#desk.phones.address)),
            ),
          ]
        : []),
      ...(rooms.length > active.length
        ? [make("h2.before", {}, "Before"), this.#list(rooms.filter(({ facts }) => facts.state === "ended"))]
        : []),
    );
    if (focused)
      find("overview-body")
        .querySelector(`[data-sid="${CSS.escape(focused)}"]`)
        ?.focus();
  }

  /** Paint the button of the bar. */
  paintSwitch() {
    const rooms = [...this.#desk.state.rooms.values()];
    const others = rooms.filter(({ facts }) => facts.state !== "ended" && facts.sid !== this.#desk.sid).length;
    find("switch").hidden = !this.#desk.session.signed_in || !rooms.length;
    put(find("switch"), "data-others", others > 0 && this.#desk.sid !== null);
    write(
      find("switch-words"),
      others && this.#desk.sid ? `Conferences (${counted(others, "other", "others")} now)` : "Conferences",
    );
  }

  /** The dialog to switch. */
  async open() {
    const rooms = inOrder(this.#desk.state.rooms.values());
    const list = this.#list(rooms);
    list.addEventListener("click", (event) => event.target.closest("a") && shown.close());
    const all = make("a.button", { href: "#all", on: { click: () => shown.close() } }, "How to call in");
    const shown = show("Conferences", [list, make("div.dialog-foot", {}, all)], {
      kind: "wide",
      first: list.querySelector("a"),
    });
    await shown.closed;
  }

  #list(rooms) {
    return make("ul.conferences", {}, ...rooms.map(({ facts }) => this.#item(facts)));
  }

  #item(facts) {
    const total =
      facts.state === "ended"
        ? `${count(facts.attended)} attended`
        : counted(facts.counts.total, "person", "people");
    const when =
      facts.state === "ended"
        ? `${day(facts.created_at_ms / 1000)}, ${clockTime(facts.created_at_ms / 1000).slice(0, 5)}`
        : "";
    const link = make(
      "a",
      { href: addressOf(facts.sid), "data-sid": facts.sid, "data-state": facts.state },
      make("span.lamp", { "aria-hidden": "true" }),
      make("strong.name", {}, facts.name),
      make("span.how", {}, facts.state === "ended" ? "Ended" : stateWords(facts)),
      make("span.digits.clock", {}, this.#clock(facts)),
      make("span.digits.total", {}, total),
      make("span.soft.small.when", {}, when),
    );
    put(link, "aria-current", facts.sid === this.#desk.sid ? "page" : null);
    return make("li", {}, link);
  }

  #clock(facts) {
    const seconds = runTime(facts, this.#desk.now());
    if (seconds === null) return "";
    return facts.state === "ended" ? shortTime(seconds) : runningTime(seconds);
  }
}
