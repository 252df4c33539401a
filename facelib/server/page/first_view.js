// A project without a named film: what to bring, and how far that is.
import { make } from "../modules/elements.js";
import { isolated } from "../modules/isolated.js";
import { count } from "../modules/text.js";
import { head } from "./forms.js";
import { JobList } from "./job_list.js";

export class FirstView {
  constructor(app, { client, base, films, pictures }) {
    Object.assign(this, { app, client, base });
    this.cast = make("p", { className: "facts" });
    this.jobs = new JobList(client, base);
    this.element = make("article", { className: "first-view" },
      head(app.project.name, "Three steps to a film with names."),
      make("section", { className: "card" }, make("h2", {}, "1. Who is to be recognised"), this.cast, pictures.element,
        make("p", { className: "help" }, "About 50 pictures of each person, as different as can be; five will do to begin with. Change them later in the ", app.link({ view: "gallery" }, "gallery"), ".")),
      make("section", { className: "card" }, make("h2", {}, "2. The films"), films.element),
      make("section", { className: "card" }, make("h2", {}, "3. Names are given"), this.jobs.element));
    this.load();
  }

  async load() {
    const people = await this.client.all(`${this.base}/people`);
    const seen = people.filter(({ pictures }) => pictures);
    this.cast.textContent = seen.length ? `${count(seen.length, "person", "people")} with ${count(seen.reduce((sum, { pictures }) => sum + pictures, 0), "picture")}: ${seen.map(({ name }) => isolated(name)).join(", ")}.` : "Nobody yet.";
    await this.jobs.load();
  }

  changed() {
    return this.load().catch((error) => this.app.fail(error));
  }

  close() {}
}

// What shows names of films, while there are none.
export class NoNamesYet {
  constructor(app, title) {
    this.element = make("article", {}, head(title, "No film has names yet."),
      make("p", {}, app.link({}, "Add people and a film, and name the people in it"), "; then they are here."));
  }

  close() {}
}
