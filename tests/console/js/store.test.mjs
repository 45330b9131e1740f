import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./console.mjs";

const { apply, emptyState, takeConference, takeTimeline } = await load("store.js");

const CF = "CF1";
const NOW = 1_000_000;

function person(callSid, changed = {}) {
  return { call_sid: callSid, name: callSid, role: "listener", state: "muted", joined_at_ms: 1, ...changed };
}

function conference(changed = {}) {
  return {
    sid: CF,
    name: "Town hall",
    state: "live",
    created_at_ms: 1,
    ended_at_ms: null,
    participants: [],
    entries: [],
    ...changed,
  };
}

function following(changed) {
  const state = emptyState();
  apply(state, "snapshot", {
    now_ms: NOW,
    capabilities: { levels: true, lock: false },
    conferences: [conference(changed)],
    ended: [],
  });
  return { state, room: () => state.rooms.get(CF) };
}

test("snapshot replaces everything", () => {
  const { state } = following({ participants: [person("CA1")] });
  const touched = apply(state, "snapshot", {
    now_ms: NOW + 1,
    capabilities: { levels: false, lock: true },
    conferences: [],
    ended: [conference({ sid: "CF2", state: "ended" })],
  });
  assert.deepEqual([...state.rooms.keys()], ["CF2"]);
  assert.deepEqual(state.capabilities, { levels: false, lock: true });
  assert.equal(state.nowMs, NOW + 1);
  assert.deepEqual(touched, [["*", "rooms"]]);
});

test("snapshot keeps the lanes until the timeline has been asked for again", () => {
  const { state, room } = following();
  apply(state, "speech", {
    conference_sid: CF,
    spans: [{ call_sid: "CA1", name: "Ann", role: "speaker", from_ms: 5, to_ms: 9 }],
  });
  apply(state, "snapshot", { now_ms: NOW, capabilities: {}, conferences: [conference()], ended: [] });
  assert.deepEqual(room().lanes.get("CA1").spans, [[5, 9]]);
});

test("snapshot keeps the recordings until they have been asked for again", () => {
  const { state, room } = following();
  apply(state, "recording", { conference_sid: CF, recording: { sid: "RE1", status: "completed" } });
  apply(state, "snapshot", { now_ms: NOW, capabilities: {}, conferences: [conference()], ended: [] });
  assert.deepEqual([...room().recordings.keys()], ["RE1"]);
});

test("participants are put in or replaced whole", () => {
  const { state, room } = following({ participants: [person("CA1")] });
  assert.deepEqual(apply(state, "participants", { conference_sid: CF, participants: [person("CA2")] }), [
    [CF, "roster"],
  ]);
  assert.deepEqual(
    apply(state, "participants", { conference_sid: CF, participants: [person("CA1", { state: "talking" })] }),
    [[CF, "people"]],
  );
  assert.deepEqual(
    [...room().people.values()].map(({ state: how }) => how),
    ["talking", "muted"],
  );
});

test("a changed role moves the roster", () => {
  const { state } = following({ participants: [person("CA1")] });
  assert.deepEqual(
    apply(state, "participants", { conference_sid: CF, participants: [person("CA1", { role: "speaker" })] }),
    [[CF, "roster"]],
  );
});

test("who has left is neither here nor heard", () => {
  const { state, room } = following({ participants: [person("CA1")] });
  apply(state, "levels", { conference_sid: CF, levels: { CA1: -20 } });
  apply(state, "left", { conference_sid: CF, call_sids: ["CA1", "CA9"] });
  assert.equal(room().people.size, 0);
  assert.equal(room().levels.size, 0);
});

test("levels replace all levels", () => {
  const { state, room } = following();
  apply(state, "levels", { conference_sid: CF, levels: { CA1: -20, CA2: -30 } });
  apply(state, "levels", { conference_sid: CF, levels: { CA2: -10 } });
  assert.deepEqual([...room().levels], [["CA2", -10]]);
});

test("a span comes open and is closed", () => {
  const { state, room } = following();
  const span = { call_sid: "CA1", name: "Ann", number: null, role: "speaker", from_ms: 100 };
  apply(state, "speech", { conference_sid: CF, spans: [{ ...span, to_ms: null }] });
  assert.deepEqual(room().lanes.get("CA1").spans, [[100, null]]);
  apply(state, "speech", {
    conference_sid: CF,
    spans: [
      { ...span, to_ms: 300 },
      { ...span, from_ms: 400, to_ms: null },
    ],
  });
  assert.deepEqual(room().lanes.get("CA1").spans, [
    [100, 300],
    [400, null],
  ]);
});

