// The projects that one may see, and a new one.
import { make } from "../modules/elements.js";
import { count } from "../modules/text.js";
import { projectAddress, ROOT } from "./client.js";
import { field, form, head, Status } from "./forms.js";

export function projectsView(client, session) {
  const status = new Status();
  const list = make("ul", { className: "tiles people" });
  const name = field("Name of the new project", {}, { autocomplete: "off", maxlength: 200 });
  const load = () => status.doing(async () => {
    const projects = await client.all("/projects");
    list.replaceChildren(...projects.map((project) => {
      const link = make("a", { className: "tile-title", href: ROOT + projectAddress(project.name) }, make("bdi", {}, project.name));
      const facts = project.problem || `${count(project.people, "person", "people")}, ${count(project.videos, "film")}`;
      return make("li", { className: "tile person" }, make("div", {}, link, make("p", { className: "facts" }, facts)));
    }));
    if (!projects.length) status.say("There is no project yet: make the first one below.");
  });
  const make_ = () => status.doing(async () => {
    const made = await client.ask("POST", "/projects", { name: name.input.value });
    globalThis.location.assign(ROOT + projectAddress(made.name));
  });
  const ownsAll = (session.grants ?? []).every((grants) => grants["*"] === "admin");
  const element = make("article", { className: "projects-view" }, head("Projects", "A project is a cast, its pictures, and its films."), status.element, list,
    ownsAll ? form("New project", make_, make("h2", {}, "New project"), name.element, make("button", { type: "submit", className: "main-button" }, "Make it")) : null);
  load();
  return element;
}
