// The log-in: a name with its password, or a token, such as the one that the first start prints.
import { make } from "../modules/elements.js";
import { field, form, head, Status } from "./forms.js";

export function loginView(client, done) {
  const status = new Status();
  const token = field("Token", { kind: "password" }, { autocomplete: "off" });
  const name = field("Name", {}, { autocomplete: "username" });
  const password = field("Password", { kind: "password" }, { autocomplete: "current-password" });
  const enter = (words) => status.doing(async () => done(await client.logIn(words)));
  const send = () => make("button", { type: "submit", className: "main-button" }, "Log in");
  return make("article", { className: "login-view" },
    head("facelib", "Who is in a film, and when."),
    form("Log in with a name", () => enter({ name: name.input.value, password: password.input.value }), make("h2", {}, "With a name"), name.element, password.element, send()),
    form("Log in with a token", () => enter({ token: token.input.value.trim() }), make("h2", {}, "With a token"), make("p", { className: "help" }, "The first start of the server prints one."), token.element, send()),
    status.element);
}
