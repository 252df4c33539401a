// Settings: the recognizer with its figures and threshold; users and tokens, for the server's owner.
import { make } from "../modules/elements.js";
import { button, choice, field, form, head, Status } from "./forms.js";

const SCOPES = [["read", "see"], ["correct", "see and correct"], ["admin", "change everything"]];

export class SettingsView {
  constructor(app, { client, base, session }) {
    Object.assign(this, { app, client, base, session });
    this.status = new Status();
    this.recognizer = make("section", { className: "card" });
    this.users = make("ul", { className: "rows" });
    this.tokens = make("ul", { className: "rows" });
    this.owns = session.grants.every((grants) => grants["*"] === "admin");
    this.element = make("article", { className: "settings-view" }, head("Settings", this.owns ? "How faces are recognised, who may log in, and which programs have access." : "How faces are recognised, and which programs have access."), this.status.element, this.recognizer, ...(this.owns ? this.userForms() : []), ...this.tokenForms());
    this.load();
  }

  async load() {
    await this.status.doing(async () => {
      await this.showRecognizer();
      if (this.owns) {
        const users = await this.client.all("/users");
        this.users.replaceChildren(...(users.length ? users.map((user) => this.row(user.name, user.grants, `/users/${user.id}`, "Remove")) : [make("li", { className: "facts" }, "No users yet: log in with a token.")]));
      }
      this.tokens.replaceChildren(...(await this.client.all("/tokens")).map((token) => this.row(token.name, token.grants, `/tokens/${token.id}`, "Revoke")));
    });
  }

  async showRecognizer() {
    let known;
    try {
      known = await this.client.get(`${this.base}/recognizer`);
    } catch (error) {
      this.recognizer.replaceChildren(make("h2", {}, "Recognizer"), make("p", { className: "help" }, error.status === 404 ? "Not trained yet: add pictures, then train it." : error.message));
      return;
    }
    const threshold = field("Threshold", { kind: "number", value: known.threshold.toFixed(4), min: 0, max: 10, step: 0.0001 });
    const set = (method, body) => this.status.doing(async () => {
      await this.client.ask(method, `${this.base}/recognizer/threshold`, body);
      await this.showRecognizer();
      this.status.say("Saved. It applies to films when they are named again.");
    });
    this.recognizer.replaceChildren(make("h2", {}, "Recognizer"), make("p", {}, known.text), ...known.warnings.map((text) => make("p", { className: "notice" }, text)),
      make("div", { className: "tools" }, threshold.element, button("Set by hand", () => set("PUT", { threshold: Number(threshold.input.value) })), button("Take the fitted one", () => set("DELETE"))));
  }

  row(name, grants, address, text) {
    const what = Object.entries(grants).map(([project, scope]) => `${project === "*" ? "all projects" : project}: ${scope}`).join(", ");
    const remove = button(text, () => this.status.doing(async () => {
      await this.client.ask("DELETE", address);
      await this.load();
    }), { ariaLabel: `${text} ${name}` });
    return make("li", {}, make("div", {}, make("bdi", {}, name), make("p", { className: "facts" }, what)), remove);
  }

  grants() {
    const scope = choice("May", SCOPES, "read");
    const where = choice("In", [[this.app.project.name, this.app.project.name], ...(this.owns ? [["*", "all projects"]] : [])], this.app.project.name);
    return { elements: [scope.element, where.element], read: () => ({ [where.input.value]: scope.input.value }) };
  }

  userForms() {
    const name = field("Name", {}, { autocomplete: "off", maxlength: 200 });
    const password = field("Password, at least 10 characters", { kind: "password" }, { autocomplete: "new-password", minlength: 10 });
    const grants = this.grants();
    const add = () => this.status.doing(async () => {
      await this.client.ask("POST", "/users", { name: name.input.value, password: password.input.value, grants: grants.read() });
      [name.input.value, password.input.value] = ["", ""];
      await this.load();
    });
    return [make("section", { className: "card" }, make("h2", {}, "Users"), this.users),
      form("New user", add, make("h2", {}, "New user"), name.element, password.element, ...grants.elements, make("button", { type: "submit" }, "Add"))];
  }

  tokenForms() {
    const name = field("What it is for", {}, { autocomplete: "off", maxlength: 200 });
    const shown = make("output", { className: "secret" });
    const grants = this.grants();
    const add = () => this.status.doing(async () => {
      const made = await this.client.ask("POST", "/tokens", { name: name.input.value, grants: grants.read() });
      await this.load();
      shown.textContent = `${made.token} – copy it now, it is not shown again.`;
    });
    return [make("section", { className: "card" }, make("h2", {}, "Tokens for programs"), this.tokens),
      form("New token", add, make("h2", {}, "New token"), name.element, ...grants.elements, make("button", { type: "submit" }, "Make it"), shown)];
  }

  close() {}
}
