import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

import { read } from "./console.mjs";

const page = await readFile(new URL("../../../docs/howto/moderate.md", import.meta.url), "utf8");
const acts = await read("acts.js");

test("every key that acts is on the how-to's page", () => {
  const keys = [...acts.matchAll(/^\s+key: "(.)",$/gm)].map(([, key]) => key);
  assert.equal(keys.length, 10);
  for (const key of keys) {
    const written = key === key.toLowerCase() ? `\`${key}\`` : `\`Shift\` \`${key}\``;
    assert.ok(page.includes(written), `${written} is not on the page`);
  }
});

test("no two acts of a kind have one key", () => {
  const keys = [...acts.matchAll(/^\s+key: "(.)",$/gm)].map(([, key]) => key);
  assert.equal(new Set(keys).size, keys.length);
});

test("no file of the console makes markup from text", async () => {
  const folder = new URL("../../../src/townhall/console/static/console/", import.meta.url);
  const files = (await readdir(folder)).filter((name) => name.endsWith(".js"));
  assert.ok(files.length > 20);
  for (const file of files) {
    const text = await read(file);
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser/, file);
  }
});
