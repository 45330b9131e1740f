import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./console.mjs";

const { nearestPerson, placeAfter } = await load("rosterkeys.js");

const LINES = ["heading", "a", "b", "heading", "c", "d", "e", "heading", "f"].map((key) =>
  key === "heading" ? { key: "role", heading: "role" } : { key },
);
const step = (place, by, unit, page = 3) => LINES[placeAfter(LINES, place, { by, unit }, page)]?.key;

test("arrows pass over headings and stop at the ends", () => {
  assert.equal(step(1, 1, "row"), "b");
  assert.equal(step(2, 1, "row"), "c");
  assert.equal(step(4, -1, "row"), "b");
  assert.equal(step(1, -1, "row"), undefined);
  assert.equal(step(8, 1, "row"), undefined);
});

test("home and end lead to the first and the last person", () => {
  assert.equal(step(5, -1, "end"), "a");
  assert.equal(step(5, 1, "end"), "f");
});

test("pages go a page, and no further than there is somebody", () => {
  assert.equal(step(1, 1, "page"), "c");
  assert.equal(step(4, 1, "page"), "f");
  assert.equal(step(6, 1, "page"), "f");
  assert.equal(step(8, -1, "page"), "d");
  assert.equal(step(2, -1, "page"), "a");
});

test("an empty list has nobody to go to", () => {
  assert.equal(nearestPerson([], -1, 1), -1);
  assert.equal(placeAfter([], 0, { by: 1, unit: "page" }, 3), -1);
});
