// Unknown people: everybody whom nobody has named, longest on screen first; named and merged here.
import { make } from "../modules/elements.js";
import { count, lengthOfTime } from "../modules/text.js";
import { button, head, picture, refill, Status } from "./forms.js";

export class UnknownsView {
  constructor(app, { client, base, correcting }) {
    Object.assign(this, { app, client, base, correcting, marked: new Set() });
    this.status = new Status();
    this.grid = make("ul", { className: "board", attributes: { "aria-label": "Unknown people" } });
    this.mergeButton = button("Merge the marked ones", () => this.merge(), { disabled: true });
    this.element = make("article", { className: "unknowns-view" }, head("Unknown people", "People outside the cast, grouped by face over all films."),
      make("div", { className: "card tools" }, this.mergeButton), this.status.element, this.grid);
    this.load();
  }

  async load() {
    await this.status.doing(async () => {
      this.groups = await this.client.all(`${this.base}/unknowns`);
      this.marked = new Set([...this.marked].filter((name) => this.groups.some((group) => group.name === name)));
      refill(this.grid, this.groups.map((group) => this.card(group)));
      this.mergeButton.disabled = this.marked.size < 2;
      if (!this.groups.length) this.status.say("No unknown person was seen twice; those seen once are in the review.");
    });
  }

  card(group) {
    const mark = make("input", { type: "checkbox", checked: this.marked.has(group.name), id: `facelib-mark-${group.name}`, attributes: { "aria-label": `Mark ${group.name}` } });
    mark.addEventListener("change", () => {
      if (mark.checked) this.marked.add(group.name);
      else this.marked.delete(group.name);
      this.mergeButton.disabled = this.marked.size < 2;
    });
    const page = this.app.link({ person: group.name }, group.name);
    return make("li", { className: "board-card" }, picture("face board-face", this.correcting.face(group)),
      make("p", { className: "board-name" }, mark, page), make("p", { className: "facts" }, `${lengthOfTime(group.seconds)}, ${count(group.films, "film")}`),
      button("Name…", () => this.status.doing(() => this.correcting.askAbout(group.video, group.track)), { ariaLabel: `Name ${group.name}`, id: `facelib-name-${group.name}` }));
  }

  async merge() {
    const tracks = this.groups.filter(({ name }) => this.marked.has(name)).map(({ video, track }) => ({ video, track }));
    await this.correcting.decide(this.status, tracks, { action: "merge" });
  }

  changed(text) {
    if (text) this.status.say(text);
    return this.load();
  }

  close() {}
}
