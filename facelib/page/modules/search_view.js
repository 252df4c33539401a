// The moments at which some people are on screen together, and others are not, over all films.
import { make } from "./elements.js";
import { icon, iconButton } from "./icons.js";
import { isolated } from "./isolated.js";
import { faceOf, nameOf, shownName } from "./marks.js";
import { tableButton } from "./moments_table.js";
import { total } from "./spans.js";
import { clockTime, count, lengthOfTime } from "./text.js";

const MOST_MOMENTS = 100;

export class SearchView {
  constructor(app, { with: wanted = [], without: unwanted = [] }) {
    this.app = app;
    this.wanted = this.known(wanted);
    this.unwanted = this.known(unwanted).filter((place) => !this.wanted.includes(place));
    this.results = make("div", { className: "results" });
    this.form = make("section", { className: "card search-form", attributes: { "aria-label": "Who is searched for" } });
    this.status = make("p", { className: "facts", attributes: { role: "status" } });
    this.save = tableButton(() => this.wanted.map((place) => this.people[place].name), () => this.found);
    this.element = make("article", { className: "search-view" },
      make("header", { className: "view-head" }, make("h1", { tabIndex: -1 }, "Search"), make("p", { className: "facts" }, "Moments at which people are on screen together, in all films.")),
      this.form, make("div", { className: "list-head" }, this.status, this.save), this.results);
    this.update();
  }

  known(names) {
    return [...new Set(names.map((name) => this.app.project.people.findIndex((person) => person.name === name)))].filter((place) => place >= 0);
  }

  get people() {
    return this.app.project.people;
  }

  update() {
    this.form.replaceChildren(this.row("On screen", this.wanted, "with"), this.row("but without", this.unwanted, "without"), this.suggestions());
    this.showResults();
    const names = (places) => places.map((place) => this.people[place].name);
    this.app.router.note({ view: "search", with: names(this.wanted), without: names(this.unwanted) });
  }

  change(act) {
    const before = document.activeElement?.dataset?.key;
    act();
    this.update();
    if (before) this.form.querySelector(`[data-key="${CSS.escape(before)}"]`)?.focus();
  }

  add(place, list) {
    this.change(() => {
      for (const own of [this.wanted, this.unwanted]) if (own.includes(place)) own.splice(own.indexOf(place), 1);
      list.push(place);
    });
  }

  row(text, list, key) {
    const chips = list.map((place, i) => {
      const person = this.people[place];
      const remove = iconButton("close", `Remove ${person.name}`, () => this.change(() => list.splice(i, 1)));
      return make("li", { className: "chip" }, faceOf(person, "face tiny"), nameOf(person), remove);
    });
    const input = make("input", { type: "text", placeholder: list.length ? "and …" : "a name", attributes: { list: `facelib-names-${key}`, "aria-label": `${text}: add a person`, autocomplete: "off" } });
    input.dataset.key = key;
    const take = (place) => {
      if (place >= 0 && !list.includes(place)) this.add(place, list);
    };
    // A name chosen from the list comes as a change; Enter takes who is nearest to what was typed.
    input.addEventListener("change", () => take(this.people.findIndex((person) => person.name.toLowerCase() === input.value.trim().toLowerCase())));
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !input.value.trim()) return;
      const place = this.meant(input.value);
      if (place < 0) this.status.textContent = isolated(`Nobody is called “${input.value.trim()}”.`);
      take(place);
    });
    const names = make("datalist", { id: `facelib-names-${key}` }, ...this.people.map((person) => make("option", { value: person.name })));
    return make("div", { className: "search-row" }, make("span", { className: "search-word" }, text), make("ul", { className: "chips" }, ...chips), input, names);
  }

  // The place of the person whose name begins with what was typed, or has a word that does, or holds it; else -1.
  meant(typed) {
    const sought = typed.trim().toLowerCase();
    const names = this.people.map((person) => person.name.toLowerCase());
    const ways = [(name) => name === sought, (name) => name.startsWith(sought), (name) => name.includes(` ${sought}`), (name) => name.includes(sought)];
    return ways.map((way) => names.findIndex(way)).find((place) => place >= 0) ?? -1;
  }

  // The people most on screen, to be added by a click.
  suggestions() {
    const { appearances } = this.app;
    const taken = new Set([...this.wanted, ...this.unwanted]);
    const seconds = new Map([...this.people.keys()].map((place) => [place, appearances.seconds(place)]));
    const best = [...seconds.keys()].filter((place) => !taken.has(place) && seconds.get(place) > 0).sort((a, b) => (this.people[a].kind !== "cast") - (this.people[b].kind !== "cast") || seconds.get(b) - seconds.get(a));
    const chips = best.slice(0, 16).map((place) => {
      const person = this.people[place];
      const add = make("button", { type: "button", className: "add", attributes: { "aria-label": `With ${person.name}` }, onclick: () => this.add(place, this.wanted) }, faceOf(person, "face tiny"), nameOf(person));
      const drop = iconButton("minus", `Without ${person.name}`, () => this.add(place, this.unwanted));
      return make("li", { className: "chip suggestion" }, add, drop);
    });
    return make("ul", { className: "chips suggestions", attributes: { "aria-label": "People to add" } }, ...chips);
  }

  showResults() {
    const found = this.app.appearances.search(this.wanted, this.unwanted);
    this.found = found;
    this.save.hidden = !found.length;
    if (!this.wanted.length) this.status.textContent = "Choose at least one person to be on screen.";
    else {
      const films = new Set(found.map(({ film }) => film)).size;
      this.status.textContent = found.length ? `${count(found.length, "moment")}, ${lengthOfTime(total(found))}, in ${count(films, "film")}` : isolated(`No moment with ${this.sentence()}.`);
    }
    this.results.replaceChildren(...this.app.project.films.map((film) => this.filmResults(film, found.filter((one) => one.film === film))).filter(Boolean));
  }

  sentence() {
    const names = (places) => places.map((place) => shownName(this.people[place])).join(" and ");
    return names(this.wanted) + (this.unwanted.length ? ` without ${names(this.unwanted)}` : "");
  }

  filmResults(film, own, most = MOST_MOMENTS) {
    if (!own.length) return null;
    const items = own.slice(0, most).map(({ start, end }) => {
      const link = this.app.link({ film: film.id, t: start.toFixed(3), play: "1" }, icon("play"), make("span", { className: "time" }, `${clockTime(start)} – ${clockTime(end)}`), make("span", { className: "facts" }, lengthOfTime(end - start)));
      link.className = "stretch";
      return make("li", {}, link);
    });
    const section = make("section", { className: "card" },
      make("div", { className: "list-head" }, make("h2", {}, make("bdi", {}, film.title)), make("span", { className: "facts" }, lengthOfTime(total(own)))),
      make("ol", { className: "stretches" }, ...items));
    if (own.length > most) section.append(make("button", { type: "button", onclick: () => section.replaceWith(this.filmResults(film, own, own.length)) }, `Show all ${own.length.toLocaleString("en")}`));
    return section;
  }

  close() {}
}
