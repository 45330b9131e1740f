/** What stands in the place of "on air" when the conference has ended: its sums. */

import { find, make, write } from "./dom.js";
import { clockTime, count, day, sumTime } from "./format.js";
import { endingWords, runTime } from "./header.js";
import { totalOf } from "./spans.js";

export class Summary {
  #desk;
  #values = new Map();

  constructor(desk) {
    this.#desk = desk;
    const list = make("dl");
    for (const name of ["Lasted", "Began", "Ended", "Attended", "Most at one time", "Spoke", "Talk"]) {
      const value = make("dd.digits");
      this.#values.set(name, value);
      list.append(make("div", {}, make("dt", {}, name), value));
    }
    find("summary").append(list);
  }

  paint() {
    const { facts, lanes } = this.#desk.room;
    const ended = facts.state === "ended";
    find("summary").hidden = !ended;
    find("onair").hidden = ended;
    if (!ended) return;
    const began = facts.started_at_ms ?? facts.created_at_ms;
    const seconds = runTime(facts, this.#desk.now());
    const talk = [...lanes.values()].reduce((sum, lane) => sum + totalOf(lane.spans, facts.ended_at_ms), 0);
    this.#write("Lasted", seconds === null ? "never began" : sumTime(seconds));
    this.#write("Began", `${day(began / 1000)}, ${clockTime(began / 1000).slice(0, 5)}`);
    const why = endingWords(facts);
    this.#write(
      "Ended",
      why
        ? `${clockTime(facts.ended_at_ms / 1000).slice(0, 5)}, ${why}`
        : clockTime(facts.ended_at_ms / 1000).slice(0, 5),
    );
    this.#write("Attended", count(facts.attended));
    this.#write("Most at one time", count(facts.peak));
    this.#write("Spoke", count(lanes.size));
    this.#write("Talk", sumTime(talk / 1000));
  }

  #write(name, words) {
    write(this.#values.get(name), words);
  }
}
