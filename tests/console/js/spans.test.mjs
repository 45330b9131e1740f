import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./console.mjs";

const { bars, placeSpan, tickStep, totalOf } = await load("spans.js");

test("a sum counts what lasts up to now", () => {
  assert.equal(
    totalOf(
      [
        [0, 10],
        [20, null],
      ],
      25,
    ),
    15,
  );
  assert.equal(totalOf([[30, null]], 25), 0);
});

test("spans are placed in order, and known by their beginning", () => {
  const spans = [];
  placeSpan(spans, 20, null);
  placeSpan(spans, 5, 9);
  placeSpan(spans, 20, 30);
  placeSpan(spans, 10, 15);
  assert.deepEqual(spans, [
    [5, 9],
    [10, 15],
    [20, 30],
  ]);
});

test("bars stand where their time is", () => {
  assert.deepEqual(
    bars(
      [
        [0, 50],
        [75, null],
      ],
      { from: 0, to: 100 },
      200,
    ),
    [
      { x: 0, width: 100 },
      { x: 150, width: 50 },
    ],
  );
});

test("a word is still seen in a long conference", () => {
  assert.deepEqual(bars([[1_000, 1_001]], { from: 0, to: 1_000_000 }, 100), [{ x: 0.1, width: 1.5 }]);
});

test("bars outside the window are not drawn, and those across its edge are cut", () => {
  assert.deepEqual(
    bars(
      [
        [0, 10],
        [45, 60],
        [200, 300],
      ],
      { from: 50, to: 100 },
      100,
    ),
    [{ x: 0, width: 20 }],
  );
});

test("thousands of words cost no more bars than there are pixels", () => {
  const spans = Array.from({ length: 20_000 }, (_, index) => [index * 10, index * 10 + 5]);
  assert.ok(bars(spans, { from: 0, to: 200_000 }, 500).length <= 500);
});

test("ticks are round and leave room", () => {
  assert.equal(tickStep(60, 1_000), 5);
  assert.equal(tickStep(750, 1_200), 60);
  assert.equal(tickStep(10 ** 7, 100), 86_400);
});
