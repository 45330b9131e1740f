import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./console.mjs";

const { count, counted, roleWord, runningTime, shortTime, spokenTime, sumTime } = await load("format.js");
const { nameOf, numberOf, searchWords, share, stateWords, talkTime } = await load("people.js");
const { feedLines } = await load("feedlines.js");

test("times are written for their use", () => {
  assert.equal(runningTime(751), "00:12:31");
  assert.equal(runningTime(-3), "00:00:00");
  assert.equal(shortTime(42), "0:42");
  assert.equal(shortTime(3_731), "1:02:11");
  assert.equal(spokenTime(751), "12 minutes 31 seconds");
  assert.equal(spokenTime(3_661), "1 hour 1 minute");
  assert.equal(spokenTime(0), "0 seconds");
  assert.equal(sumTime(751), "12 min 31 s");
  assert.equal(sumTime(3_731), "1 h 2 min");
  assert.equal(sumTime(9), "9 s");
});

test("numbers are counted", () => {
  assert.equal(count(1_982), "1,982");
  assert.equal(counted(1, "person", "people"), "1 person");
  assert.equal(roleWord("listener", 0), "listeners");
  assert.equal(roleWord("interpreter"), "other");
});

test("somebody is called by label, name or number, or is withheld", () => {
  assert.equal(nameOf({ label: "Dr. Who", name: "x", number: "+1" }), "Dr. Who");
  assert.equal(nameOf({ label: null, name: null, number: "+1" }), "+1");
  assert.equal(nameOf({ label: null, name: null, number: null }), "Number withheld");
  assert.equal(numberOf({ name: "Ann", number: "+1" }), "+1");
  assert.equal(numberOf({ name: null, number: "+1" }), "");
});

test("states are words, and a listener who is muted listens", () => {
  const people = new Map([["CA2", { name: "Ben" }]]);
  assert.equal(stateWords({ state: "coaching", coaching: "CA2" }, people), "Coaching Ben");
  assert.equal(stateWords({ state: "coaching", coaching: "CA3" }, people), "Coaching");
  assert.equal(stateWords({ state: "muted", role: "listener" }, people), "Listening");
  assert.equal(stateWords({ state: "muted", role: "speaker" }, people), "Muted");
  assert.match(
    searchWords({ state: "muted", role: "listener", muted: true, kind: "guest", name: "Ann" }, people),
    /muted.*Listening/,
  );
});

test("talk time counts the open span", () => {
  assert.equal(talkTime({ talk_ms: 1_000, speaking: true, speaking_since_ms: 5_000 }, 7_000), 3_000);
  assert.equal(talkTime({ talk_ms: 1_000, speaking: false, speaking_since_ms: null }, 7_000), 1_000);
});

test("a level's share lies between nothing and all", () => {
  assert.equal(share(-90), 0);
  assert.equal(share(0), 1);
  assert.ok(share(-30) > 0.4 && share(-30) < 0.6);
});

const entry = (id, kind, at = id) => ({ id, kind, at_ms: at * 1_000, text: `${kind} ${id}`, by: null });

test("the feed is newest first, and many comings are one line", () => {
  const entries = [
    entry(1, "started"),
    ...[2, 3, 4, 5, 6].map((id) => entry(id, "joined")),
    entry(7, "action"),
    entry(8, "joined"),
  ];
  const lines = feedLines(entries, true, 100);
  assert.deepEqual(
    lines.map(({ text }) => text),
    ["joined 8", "action 7", "5 people came in", "started 1"],
  );
  assert.equal(lines[2].id, 2);
});

test("comings far apart stay lines of their own", () => {
  const entries = [1, 2, 3, 4, 5].map((id) => entry(id, "left", id * 100));
  assert.equal(feedLines(entries, true, 100).length, 5);
});

test("the feed can be had without comings and goings, and is bounded", () => {
  const entries = [entry(1, "joined"), entry(2, "action"), entry(3, "left"), entry(4, "recording")];
  assert.deepEqual(
    feedLines(entries, false, 100).map(({ id }) => id),
    [4, 2],
  );
  assert.deepEqual(
    feedLines(entries, true, 2).map(({ id }) => id),
    [4, 3],
  );
});
