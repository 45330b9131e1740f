/** The header: what the conference is called, how it is in words, who is here, and the big acts. */

import { ROOM_ACTS } from "./acts.js";
import { find, make, put, write } from "./dom.js";
import { count, roleWord, runningTime, spokenTime } from "./format.js";
import { icon } from "./icons.js";
import { paintInvitation } from "./invitation.js";

const ENDINGS = {
  "last-participant-left": "the last one left",
  "last-participant-kicked": "the last one was removed",
  "participant-with-end-conference-on-exit-left": "the moderator left",
  "participant-with-end-conference-on-exit-kicked": "the moderator was removed",
  "conference-ended-via-api": "a moderator ended it",
  lost: "the server was started anew",
};
const COUNTED = ["moderator", "speaker", "listener"];

/** The state of a conference in words, without its clock. */
export function stateWords(facts) {
  if (facts.state === "live") return "Live";
  if (facts.state === "waiting")
    return facts.waiting_for === "others" ? "Waiting for others" : "Waiting for a moderator";
  return "Ended";
}

/** Why a conference has ended, in words; "" when that is not known. */
export function endingWords(facts) {
  return ENDINGS[facts.ended_by] ?? "";
}

/** For how long a conference has been live, or was, in seconds; null before it began. */
export function runTime(facts, nowMs) {
  if (!facts.started_at_ms) return null;
  return ((facts.ended_at_ms ?? nowMs) - facts.started_at_ms) / 1000;
}

export class Header {
  #desk;
  #buttons = new Map();
  #counts = new Map();

  constructor(desk) {
    this.#desk = desk;
    this.#makeActs();
    this.#makeCounts();
  }

  /** @param {Set<string>} touched `facts`: everything; `tick`: the clocks */
  paint(touched) {
    const { facts } = this.#desk.room;
    if (touched.has("facts")) {
      this.#paintFacts(facts);
      this.#paintActs(facts);
    }
    this.#paintClocks(facts);
  }

  #paintFacts(facts) {
    write(find("title"), facts.name);
    paintInvitation(this.#desk.room);
    write(find("state-words"), stateWords(facts));
    put(find("room"), "data-state", facts.state);
    for (const [key, { item, number, word }] of this.#counts) {
      const value = facts.counts[key] ?? 0;
      write(number, count(value));
      write(word, key === "ringing" ? "ringing" : roleWord(key, value));
      item.hidden = facts.state === "ended" || (key === "ringing" && !value);
    }
  }

  #paintActs(facts) {
    find("acts").hidden = facts.state === "ended";
    for (const act of ROOM_ACTS) {
      const { button, words } = this.#buttons.get(act.id);
      button.hidden = act.can ? !act.can(this.#desk) : false;
      write(words, act.label(facts));
      const drawing = act.icon(facts);
      if (button.dataset.drawing !== drawing) {
        button.querySelector(".icon").replaceWith(icon(drawing));
        button.dataset.drawing = drawing;
      }
      button.classList.toggle("on", act.on?.(facts) ?? false);
    }
  }

  #paintClocks(facts) {
    const seconds = runTime(facts, this.#desk.now());
    const clock = find("clock");
    clock.hidden = seconds === null || facts.state === "ended";
    if (seconds !== null) write(clock, runningTime(seconds));
    const title = facts.state === "live" ? `${count(facts.counts.total)} live` : stateWords(facts);
    document.title = `${facts.name} · ${title} · Townhall`;
    put(clock, "title", seconds === null ? null : spokenTime(seconds));
  }

  #makeActs() {
    for (const act of ROOM_ACTS) {
      const words = make("span.words");
      const button = make(
        "button.act",
        {
          type: "button",
          "data-act": act.id,
          "aria-keyshortcuts": `Shift+${act.key}`,
          on: { click: () => act.run(this.#desk) },
        },
        icon("record"),
        words,
        make("kbd", { "aria-hidden": "true" }, `⇧${act.key}`),
      );
      this.#buttons.set(act.id, { button, words });
      find("acts").append(button);
    }
  }

  #makeCounts() {
    for (const key of [...COUNTED, "ringing"]) {
      const number = make("strong.digits");
      const word = make("span");
      const item = make("li", { "data-role": key }, number, " ", word);
      this.#counts.set(key, { item, number, word });
      find("counts").append(item);
    }
  }
}
