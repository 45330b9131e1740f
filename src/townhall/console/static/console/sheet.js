/** More about a person: all facts and all acts, in a size that fingers can use. */

import { PERSON_ACTS, canDo } from "./acts.js";
import { announce, show } from "./dialogs.js";
import { make } from "./dom.js";
import { capital, clockTime, roleWord, spokenTime } from "./format.js";
import { icon } from "./icons.js";
import { nameOf, numberOf, stateWords, talkTime } from "./people.js";

const KINDS = { phone: "by phone", browser: "from a browser", guest: "dialled from here" };

export async function sheet(desk, person) {
  const shown = show(nameOf(person), [facts(desk, person), acts(desk, person, () => shown.close())]);
  await shown.closed;
}

function facts(desk, person) {
  const nowMs = desk.now();
  const talked = talkTime(person, nowMs);
  const rows = [
    ["Role", `${capital(roleWord(person.role))}, ${KINDS[person.kind] ?? ""}`],
    ["Number", numberOf(person)],
    ["State", stateWords(person, desk.room.people)],
    ["Came", person.joined_at_ms ? clockTime(person.joined_at_ms / 1000) : ""],
    ["Talked", talked ? spokenTime(talked / 1000) : "not yet"],
  ];
  const filled = rows.filter(([, words]) => words);
  return make(
    "dl.sheet-facts",
    {},
    ...filled.flatMap(([name, words]) => [make("dt", {}, name), make("dd", {}, words)]),
  );
}

function acts(desk, person, close) {
  const possible = PERSON_ACTS.filter((act) => canDo(act, person));
  const buttons = possible.map((act) =>
    sheetButton(act.icon(person), act.label(person), act.id, () => act.run(desk, person)),
  );
  if (person.state !== "ringing")
    buttons.push(sheetButton("announce", "Announce", "announce", () => announce(desk, person)));
  return make("div.sheet-acts", {}, ...buttons);

  function sheetButton(drawing, words, id, run) {
    const press = () => {
      close();
      run();
    };
    return make("button.button", { type: "button", "data-act": id, on: { click: press } }, icon(drawing), words);
  }
}
