// The review: the tracks most worth looking at, one after the other, decided by keyboard or mouse, and undone.
import { make } from "../modules/elements.js";
import { clockTime, count, percent } from "../modules/text.js";
import { choice, head, picture, refill, Status } from "./forms.js";

const SHOWN = [["undecided", "not yet decided"], ["unsure", "unsure"], ["unknown", "unknown people"], ["decided", "decided"], ["all", "all"]];

export class ReviewView {
  constructor(app, { client, base, correcting }) {
    Object.assign(this, { app, client, base, correcting, tracks: [], place: 0 });
    this.status = new Status();
    this.filter = choice("Tracks that are", SHOWN, "undecided");
    this.filter.input.addEventListener("change", () => this.load());
    this.grid = make("ul", { className: "board", attributes: { "aria-label": "Tracks" } });
    const keys = [["C", "Right as it is", "confirm"], ["N", "Give a name", "name"], ["U", "Unknown", "unknown"], ["X", "Not a face", "not a face"]];
    const tools = keys.map(([key, text, action]) => make("button", { type: "button", onclick: () => this.act(action), attributes: { "aria-keyshortcuts": key } }, text, " ", make("kbd", {}, key)));
    this.undoButton = make("button", { type: "button", onclick: () => this.undo(), attributes: { "aria-keyshortcuts": "Z" } }, "Undo ", make("kbd", {}, "Z"));
    this.left = make("p", { className: "facts" });
    this.element = make("article", { className: "review-view" }, head("Review", "Tracks whose correction would put most seconds right come first."),
      make("div", { className: "card tools" }, this.filter.element, ...tools, this.undoButton), this.left, this.status.element, this.grid);
    this.load();
  }

  async load(keep = false) {
    await this.status.doing(async () => {
      const page = await this.client.get(`${this.base}/tracks?shown=${this.filter.input.value}&limit=60`);
      this.tracks = page.items;
      this.place = keep ? Math.min(this.place, Math.max(0, this.tracks.length - 1)) : 0;
      this.left.textContent = page.total ? count(page.total, "track") : "None: choose others above.";
      this.draw();
    });
  }

  draw() {
    refill(this.grid, this.tracks.map((track, place) => this.card(track, place)));
    this.mark(this.place, this.place > 0); // a page that has just come is shown from its top
  }

  card(track, place) {
    const face = track.pictures ? picture("face board-face", this.correcting.face(track)) : make("span", { className: "face board-face letters" }, "–");
    const film = this.app.project.films.find(({ id }) => id === track.video)?.title ?? track.video;
    const sure = track.decided ? "decided" : `confidence ${percent(track.confidence)}`;
    const play = this.app.link({ film: track.video, t: track.start.toFixed(2) }, `${clockTime(track.start)} in `, make("bdi", {}, film));
    const choose = make("button", { type: "button", className: "board-choose", id: `facelib-track-${track.video}/${track.track}`, onclick: () => this.mark(place) }, face, make("span", { className: "board-name" }, make("bdi", {}, track.label)));
    return make("li", { className: "board-card" }, choose, make("p", { className: "facts" }, sure), make("p", { className: "facts moment", title: film }, play));
  }

  mark(place = this.place, scroll = true) {
    this.place = place;
    [...this.grid.children].forEach((card, at) => {
      card.classList.toggle("marked", at === place);
      card.querySelector("button").setAttribute("aria-pressed", String(at === place));
    });
    if (scroll) this.grid.children[place]?.scrollIntoView({ block: "nearest" });
  }

  async act(action) {
    const track = this.tracks[this.place];
    if (!track) return;
    if (action === "name") {
      await this.status.doing(() => this.correcting.askAbout(track.video, track.track));
      return;
    }
    const done = await this.correcting.decide(this.status, [track], { action });
    if (!done) await this.load(true);
  }

  async undo() {
    await this.status.doing(() => this.correcting.undo());
  }

  // Told of every change, of one's own and of others'.
  changed(text) {
    if (text) this.status.say(text);
    return this.load(true);
  }

  key(event) {
    const columns = Math.max(1, Math.round(this.grid.clientWidth / (this.grid.firstElementChild?.clientWidth || 1)));
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    if (event.key in steps) {
      this.mark(Math.max(0, Math.min(this.tracks.length - 1, this.place + steps[event.key])));
      return true;
    }
    const acts = { c: "confirm", n: "name", u: "unknown", x: "not a face" };
    const key = event.key.toLowerCase();
    if (key === "z") this.undo();
    else if (acts[key]) this.act(acts[key]);
    return key === "z" || key in acts;
  }

  close() {}
}
