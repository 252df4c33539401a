// The files behind the page: reports of the notebooks, and what was made of each film for other programs.
import { make } from "./elements.js";

export class FilesView {
  constructor(app) {
    this.app = app;
    const { project } = app;
    this.exports = make("div", { className: "results" });
    this.element = make("article", { className: "files-view" },
      make("header", { className: "view-head" }, make("h1", { tabIndex: -1 }, "Reports and files")),
      this.card("Reports", project.reports, "No report yet: the pipeline writes one for each notebook (facelib run)."),
      this.exports);
    this.load();
  }

  card(title, links, nothing) {
    const rows = links.map(({ title: text, href, purpose }) => make("li", {}, this.app.fileLink(text, href), make("span", {}, purpose)));
    return make("section", { className: "card" }, make("h2", {}, make("bdi", {}, title)), rows.length ? make("ul", { className: "files" }, ...rows) : make("p", { className: "help" }, nothing));
  }

  // What a film has is in its own data, film after film.
  async load() {
    for (const entry of this.app.project.films.slice(0, 50)) {
      const film = await this.app.film(entry);
      this.exports.append(this.card(entry.title, film.page.exports, "Nothing was made of this film for other programs: notebook 05 does."));
    }
  }

  close() {}
}
