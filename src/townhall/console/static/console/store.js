/**
 * What the console knows, and how each event of the live stream changes it (docs/reference/console-api.md).
 *
 * No page, no network, no clock of its own: `apply(state, event, data)` changes the state and returns what it
 * touched, so that the page repaints that and nothing else. Times are milliseconds, as they come.
 */

import { placeSpan } from "./spans.js";

const MOST_ENTRIES = 1000;

/**
 * @typedef {Object} Room one conference as the console knows it
 * @property {Object} facts the Conference of the API, without its participants and entries
 * @property {Map<string, Object>} people by call SID: who is in the roster
 * @property {Object[]} entries the event feed, oldest first
 * @property {Map<string, Lane>} lanes by call SID, in the order of first words
 * @property {Map<string, number>} levels by call SID, in dBov; who is not in it is silent
 * @property {Map<string, Object>} recordings by SID, as far as the stream has told of them
 */

/** @returns {{rooms: Map<string, Room>, capabilities: {levels: boolean, lock: boolean}, nowMs: number}} */
export function emptyState() {
  return { rooms: new Map(), capabilities: { levels: false, lock: false }, nowMs: 0 };
}

/**
 * Apply one event. Unknown events and conferences are passed over: the server may be newer than the page.
 *
 * @returns {[string, string][]} pairs of a conference's SID (or "*") and what was touched: `rooms` (which there
 *   are), `facts`,
 *   `roster` (who is there), `people` (how they are), `entries`, `lanes`, `levels`, `recordings`
 */
export function apply(state, event, data) {
  if (typeof data?.now_ms === "number") state.nowMs = data.now_ms;
  return Object.hasOwn(REDUCERS, event) ? REDUCERS[event](state, data) : [];
}

/** Take a timeline that was asked for: what was said before the stream began. */
export function takeTimeline(state, sid, timeline) {
  const room = state.rooms.get(sid);
  if (!room) return [];
  const newer = room.lanes;
  room.lanes = new Map();
  for (const { call_sid, name, number, role, spans, present } of timeline.lanes) {
    const lane = { call_sid, name, number, role, present, spans: [] };
    for (const [from, to] of spans) placeSpan(lane.spans, from, to);
    room.lanes.set(call_sid, lane);
  }
  for (const lane of newer.values()) {
    for (const [from, to] of lane.spans) placeSpan(laneOf(room, lane).spans, from, to);
  }
  return [[sid, "lanes"]];
}

/**
 * Take a conference that was asked for: an ended one that the stream did not bring, or one with more of its
 * events.
 */
export function takeConference(state, conference) {
  const known = state.rooms.get(conference.sid);
  if (!known) return addRoom(state, conference);
  setFacts(known, conference);
  if (conference.entries) known.entries = mergeEntries(known.entries, conference.entries);
  return [
    [conference.sid, "facts"],
    [conference.sid, "entries"],
  ];
}

const REDUCERS = {
  snapshot(state, { capabilities, conferences, ended }) {
    const before = state.rooms;
    state.rooms = new Map();
    state.capabilities = { ...capabilities };
    for (const conference of [...conferences, ...ended]) {
      addRoom(state, conference);
      // Lanes and recordings are asked for again after a snapshot; until they come, the old ones are better than none.
      const known = before.get(conference.sid);
      if (known)
        Object.assign(state.rooms.get(conference.sid), { lanes: known.lanes, recordings: known.recordings });
    }
    return [["*", "rooms"]];
  },

  conference(state, { conference }) {
    const room = state.rooms.get(conference.sid);
    if (!room) return addRoom(state, conference);
    const moved = room.facts.state !== conference.state;
    setFacts(room, conference);
    if (conference.state === "ended") empty(room, conference.ended_at_ms ?? state.nowMs);
    const touched = [[conference.sid, "facts"]];
    return moved ? [...touched, ["*", "rooms"], [conference.sid, "roster"], [conference.sid, "lanes"]] : touched;
  },

  participants(state, { conference_sid: sid, participants }) {
    const room = state.rooms.get(sid);
    if (!room) return [];
    let moved = false;
    for (const person of participants) {
      const known = room.people.get(person.call_sid);
      moved ||= !known || known.role !== person.role || known.joined_at_ms !== person.joined_at_ms;
      room.people.set(person.call_sid, person);
    }
    return [[sid, moved ? "roster" : "people"]];
  },

  left(state, { conference_sid: sid, call_sids: callSids }) {
    const room = state.rooms.get(sid);
    if (!room) return [];
    for (const callSid of callSids) {
      room.people.delete(callSid);
      room.levels.delete(callSid);
    }
    return [[sid, "roster"]];
  },

  speech(state, { conference_sid: sid, spans }) {
    const room = state.rooms.get(sid);
    if (!room) return [];
    for (const span of spans) placeSpan(laneOf(room, span).spans, span.from_ms, span.to_ms);
    return [[sid, "lanes"]];
  },

  levels(state, { conference_sid: sid, levels }) {
    const room = state.rooms.get(sid);
    if (!room) return [];
    room.levels = new Map(Object.entries(levels));
    return [[sid, "levels"]];
  },

  entries(state, { conference_sid: sid, entries }) {
    const room = state.rooms.get(sid);
    if (!room) return [];
    room.entries = mergeEntries(room.entries, entries);
    return [[sid, "entries"]];
  },

  recording(state, { conference_sid: sid, recording }) {
    const room = state.rooms.get(sid);
    if (!room) return [];
    room.recordings.set(recording.sid, recording);
    return [[sid, "recordings"]];
  },

  removed(state, { conference_sids: sids }) {
    for (const sid of sids) state.rooms.delete(sid);
    return [["*", "rooms"]];
  },
};

function addRoom(state, conference) {
  const { participants = [], entries = [] } = conference;
  const room = {
    facts: {},
    people: new Map(participants.map((person) => [person.call_sid, person])),
    entries: [...entries],
    lanes: new Map(),
    levels: new Map(),
    recordings: new Map(),
  };
  setFacts(room, conference);
  state.rooms.set(conference.sid, room);
  return [["*", "rooms"]];
}

function setFacts(room, conference) {
  const { participants, entries, ...facts } = conference;
  room.facts = facts;
}

/** Nobody is in a conference that has ended, and nobody speaks there. */
function empty(room, endedAtMs) {
  room.people.clear();
  room.levels.clear();
  for (const lane of room.lanes.values()) {
    const last = lane.spans.at(-1);
    if (last && last[1] === null) last[1] = Math.max(last[0], endedAtMs);
  }
}

function laneOf(room, { call_sid, name, number, role }) {
  let lane = room.lanes.get(call_sid);
  if (!lane) {
    lane = { call_sid, name, number, role, present: [], spans: [] };
    room.lanes.set(call_sid, lane);
  }
  return lane;
}

/** Entries by their number; one that comes twice is one. The oldest go when there are too many. */
function mergeEntries(known, more) {
  const newest = known.at(-1)?.id ?? -Infinity;
  const inOrder = more.every((entry, index) => entry.id > (index ? more[index - 1].id : newest));
  if (inOrder) return [...known, ...more].slice(-MOST_ENTRIES);
  const byId = new Map([...known, ...more].map((entry) => [entry.id, entry]));
  return [...byId.values()].sort((one, other) => one.id - other.id).slice(-MOST_ENTRIES);
}
