/**
 * What a moderator can do: to the conference and to a person. Each act says what it is called now, its key,
 * whether it can be done, and how. Buttons, keys and the key overlay are all made from these two tables.
 */

import { nameOf } from "./people.js";
import { counted } from "./format.js";
import { announce, coach, confirm, dial } from "./dialogs.js";

/**
 * @typedef {Object} Act
 * @property {string} id
 * @property {string} key the single key that does it
 * @property {(...args: any[]) => string} label what it is called now
 * @property {(...args: any[]) => string} icon
 * @property {(...args: any[]) => boolean} [can] whether it is offered
 * @property {(...args: any[]) => boolean} [on] whether it is in force
 * @property {(...args: any[]) => Promise<any>|any} run
 */

/**
 * @type {Act[]} acts on the conference: `label`, `icon` and `on` are given the room's facts, `can` and `run` the
 * desk
 */
export const ROOM_ACTS = [
  {
    id: "mute-all",
    key: "M",
    help: "Mute everybody but moderators, or release them",
    label: (facts) => (facts.muted_all ? "Release all" : "Mute all"),
    icon: (facts) => (facts.muted_all ? "microphone" : "muted"),
    on: (facts) => facts.muted_all,
    run: (desk) => desk.act(desk.room.facts.muted_all ? "release-all" : "mute-all"),
  },
  {
    id: "lock",
    key: "L",
    help: "Lock the room, or open it",
    label: (facts) => (facts.locked ? "Unlock" : "Lock"),
    icon: (facts) => (facts.locked ? "unlock" : "lock"),
    on: (facts) => facts.locked,
    can: (desk) => desk.capabilities.lock,
    run: (desk) => desk.act(desk.room.facts.locked ? "unlock" : "lock"),
  },
  {
    id: "announce",
    key: "A",
    help: "Announce something to everybody",
    label: () => "Announce",
    icon: () => "announce",
    run: (desk) => announce(desk),
  },
  {
    id: "record",
    key: "R",
    help: "Start or stop recording",
    label: (facts) => (facts.recording ? "Stop rec." : "Record"),
    icon: (facts) => (facts.recording ? "stop" : "record"),
    on: (facts) => Boolean(facts.recording),
    run: (desk) => desk.act(desk.room.facts.recording ? "stop-recording" : "record"),
  },
  {
    id: "dial",
    key: "D",
    help: "Dial a guest",
    label: () => "Dial guest",
    icon: () => "dial",
    run: (desk) => dial(desk),
  },
  {
    id: "end",
    key: "E",
    help: "End the conference (asks first)",
    label: () => "End",
    icon: () => "end",
    run: (desk) => end(desk),
  },
];

/**
 * @type {Act[]} acts on a person: `label`, `icon`, `can` and `on` are given the person, `run` the desk and the
 * person
 */
export const PERSON_ACTS = [
  {
    id: "mute",
    key: "m",
    help: "Mute or unmute",
    label: (person) => (person.muted ? "Unmute" : "Mute"),
    icon: (person) => (person.muted ? "microphone" : "muted"),
    can: (person) => person.state !== "ringing",
    run: (desk, person) => desk.act(person.muted ? "unmute" : "mute", only(person)),
  },
  {
    id: "hold",
    key: "h",
    help: "Put on hold, or take back",
    label: (person) => (person.hold ? "Take back" : "Hold"),
    icon: (person) => (person.hold ? "resume" : "hold"),
    can: (person) => !["ringing", "waiting"].includes(person.state),
    run: (desk, person) => desk.act(person.hold ? "unhold" : "hold", only(person)),
  },
  {
    id: "coach",
    key: "c",
    help: "Coach: a moderator whispers to this person alone",
    label: (person) => (person.coaching ? "Stop coaching" : "Coach"),
    icon: () => "coach",
    can: (person) => !["ringing", "waiting", "hold"].includes(person.state),
    run: (desk, person) => coach(desk, person),
  },
  {
    id: "kick",
    key: "x",
    help: "Remove (asks first)",
    label: (person) => (person.state === "ringing" ? "Give up" : "Remove"),
    icon: () => "remove",
    run: (desk, person) => kick(desk, person),
  },
];

/** Whether an act on a person is offered. */
export function canDo(act, person) {
  return act.can ? act.can(person) : true;
}

function only(person) {
  return { call_sids: [person.call_sid] };
}

async function kick(desk, person) {
  const ringing = person.state === "ringing";
  const sure = await confirm({
    title: ringing ? `Stop calling ${nameOf(person)}?` : `Remove ${nameOf(person)}?`,
    words: ringing
      ? "The phone there stops ringing."
      : "They are taken out of the conference at once. They can call again unless the room is locked.",
    yes: ringing ? "Give up" : "Remove",
  });
  if (sure) await desk.act("kick", only(person));
}

async function end(desk) {
  const { facts } = desk.room;
  const sure = await confirm({
    title: `End ${facts.name}?`,
    words: `The conference is over at once for ${counted(facts.counts.total, "person", "people")}. This cannot be undone.`,
    yes: "End for everybody",
  });
  if (sure) await desk.act("end");
}
