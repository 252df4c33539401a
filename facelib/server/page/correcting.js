// Corrections: a dialog that asks who a track is, and what is told when somebody else decided meanwhile.
import { make } from "../modules/elements.js";
import { API } from "./client.js";
import { button, field, picture, Status } from "./forms.js";

export class Correcting {
  // `changed(text)` is called with what was done.
  constructor(client, base, changed) {
    Object.assign(this, { client, base, changed });
    this.names = make("datalist", { id: "facelib-cast" });
    this.dialog = make("dialog", { className: "correct", attributes: { "aria-labelledby": "facelib-correct-title" } });
  }

  async askAbout(video, number) {
    const track = await this.client.get(`${this.base}/videos/${encodeURIComponent(video)}/tracks/${number}`);
    const people = await this.client.all(`${this.base}/people`);
    this.names.replaceChildren(...people.map(({ name }) => make("option", { value: name })));
    this.show(track);
  }

  show(track) {
    const status = new Status();
    const name = field("Who is this?", { value: "" }, { list: "facelib-cast", autocomplete: "off", maxlength: 200 });
    const whole = make("input", { type: "checkbox" });
    const group = track.cluster ? make("label", { className: "check" }, whole, make("span", {}, `all of ${track.cluster}, in all films`)) : null;
    const decide = (action, more = {}) => this.decide(status, [track], { action, ...more });
    const give = (more = {}) => decide("name", { name: name.input.value, whole_group: whole.checked, ...more });
    const near = make("div", { className: "acts" });
    this.near = (names) => near.replaceChildren(
      ...names.map((one) => button(`It is ${one.name}`, () => decide("name", { name: one.name, whole_group: whole.checked }))),
      button(`Somebody else, called ${name.input.value}`, () => give({ even_if_near: true })));
    const content = make("form", { attributes: { method: "dialog" } },
      make("h2", { id: "facelib-correct-title" }, "Correct a name"),
      make("div", { className: "correct-now" },
        picture("face huge", this.face(track)),
        make("div", {}, make("p", {}, make("bdi", {}, track.label)), make("p", { className: "why" }, track.reason))),
      name.element, this.names, group, near, status.element,
      make("div", { className: "acts" },
        make("button", { type: "submit", className: "main-button" }, "Give this name"),
        button("Right as it is", () => decide("confirm")), button("Unknown", () => decide("unknown")),
        button("Not a face", () => decide("not a face")), button("Cancel", () => this.dialog.close())));
    content.addEventListener("submit", (event) => {
      event.preventDefault();
      give();
    });
    this.dialog.replaceChildren(content);
    if (!this.dialog.open) this.dialog.showModal();
    name.input.focus();
  }

  face(track) {
    return `${API}${this.base}/videos/${encodeURIComponent(track.video)}/tracks/${track.track}/faces/0`;
  }

  async decide(status, tracks, what) {
    const refs = tracks.map(({ video, track, state }) => ({ video, track, state }));
    try {
      const done = await this.client.ask("POST", `${this.base}/corrections`, { ...what, tracks: refs });
      this.dialog.close();
      this.changed(done.done, done);
      return done;
    } catch (error) {
      status.fail(error);
      if (error.problem?.near) this.near?.(error.problem.near);
      const conflict = error.problem?.conflicts?.[0];
      if (conflict && this.dialog.open) this.show({ ...conflict.now, reason: `${error.message} You wanted: ${conflict.yours}.` });
      return null;
    }
  }

  async undo() {
    const done = await this.client.ask("POST", `${this.base}/corrections/undo`);
    this.changed(done.done, done);
    return done;
  }
}
