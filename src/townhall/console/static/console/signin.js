/** Signing in: by a line's moderator PIN, or by the operator's password. */

import { find, make, put, write } from "./dom.js";
import { keepName, keptName } from "./kept.js";

export class SignIn {
  #desk;
  #form = find("sign-in-form");
  #error = find("sign-in-error");

  /** Called with the session when it worked. */
  onSignedIn = () => {};

  constructor(desk) {
    this.#desk = desk;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    find("sign-in-kinds").addEventListener("change", () => this.#choose(this.#form.elements.kind.value));
    find("name").value = keptName();
  }

  /** Show the form. `why`: what the reader should know, such as that his session has expired. */
  open(why = "") {
    const lines = this.#desk.session.lines.filter((line) => line.pin);
    find("line").replaceChildren(
      ...lines.map((line) =>
        make("option", { value: line.number }, line.name ? `${line.name} (${line.number})` : line.number),
      ),
    );
    const wish = new URLSearchParams(location.search).get("line");
    if (lines.some((line) => line.number === wish)) find("line").value = wish;
    find("sign-in").hidden = false;
    const kind = lines.length ? "moderator" : "operator";
    this.#form.querySelector(`input[value="${kind}"]`).checked = true;
    this.#choose(kind);
    this.#complain(why);
  }

  close() {
    find("sign-in").hidden = true;
    this.#form.elements.pin.value = "";
    this.#form.elements.password.value = "";
  }

  #choose(kind) {
    for (const field of this.#form.querySelectorAll("[data-kind]")) field.hidden = field.dataset.kind !== kind;
    this.#complain("");
    (kind === "operator" ? find("password") : find("pin")).focus();
  }

  async #send() {
    const { kind, line, pin, password, name } = this.#form.elements;
    const secret = kind.value === "operator" ? password : pin;
    if (!secret.value) {
      this.#complain(
        kind.value === "operator" ? "Type the operator's password." : "Type the line's moderator PIN.",
        secret,
      );
      return;
    }
    const proof = kind.value === "operator" ? { password: password.value } : { line: line.value, pin: pin.value };
    const named = name.value.trim() ? { name: name.value.trim() } : {};
    const button = this.#form.querySelector("button[type=submit]");
    button.disabled = true;
    try {
      const session = await this.#desk.server.signIn({ ...proof, ...named });
      keepName(name.value.trim());
      this.onSignedIn(session);
    } catch (error) {
      secret.value = "";
      this.#complain(
        error.waitS ? `${error.message} Try again in ${Math.ceil(error.waitS)} seconds.` : error.message,
        secret,
      );
    } finally {
      button.disabled = false;
    }
  }

  #complain(words, control = null) {
    write(this.#error, words);
    this.#error.hidden = !words;
    for (const input of [find("pin"), find("password")]) {
      put(input, "aria-invalid", input === control ? "true" : null);
      put(input, "aria-describedby", input === control ? "sign-in-error" : null);
    }
    control?.focus();
  }
}
