// Who appears with whom, as a table: the darker a field, the longer two are on screen together. Only time within a film
// counts: people of different films are never together.
import { make } from "./elements.js";
import { isolated } from "./isolated.js";
import { faceOf, nameOf, symbolOf } from "./marks.js";
import { count, lengthOfTime } from "./text.js";

const MOST_IN_TABLE = 24;
const MOST_PAIRS = 60;

export class TogetherView {
  constructor(app, filmId = "") {
    this.app = app;
    const { films } = app.project;
    this.choice = make("select", { attributes: { "aria-label": "Film" } }, make("option", { value: "" }, "all films"), ...films.map((film) => make("option", { value: film.id, selected: film.id === filmId }, film.title)));
    this.groups = make("input", { type: "checkbox" });
    this.choice.addEventListener("change", () => this.update());
    this.groups.addEventListener("change", () => this.update());
    const tools = make("div", { className: "tools" }, make("label", {}, "In ", this.choice), make("label", { className: "check" }, this.groups, make("span", {}, "Unknown people too")));
    this.content = make("div", {});
    this.element = make("article", { className: "together-view" },
      make("header", { className: "view-head" }, make("h1", { tabIndex: -1 }, "Who with whom"), make("p", { className: "facts" }, "How long two people are on screen at the same time. Only time within one film counts."), tools),
      this.content);
    this.update();
  }

  update() {
    const { people, films } = this.app.project;
    const film = films.find(({ id }) => id === this.choice.value) ?? null;
    const pairs = this.app.appearances.pairs((place) => people[place].kind === "cast" || this.groups.checked, film);
    const note = { view: "together", ...(film ? { film: film.id } : {}) };
    this.app.router.note(note);
    if (!pairs.length) {
      this.content.replaceChildren(make("p", { className: "help" }, "Nobody is on screen together with anybody else."));
      return;
    }
    this.content.replaceChildren(this.table(pairs), this.list(pairs));
  }

  table(pairs) {
    const { people } = this.app.project;
    const sums = new Map();
    for (const { one, other, seconds } of pairs) for (const place of [one, other]) sums.set(place, (sums.get(place) ?? 0) + seconds);
    const shown = [...sums.keys()].sort((a, b) => sums.get(b) - sums.get(a)).slice(0, MOST_IN_TABLE);
    const found = new Map(pairs.flatMap((pair) => [[`${pair.one} ${pair.other}`, pair], [`${pair.other} ${pair.one}`, pair]]));
    const most = pairs[0].seconds;
    const head = shown.map((place) => make("th", { scope: "col", title: people[place].name }, faceOf(people[place], "face small"), symbolOf(people[place]), make("span", { className: "unseen-text" }, people[place].name)));
    const rows = shown.map((one) => {
      const cells = shown.map((other) => this.cell(one, other, found.get(`${one} ${other}`), most));
      return make("tr", {}, make("th", { scope: "row" }, this.app.link({ person: people[one].name }, nameOf(people[one]))), ...cells);
    });
    const caption = make("caption", { className: "unseen-text" }, "Seconds that two people are on screen together");
    const table = make("table", { className: "matrix" }, caption, make("thead", {}, make("tr", {}, make("td", {}), ...head)), make("tbody", {}, ...rows));
    const few = sums.size > MOST_IN_TABLE ? [make("p", { className: "facts" }, `The ${MOST_IN_TABLE} people who are with others longest.`)] : [];
    return make("section", { className: "card wide", tabIndex: 0, attributes: { role: "region", "aria-label": "Table of who is on screen with whom" } }, ...few, table);
  }

  cell(one, other, pair, most) {
    if (one === other) return make("td", { className: "self" });
    if (!pair) return make("td", { className: "none" });
    const { people } = this.app.project;
    const cell = make("td", {}, this.app.link({ view: "search", with: [people[one].name, people[other].name] }, pair.seconds < 100 ? pair.seconds.toFixed(1) : Math.round(pair.seconds)));
    cell.firstChild.title = isolated(`${people[one].name} and ${people[other].name}: ${lengthOfTime(pair.seconds)}`);
    cell.style.setProperty("--share", Math.sqrt(pair.seconds / most));
    return cell;
  }

  list(pairs) {
    const { people } = this.app.project;
    const items = pairs.slice(0, MOST_PAIRS).map(({ one, other, seconds, times }) => {
      const names = this.app.link({ view: "search", with: [people[one].name, people[other].name] }, nameOf(people[one]), make("span", { className: "and" }, "and"), nameOf(people[other]));
      names.className = "pair";
      const bar = make("span", { className: "bar", attributes: { "aria-hidden": "true" } });
      bar.style.setProperty("--share", seconds / pairs[0].seconds);
      return make("li", {}, names, bar, make("span", { className: "facts" }, `${lengthOfTime(seconds)}, ${count(times, "time")}`));
    });
    return make("section", { className: "card" }, make("h2", {}, "Longest together"), make("ol", { className: "pairs" }, ...items));
  }

  close() {}
}
