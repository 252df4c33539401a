// One person: every appearance over all films, and with whom.
import { make } from "./elements.js";
import { sheetFace } from "./hint.js";
import { sheetPlace } from "./film.js";
import { icon } from "./icons.js";
import { colourOf, faceOf, nameOf, symbolOf } from "./marks.js";
import { tableButton } from "./moments_table.js";
import { total } from "./spans.js";
import { clockTime, count, lengthOfTime, percent } from "./text.js";

const MOST_HITS = 24;
const SHEET = { tile: 80, columns: 8 }; // as in facelib/page/faces.py

export class PersonView {
  constructor(app, name) {
    this.app = app;
    this.place = app.project.people.findIndex((person) => person.name === name);
    this.person = app.project.people[this.place];
    this.element = this.person ? this.make() : make("article", {}, make("h1", { tabIndex: -1 }, "Nobody of this name"), make("p", {}, "The project has nobody called ", make("q", {}, make("bdi", {}, name)), "."));
  }

  make() {
    const { appearances } = this.app;
    const all = appearances.of(this.place);
    const films = appearances.filmsOf(this.place);
    const facts = all.length ? `${lengthOfTime(total(all))} on screen · ${count(all.length, "appearance")} · ${count(films.length, "film")}` : "Not seen in any film.";
    const head = make("header", { className: "view-head person-head" }, faceOf(this.person, "face huge"),
      make("div", {}, make("h1", { tabIndex: -1 }, symbolOf(this.person), make("bdi", {}, this.person.name)), make("p", { className: "facts" }, facts),
        all.length ? tableButton(() => [this.person.name], () => all) : null));
    return make("article", { className: "person-view" }, head, ...films.map((film) => this.filmSection(film)), this.company());
  }

  filmSection(film, most = MOST_HITS) {
    const { appearances, project } = this.app;
    const own = appearances.byFilm[project.films.indexOf(film)].get(this.place);
    const items = own.slice(0, most).map((stretch) => make("li", {}, this.hit(film, stretch)));
    const section = make("section", { className: "card" },
      make("div", { className: "list-head" }, make("h2", {}, this.app.link({ film: film.id }, make("bdi", {}, film.title))), make("span", { className: "facts" }, `${lengthOfTime(total(own))} in ${count(own.length, "appearance")}`)),
      this.strip(film, own), make("ul", { className: "hits" }, ...items));
    if (own.length > most) section.append(make("button", { type: "button", onclick: () => section.replaceWith(this.filmSection(film, own.length)) }, `Show all ${own.length.toLocaleString("en")}`));
    return section;
  }

  hit(film, { start, end, confidence, face }) {
    const folder = film.data.slice(0, film.data.lastIndexOf("/") + 1);
    const picture = sheetFace(this.app.source, { ...SHEET, ...sheetPlace(face, SHEET.columns), address: (sheet) => `${folder}faces-${sheet}.jpg` }, 64);
    const sure = this.person.kind === "cast" ? make("span", { className: "sure" }, percent(confidence)) : null;
    const link = this.app.link({ film: film.id, t: start.toFixed(3), play: "1" }, picture, make("span", { className: "hit-text" }, make("span", { className: "time" }, icon("play"), clockTime(start)), make("span", { className: "facts" }, lengthOfTime(end - start)), sure));
    link.className = "hit";
    link.setAttribute("aria-label", `Play from ${clockTime(start)}, ${lengthOfTime(end - start)}`);
    return link;
  }

  strip(film, own) {
    const canvas = make("canvas", { className: "strip", width: 1200, height: 10, attributes: { "aria-hidden": "true" } });
    const context = canvas.getContext("2d");
    context.fillStyle = colourOf(this.person, this.app.dark);
    for (const { start, end } of own) context.fillRect((1200 * start) / film.duration, 0, Math.max(2, (1200 * (end - start)) / film.duration), 10);
    return canvas;
  }

  company() {
    const { appearances, project } = this.app;
    const pairs = appearances.pairs((place) => place === this.place || project.people[place].kind !== "unknown").filter(({ one, other }) => one === this.place || other === this.place);
    if (!pairs.length) return null;
    const rows = pairs.slice(0, 40).map(({ one, other, seconds, times }) => {
      const person = project.people[one === this.place ? other : one];
      const link = this.app.link({ view: "search", with: [this.person.name, person.name] }, nameOf(person));
      return make("li", {}, faceOf(person, "face small"), link, make("span", { className: "facts" }, `${lengthOfTime(seconds)}, ${count(times, "time")}`));
    });
    return make("section", { className: "card" }, make("h2", {}, "On screen together with"), make("ul", { className: "company" }, ...rows));
  }

  close() {}
}
