// The player alone, within a page of another site: the film, its boxes and names, and who is on screen now.
import { make } from "../modules/elements.js";
import { Film } from "../modules/film.js";
import { faceOf, nameOf, UNKNOWN } from "../modules/marks.js";
import { Player } from "../modules/player.js";
import { Theme } from "../modules/theme.js";

const root = document.getElementById("facelib-page");

async function start() {
  const answer = await fetch(`${globalThis.location.pathname}/page`);
  const data = await answer.json();
  if (!answer.ok) throw new Error(data.detail);
  show(new Film(data.film), new Map(data.people.map((person) => [person.name, person])));
}

function show(film, people) {
  const persons = film.labels.map(({ name, kind }) => people.get(name) ?? { ...UNKNOWN, name, kind });
  const now = make("ul", { className: "embed-now", attributes: { "aria-label": "On screen now" } });
  const player = new Player(film, { url: async (path) => path }, {
    look: (index) => {
      const person = persons[film.label[index]];
      return { person, label: person.kind === "unknown" ? "" : person.name, faint: person.kind !== "cast" };
    },
    onframe: (_, boxes) => boxes && tell(boxes),
  });
  let shown = "";
  const tell = (boxes) => {
    const key = boxes.map(({ index }) => index).join(" ");
    if (key !== shown) now.replaceChildren(...boxes.map(({ look }) => make("li", {}, faceOf(look.person, "face tiny"), nameOf(look.person))));
    shown = key;
  };
  document.title = film.page.title;
  root.replaceChildren(make("main", {}, make("h1", { className: "unseen-text" }, film.page.title), player.element, now));
  root.player = player;
  player.open().then(() => player.showTime());
}

root.classList.add("facelib-page");
document.body.classList.add("embedded");
new Theme(root, () => {});
start().catch((error) => root.replaceChildren(make("p", { className: "failure", attributes: { role: "alert" } }, error.message)));
