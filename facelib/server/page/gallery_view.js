// The cast and its pictures: the face in each picture or the whole picture, left out or taken in, moved, added.
import { make } from "../modules/elements.js";
import { count } from "../modules/text.js";
import { PicturesIn } from "./adding.js";
import { API } from "./client.js";
import { Doctor } from "./doctor.js";
import { button, choice, field, form, head, picture, refill, Status } from "./forms.js";

export class GalleryView {
  constructor(app, { client, base, pictures }) {
    Object.assign(this, { app, client, base, whole: false, person: "", places: new Map(), loads: 0, shows: 0 });
    this.doctor = new Doctor(client, base, () => this.load());
    this.status = new Status();
    this.people = make("ul", { className: "chips" });
    this.pictures = make("div", {});
    const crops = make("input", { type: "checkbox", checked: true });
    crops.addEventListener("change", () => { this.whole = !crops.checked; this.showPictures(); });
    const name = field("Name of a new person", {}, { autocomplete: "off", maxlength: 200 });
    const near = make("div", { className: "acts" });
    const add = (even = false) => this.status.doing(async () => {
      near.replaceChildren();
      try {
        const made = await client.ask("POST", `${base}/people`, { name: name.input.value, even_if_near: even });
        this.person = made.name;
        name.input.value = "";
        await this.load();
      } catch (error) {
        if (error.problem?.near?.length && !even) near.replaceChildren(button("It is somebody else", () => add(true)));
        throw error;
      }
    });
    this.element = make("article", { className: "gallery-view" }, head("Gallery", "The pictures by which the cast is recognised."), this.status.element,
      make("div", { className: "card tools" }, this.people, make("label", { className: "check" }, crops, make("span", {}, "Show the faces alone"))),
      this.pictures, this.doctor.element,
      make("section", { className: "card" }, make("h2", {}, "More people"), pictures.element,
        form("New person", () => add(), name.element, near, make("button", { type: "submit" }, "Add"))));
    this.load();
  }

  async load() {
    await this.status.doing(async () => {
      const turn = ++this.loads; // what is asked for last is shown, whichever answer comes last
      const cast = await this.client.all(`${this.base}/people`);
      if (turn !== this.loads) return;
      this.cast = cast;
      if (!this.cast.some(({ name }) => name === this.person)) this.person = this.cast[0]?.name ?? "";
      refill(this.people, this.cast.map((one) => {
        const choose = button("", () => { this.person = one.name; this.load(); }, { className: "add", id: `facelib-of-${one.name}` });
        choose.append(make("bdi", {}, one.name), ` (${one.used}\u00a0of\u00a0${one.pictures})`);
        choose.setAttribute("aria-pressed", String(one.name === this.person));
        return make("li", { className: "chip suggestion" }, choose);
      }));
      if (!this.cast.length) this.status.say("Nobody yet: drop folders of pictures below.");
      this.doctor.load();
      await this.showPictures();
    });
  }

  own(name) {
    return `${this.base}/people/${encodeURIComponent(name)}`;
  }

  async showPictures() {
    if (!this.person) {
      this.pictures.replaceChildren();
      return;
    }
    const turn = ++this.shows;
    const pictures = await this.client.all(`${this.own(this.person)}/pictures`);
    if (turn !== this.shows) return;
    const rename = field("Another name", {}, { autocomplete: "off", maxlength: 200 });
    const renamed = () => this.status.doing(async () => {
      this.person = (await this.client.ask("PATCH", this.own(this.person), { name: rename.input.value })).name;
      await this.load();
      this.status.say("Renamed. Train the recognizer so that films get the new name.");
    });
    const forget = button("Forget this person…", () => this.forget());
    refill(this.pictures, [make("section", { className: "card" },
      make("div", { className: "list-head" }, make("h2", {}, make("bdi", {}, this.person)), make("span", { className: "facts" }, count(pictures.length, "picture"))),
      make("ul", { className: "board", attributes: { "aria-label": `Pictures of ${this.person}` } }, ...pictures.map((picture) => this.card(picture))),
      this.place(this.person).element,
      make("div", { className: "tools" }, rename.element, button("Rename", renamed), forget))]);
  }

  card(one) {
    const address = one.name.split("/").map(encodeURIComponent).join("/");
    const face = picture(this.whole ? "board-picture" : "face board-face", `${API}${this.own(one.person)}/thumbnails/${address}?size=160&whole=${this.whole}`, `${one.person}: ${one.name}`);
    const state = one.disabled ? "left out" : one.used === null ? "new: train to use it" : one.used ? "used" : one.reason;
    const change = (body) => this.status.doing(async () => {
      await this.client.ask("PATCH", `${this.own(one.person)}/pictures/${address}`, body);
      await this.load();
    });
    const others = this.cast.filter(({ name }) => name !== one.person).map(({ name }) => [name, name]);
    const move = choice(`Move ${one.name} to`, [["", "Move to…"], ...others]);
    move.element.classList.add("unlabelled");
    move.input.addEventListener("change", () => move.input.value && change({ person: move.input.value }));
    const card = make("li", { className: "board-card" }, face, make("p", { className: "facts" }, state), button(one.disabled ? "Take in again" : "Leave out", () => change({ disabled: !one.disabled }), { id: `facelib-use-${one.person}/${one.name}` }), move.element);
    card.classList.toggle("off", one.disabled || one.used === false);
    return card;
  }

  place(person) {
    if (!this.places.has(person)) this.places.set(person, new PicturesIn(this.client, this.base, person));
    return this.places.get(person);
  }

  forget() {
    const status = new Status();
    const keep = choice("What", [["everything", "everything: pictures, faces, and the name everywhere"], ["face", "the face: pictures and faces; the name stays in the films"]]);
    const dialog = make("dialog", { className: "correct", attributes: { "aria-label": "Forget this person" } });
    const really = button(`Forget ${this.person}`, () => status.doing(async () => {
      const report = await this.client.ask("POST", `${this.own(this.person)}/forget`, { keep_name: keep.input.value === "face" });
      dialog.close();
      this.status.say(`Removed ${count(report.removed.length, "thing")}.`);
      await this.load();
    }), { className: "main-button" });
    dialog.append(make("h2", {}, "Forget ", make("bdi", {}, this.person)), make("p", {}, "This cannot be undone."), keep.element, status.element, make("div", { className: "acts" }, really, button("Cancel", () => dialog.close())));
    dialog.addEventListener("close", () => dialog.remove());
    this.element.append(dialog);
    dialog.showModal();
  }

  changed() {
    return this.load();
  }

  close() {
    this.doctor.close();
  }
}
