// The first page: all films and all people as tiles, and the reports.
import { make } from "./elements.js";
import { colourOf, faceOf, nameOf } from "./marks.js";
import { count, lengthOfTime } from "./text.js";

const MOST_TILES = 36;

export class HomeView {
  constructor(app) {
    this.app = app;
    const { project } = app;
    const seconds = project.films.reduce((sum, film) => sum + film.duration, 0);
    const facts = [count(project.films.length, "film"), lengthOfTime(seconds), count(this.seen("cast").length, "person of the cast on screen", "people of the cast on screen")];
    this.element = make("article", { className: "home-view" },
      make("header", { className: "view-head" }, make("h1", { tabIndex: -1 }, make("bdi", {}, project.name)), make("p", { className: "facts" }, facts.join(" · "))),
      this.section("Films", make("ul", { className: "tiles films" }, ...project.films.map((film) => this.filmTile(film)))),
      this.people("People", this.seen("cast")),
      this.people("Unknown people", this.seen("group")),
      this.unseen(),
    );
  }

  section(title, ...content) {
    return make("section", {}, make("h2", {}, title), ...content);
  }

  // The places of the people of one kind who are on screen, longest first.
  seen(kind) {
    const { appearances, project } = this.app;
    const all = [...project.people.keys()].filter((place) => project.people[place].kind === kind);
    const seconds = new Map(all.map((place) => [place, appearances.seconds(place)]));
    return all.filter((place) => seconds.get(place) > 0).sort((a, b) => seconds.get(b) - seconds.get(a));
  }

  filmTile(film) {
    const { appearances, project } = this.app;
    const cast = appearances.cast(film).map(([place]) => project.people[place]).filter(({ kind }) => kind === "cast");
    const picture = film.poster ? make("img", { className: "poster", src: film.poster, alt: "", loading: "lazy" }) : make("span", { className: "poster none" });
    const names = cast.slice(0, 4).map((person) => nameOf(person));
    const more = cast.length > 4 ? make("span", { className: "more" }, `and ${cast.length - 4} more`) : null;
    const who = cast.length ? [...names, more] : [make("span", { className: "more" }, "nobody in the cast")];
    const title = this.app.link({ film: film.id }, make("bdi", {}, film.title));
    title.className = "tile-title";
    return make("li", { className: "tile" },
      make("div", { className: "picture" }, picture, make("span", { className: "length" }, lengthOfTime(film.duration))),
      this.strip(film), title, make("div", { className: "names" }, ...who), film.notice ? make("p", { className: "notice" }, film.notice) : null);
  }

  // A film in small: when anybody of the cast is on screen, in their colours.
  strip(film) {
    const { appearances, project, dark } = this.app;
    const canvas = make("canvas", { className: "strip", width: 400, height: 8, attributes: { "aria-hidden": "true" } });
    const context = canvas.getContext("2d");
    const rows = appearances.byFilm[project.films.indexOf(film)];
    for (const [place, spans] of [...rows].sort((a, b) => b[1].length - a[1].length)) {
      const person = project.people[place];
      context.globalAlpha = person.kind === "cast" ? 1 : 0.4;
      context.fillStyle = colourOf(person, dark);
      for (const { start, end } of spans) {
        context.fillRect((400 * start) / film.duration, 0, Math.max(1, (400 * (end - start)) / film.duration), 8);
      }
    }
    return canvas;
  }

  people(title, places, most = MOST_TILES) {
    if (!places.length) return null;
    const { appearances, project } = this.app;
    const tiles = places.slice(0, most).map((place) => {
      const person = project.people[place];
      const films = appearances.filmsOf(place).length;
      const link = this.app.link({ person: person.name }, nameOf(person));
      link.className = "tile-title";
      const facts = `${lengthOfTime(appearances.seconds(place))} in ${count(films, "film")}`;
      return make("li", { className: "tile person" }, faceOf(person, "face large"), make("div", {}, link, make("p", { className: "facts" }, facts)));
    });
    const section = this.section(title, make("ul", { className: "tiles people" }, ...tiles));
    if (places.length > most) section.append(make("p", {}, make("button", { type: "button", onclick: () => section.replaceWith(this.people(title, places, places.length)) }, `Show all ${places.length.toLocaleString("en")}`)));
    return section;
  }

  unseen() {
    const { appearances, project } = this.app;
    const names = project.people.filter((person, place) => person.kind === "cast" && !appearances.of(place).length);
    if (!names.length) return null;
    return this.section("Not seen in any film", make("p", { className: "unseen" }, ...names.map((person) => nameOf(person))));
  }

  close() {}
}
