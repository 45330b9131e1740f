/** Where the console's modules lie. The browser finds `package.json` nowhere, so Node is told here that they are modules. */

import { readFile } from "node:fs/promises";
import { register } from "node:module";

const BASE = new URL("../../../src/townhall/console/static/console/", import.meta.url);

register(
  `data:text/javascript,${encodeURIComponent(`
  export async function load(url, context, next) {
    const ours = url.startsWith(${JSON.stringify(BASE.href)});
    return next(url, ours ? { ...context, format: "module" } : context);
  }
`)}`,
);

/** Import a module of the console by its file's name. */
export function load(name) {
  return import(new URL(name, BASE).href);
}

/** The text of one of its files. */
export function read(name) {
  return readFile(new URL(name, BASE), "utf8");
}
