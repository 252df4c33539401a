// The player of one film for other sites: addresses that show it to everybody who has them, made and taken back.
import { make } from "../modules/elements.js";
import { button, refill, Status } from "./forms.js";

export class Embedding {
  constructor(client, base) {
    Object.assign(this, { client, base });
    this.status = new Status();
    this.list = make("ul", { className: "rows" });
    this.dialog = make("dialog", { className: "correct", attributes: { "aria-labelledby": "facelib-embed-title" } });
  }

  async askAbout(video) {
    this.address = `${this.base}/videos/${encodeURIComponent(video.id)}/embeds`;
    this.status.say("");
    this.dialog.replaceChildren(
      make("h2", { id: "facelib-embed-title" }, "Embed ", make("bdi", {}, video.name)),
      make("p", { className: "help" }, "Whoever has the address sees this film with its names, without a log-in, on the sites that the server's owner allows."),
      this.list, this.status.element,
      make("div", { className: "acts" }, button("Make an address", () => this.change("POST", this.address), { className: "main-button" }), button("Close", () => this.dialog.close())));
    if (!this.dialog.open) this.dialog.showModal();
    await this.load();
  }

  async load() {
    await this.status.doing(async () => {
      const made = await this.client.all(this.address);
      refill(this.list, made.map((one) => {
        const code = make("textarea", { readOnly: true, rows: 3, value: one.html, attributes: { "aria-label": "HTML for the other site" } });
        code.addEventListener("focus", () => code.select());
        return make("li", {}, code, button("Withdraw", () => this.change("DELETE", `${this.address}/${encodeURIComponent(one.key)}`)));
      }));
    });
  }

  async change(method, address) {
    const done = await this.status.doing(async () => {
      await this.client.ask(method, address);
      return true;
    });
    if (done) await this.load();
  }
}
