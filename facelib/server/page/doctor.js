// What the doctor proposes for the gallery: pictures better left out or moved, and names that look like one person's.
import { make } from "../modules/elements.js";
import { count } from "../modules/text.js";
import { API } from "./client.js";
import { button, picture, Status } from "./forms.js";

const MOST = 60;

export class Doctor {
  constructor(client, base, changed) {
    Object.assign(this, { client, base, changed });
    this.status = new Status();
    this.found = make("div", { className: "doctor" });
    this.element = make("section", { className: "card" }, make("h2", {}, "What the doctor proposes"), this.status.element, this.found);
  }

  // The answer can take minutes, and a browser has six connections to a server: an older question is given up.
  async load() {
    this.close();
    this.asking = new AbortController();
    const { signal } = this.asking;
    await this.status.doing(async () => {
      const found = await this.client.ask("GET", `${this.base}/doctor`, undefined, signal).catch((error) => {
        if (!signal.aborted) throw error;
      });
      if (signal.aborted) return;
      const { advice, questions, proposals } = found;
      const shown = proposals.filter(({ used }) => used);
      this.found.replaceChildren(
        make("ul", { className: "advice" }, ...advice.map((text) => make("li", {}, text))),
        make("ul", { className: "rows", attributes: { "aria-label": "Questions about names" } }, ...questions.map((one) => this.question(one))),
        make("ul", { className: "board", attributes: { "aria-label": "Proposals" } }, ...shown.slice(0, MOST).map((one) => this.card(one))),
        make("p", { className: "facts" }, this.facts(proposals.length, shown.length)));
    });
  }

  close() {
    this.asking?.abort();
  }

  facts(all, shown) {
    if (!all) return "Nothing to propose.";
    const more = shown > MOST ? `, the surest ${MOST} of them here` : "";
    return `${count(shown, "picture")} in use that may be better left out${more}; ${all - shown} are not used already.`;
  }

  question({ name, other, words, picture, other_picture: otherPicture }) {
    const answer = (given) => this.act("POST", `${this.base}/identities`, { name: other, other: name, answer: given });
    return make("li", {},
      make("div", { className: "correct-now" }, this.face(picture, "face"), this.face(otherPicture, "face"), make("p", {}, make("bdi", {}, other), " and ", make("bdi", {}, name), ` ${words}.`)),
      make("div", { className: "acts" }, button("One person", () => answer("merge")), button("Two people", () => answer("apart"))));
  }

  card({ picture, person, kind, detail, fits }) {
    const [name, address] = [picture.split("/").slice(2).join("/"), this.address(picture)];
    const acts = [button("Leave out", () => this.act("PATCH", address, { disabled: true }), { ariaLabel: `Leave out ${name}` })];
    if (fits) acts.push(button(`It is ${fits}`, () => this.act("PATCH", address, { person: fits })));
    return make("li", { className: "board-card" }, this.face(picture, "face board-face"), make("span", { className: "board-name" }, make("bdi", {}, person)),
      make("p", { className: "facts" }, `${kind}: ${detail}`), ...acts);
  }

  face(label, className) {
    return picture(className, `${API}${this.address(label, "thumbnails")}`);
  }

  address(picture, kind = "pictures") {
    const [, person, ...name] = picture.split("/");
    return `${this.base}/people/${encodeURIComponent(person)}/${kind}/${name.map(encodeURIComponent).join("/")}`;
  }

  async act(method, address, body) {
    await this.status.doing(async () => {
      await this.client.ask(method, address, body);
      this.changed();
    });
  }
}
