import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./console.mjs";

const { LINGER_MS, seat } = await load("slots.js");

const keys = ({ slots }) => slots.map((slot) => slot && (slot.lit ? slot.key : `(${slot.key})`));
const speaker = (key, since = 0) => ({ key, since });

test("speakers get places in the order in which they began", () => {
  assert.deepEqual(keys(seat([], [speaker("b", 20), speaker("a", 10)], 3, 30)), ["a", "b", null]);
});

test("a speaker keeps the place, whoever else begins or stops", () => {
  const first = seat([], [speaker("a", 1), speaker("b", 2), speaker("c", 3)], 4, 5);
  const second = seat(first.slots, [speaker("c", 3), speaker("d", 9)], 4, 10);
  assert.deepEqual(keys(second), ["(a)", "(b)", "c", "d"]);
});

test("who is silent keeps the name for a while", () => {
  const first = seat([], [speaker("a")], 2, 0);
  const dim = seat(first.slots, [], 2, 1_000);
  assert.deepEqual(keys(seat(dim.slots, [], 2, 1_000 + LINGER_MS)), ["(a)", null]);
  assert.deepEqual(keys(seat(dim.slots, [], 2, 1_001 + LINGER_MS)), [null, null]);
});

test("who speaks again lights the same place", () => {
  const first = seat([], [speaker("a"), speaker("b")], 3, 0);
  const dim = seat(first.slots, [speaker("b")], 3, 10);
  assert.deepEqual(keys(seat(dim.slots, [speaker("b"), speaker("a", 20)], 3, 20)), ["a", "b", null]);
});

test("a new speaker takes the place of whoever has been silent longest", () => {
  let { slots } = seat([], [speaker("a", 1), speaker("b", 2)], 2, 5);
  ({ slots } = seat(slots, [speaker("a", 1)], 2, 6));
  ({ slots } = seat(slots, [], 2, 7));
  assert.deepEqual(keys(seat(slots, [speaker("c", 8)], 2, 8)), ["(a)", "c"]);
});

test("who finds no place is counted, and nobody who speaks loses one", () => {
  const first = seat([], [speaker("a", 1), speaker("b", 2)], 2, 3);
  const second = seat(first.slots, [speaker("a", 1), speaker("b", 2), speaker("c", 4)], 2, 5);
  assert.deepEqual(keys(second), ["a", "b"]);
  assert.deepEqual(second.unseated, ["c"]);
});

test("a narrower window has fewer places", () => {
  const first = seat([], [speaker("a", 1), speaker("b", 2), speaker("c", 3)], 3, 4);
  const second = seat(first.slots, [speaker("a", 1), speaker("b", 2), speaker("c", 3)], 2, 5);
  assert.deepEqual(keys(second), ["a", "b"]);
  assert.deepEqual(second.unseated, ["c"]);
});
