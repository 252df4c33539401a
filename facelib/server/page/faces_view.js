// A picture of anybody: who is in it, and where in the films the face is seen.
import { make } from "../modules/elements.js";
import { clockTime, percent } from "../modules/text.js";
import { field, form, head, Status } from "./forms.js";

export class FacesView {
  constructor(app, { client, base }) {
    Object.assign(this, { app, client, base });
    this.status = new Status();
    this.results = make("div", { className: "results" });
    const picture = field("A picture", { kind: "file" }, { accept: "image/*" });
    this.element = make("article", { className: "faces-view" }, head("Who is this?", "A picture is compared with the cast and with every face in the films; it is not kept."),
      form("Who is this?", () => this.look(picture.input.files[0]), picture.element, make("button", { type: "submit", className: "main-button" }, "Look")),
      this.status.element, this.results);
  }

  async look(file) {
    if (!file) return;
    this.status.say("Looking …");
    const ask = (address) => {
      const body = new FormData();
      body.append("picture", file);
      return this.client.ask("POST", this.base + address, body);
    };
    await this.status.doing(async () => {
      const found = await ask("/identify").catch((error) => {
        throw error.status === 404 ? new Error("There is no recognizer yet: add pictures of people, and train it under Work.") : error;
      });
      const hits = found.faces.length ? await ask("/search/face?most=24") : [];
      this.status.say(found.faces.length ? "" : "No face was found in it.");
      this.results.replaceChildren(this.faces(found), this.tracks(hits));
    });
  }

  faces({ faces }) {
    const items = faces.map((face) => make("li", {}, make("p", {}, make("strong", {}, make("bdi", {}, face.person)), ` ${percent(face.probability)}`), make("p", { className: "why" }, face.reason)));
    return make("section", { className: "card" }, make("h2", {}, "In the picture, from left to right"), make("ol", { className: "stretches" }, ...items));
  }

  tracks(hits) {
    const items = hits.map((hit) => {
      const link = this.app.link({ film: hit.video, t: hit.start.toFixed(2), play: "1" }, make("bdi", {}, `${hit.person} `), make("span", { className: "time" }, `${clockTime(hit.start)} in `), make("bdi", {}, hit.film));
      link.className = "stretch";
      return make("li", {}, link, make("span", { className: "facts" }, ` distance ${hit.distance.toFixed(2)}`));
    });
    return make("section", { className: "card" }, make("h2", {}, "Nearest faces in the films"), make("ol", { className: "stretches" }, ...items));
  }

  close() {}
}
