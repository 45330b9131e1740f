// Twilio's package for Node, driven line by line: a request as JSON comes in on stdin, its answer goes out on stdout.
//
// Request: {path: [["conferences", "CF…"], ["participants", null]], verb: "create", parameters: {…}}.
// Answer: {value: …} as the package shows it, or {error: {status, code, message}}.
//
// The package is pointed to another host by a request client of ours, as Twilio's page on custom HTTP clients says.

import readline from "node:readline";
import twilio from "twilio";

const [base, accountSid, username, password] = process.argv.slice(2);

class LocalRequestClient extends twilio.RequestClient {
  request(options) {
    return super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", base) });
  }
}

const client = twilio(username, password, { accountSid, httpClient: new LocalRequestClient() });

async function answer({ path, verb, parameters }) {
  let place = client;
  for (const [resource, id] of path) place = id === null ? place[resource] : place[resource](id);
  const value = await place[verb](parameters);
  return { value: Array.isArray(value) ? value.map((one) => one.toJSON()) : (value?.toJSON?.() ?? value) };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  let said;
  try {
    said = await answer(JSON.parse(line));
  } catch (error) {
    said = { error: { status: error.status ?? 0, code: error.code ?? 0, message: String(error.message) } };
  }
  process.stdout.write(JSON.stringify(said) + "\n");
}
