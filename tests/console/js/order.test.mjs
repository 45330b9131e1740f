import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./console.mjs";

const { alikeInView, arrange, fold, shiftOf } = await load("order.js");

const person = (callSid, role, joined, name = callSid) => ({ call_sid: callSid, role, joined_at_ms: joined, name });
const keys = (lines) => lines.map(({ key }) => key);
const lines = (text) => [...text].map((key) => ({ key }));

test("people stand by role, and in a role as they came", () => {
  const people = [
    person("l2", "listener", 9),
    person("s1", "speaker", 5),
    person("m1", "moderator", 7),
    person("l1", "listener", 2),
  ];
  const arranged = arrange(people, "", () => "");
  assert.deepEqual(keys(arranged), ["role:moderator", "m1", "role:speaker", "s1", "role:listener", "l1", "l2"]);
  assert.equal(arranged[4].number, 2);
});

test("people who came at the same time always stand alike", () => {
  const people = [person("b", "listener", 1), person("a", "listener", 1)];
  assert.deepEqual(keys(arrange(people, "", () => "")), keys(arrange([...people].reverse(), "", () => "")));
});

test("a role that nobody knows stands last", () => {
  assert.deepEqual(keys(arrange([person("x", "interpreter", 1), person("l", "listener", 2)], "", () => "")), [
    "role:listener",
    "l",
    "role:other",
    "x",
  ]);
});

test("search finds all its words, without accents and in any case", () => {
  const people = [person("1", "listener", 1, "Zoë Dvořák"), person("2", "listener", 2, "Zoe Brandt")];
  assert.deepEqual(keys(arrange(people, "DVORAK zoe", ({ name }) => name)), ["role:listener", "1"]);
  assert.deepEqual(
    arrange(people, "nobody", ({ name }) => name),
    [],
  );
  assert.equal(fold("Ångström"), "angstrom");
});

test("an order that moves nothing in view is alike", () => {
  assert.ok(alikeInView(lines("abcdef"), lines("abcdefg"), 0, 4));
  assert.ok(alikeInView(lines("abcdef"), lines("abcdeg"), 0, 4));
  assert.ok(alikeInView(lines("abcdef"), lines("xabcdef"), 2, 5));
  assert.ok(alikeInView([], lines("abc"), 0, 3));
});

test("an order that moves something in view is not", () => {
  assert.ok(!alikeInView(lines("abcdef"), lines("abxcdef"), 0, 4));
  assert.ok(!alikeInView(lines("abcdef"), lines("acdef"), 0, 4));
  assert.ok(!alikeInView(lines("abcdef"), lines("xabcdef"), 0, 4));
  assert.ok(!alikeInView(lines("abcdef"), lines("abdef"), 2, 5));
});

test("a line's shift is how far the list scrolls to hold it", () => {
  assert.equal(shiftOf(lines("abcd"), lines("xyabcd"), "c"), 2);
  assert.equal(shiftOf(lines("abcd"), lines("acd"), "c"), -1);
  assert.equal(shiftOf(lines("abcd"), lines("abdx"), "c"), 0);
});