test("a timeline comes before what the stream has told, and loses none of it", () => {
  const { state, room } = following();
  apply(state, "speech", {
    conference_sid: CF,
    spans: [{ call_sid: "CA2", name: "Ben", role: "speaker", from_ms: 500, to_ms: null }],
  });
  takeTimeline(state, CF, {
    lanes: [
      {
        call_sid: "CA1",
        name: "Ann",
        role: "moderator",
        present: [],
        spans: [
          [1, 2],
          [3, 4],
        ],
      },
      { call_sid: "CA2", name: "Ben", role: "speaker", present: [], spans: [[5, 6]] },
    ],
  });
  assert.deepEqual([...room().lanes.keys()], ["CA1", "CA2"]);
  assert.deepEqual(room().lanes.get("CA2").spans, [
    [5, 6],
    [500, null],
  ]);
});

test("a closed span is not opened again by an older timeline", () => {
  const { state, room } = following();
  apply(state, "speech", {
    conference_sid: CF,
    spans: [{ call_sid: "CA1", name: "Ann", role: "speaker", from_ms: 5, to_ms: 9 }],
  });
  takeTimeline(state, CF, {
    lanes: [{ call_sid: "CA1", name: "Ann", role: "speaker", present: [], spans: [[5, null]] }],
  });
  assert.deepEqual(room().lanes.get("CA1").spans, [[5, 9]]);
});

test("entries are one each and in order, however they come", () => {
  const { state, room } = following({ entries: [{ id: 1 }, { id: 2 }] });
  apply(state, "entries", { conference_sid: CF, entries: [{ id: 2 }, { id: 4 }] });
  apply(state, "entries", { conference_sid: CF, entries: [{ id: 3 }] });
  assert.deepEqual(
    room().entries.map(({ id }) => id),
    [1, 2, 3, 4],
  );
});

test("entries are bounded", () => {
  const { state, room } = following();
  for (let id = 1; id <= 1_500; id += 1) apply(state, "entries", { conference_sid: CF, entries: [{ id }] });
  assert.equal(room().entries.length, 1_000);
  assert.equal(room().entries.at(-1).id, 1_500);
});

test("an ended conference has nobody in it, and nobody speaks", () => {
  const { state, room } = following({ participants: [person("CA1")] });
  apply(state, "speech", {
    conference_sid: CF,
    spans: [{ call_sid: "CA1", name: "Ann", role: "speaker", from_ms: 5, to_ms: null }],
  });
  const touched = apply(state, "conference", {
    now_ms: NOW,
    conference: conference({ state: "ended", ended_at_ms: 90 }),
  });
  assert.equal(room().people.size, 0);
  assert.deepEqual(room().lanes.get("CA1").spans, [[5, 90]]);
  assert.deepEqual(new Set(touched.map(([, part]) => part)), new Set(["facts", "rooms", "roster", "lanes"]));
});

test("facts do not carry people", () => {
  const { state, room } = following({ participants: [person("CA1")] });
  apply(state, "conference", { conference: conference({ locked: true }) });
  assert.equal(room().facts.locked, true);
  assert.equal(room().people.size, 1);
  assert.ok(!("participants" in room().facts));
});

test("a conference that was asked for is added, or brings its older entries", () => {
  const { state, room } = following({ entries: [{ id: 9 }] });
  takeConference(state, conference({ entries: [{ id: 1 }, { id: 9 }] }));
  assert.deepEqual(
    room().entries.map(({ id }) => id),
    [1, 9],
  );
  takeConference(state, conference({ sid: "CF7", state: "ended" }));
  assert.ok(state.rooms.has("CF7"));
});

test("events and conferences that are not known change nothing", () => {
  const { state } = following();
  for (const event of ["participants", "left", "speech", "levels", "entries", "recording"]) {
    const data = {
      conference_sid: "CF404",
      participants: [],
      call_sids: [],
      spans: [],
      levels: {},
      entries: [],
      recording: {},
    };
    assert.deepEqual(apply(state, event, data), []);
  }
  assert.deepEqual(apply(state, "constructor", {}), []);
  assert.deepEqual(apply(state, "weather", {}), []);
});

test("removed conferences are gone", () => {
  const { state } = following();
  apply(state, "removed", { conference_sids: [CF] });
  assert.equal(state.rooms.size, 0);
});

test("two thousand people come in at once", () => {
  const { state, room } = following();
  const participants = Array.from({ length: 2_000 }, (_, number) => person(`CA${number}`));
  apply(state, "participants", { conference_sid: CF, participants });
  assert.equal(room().people.size, 2_000);
});
