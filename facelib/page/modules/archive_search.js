// The search of many films as a widget of a notebook: two rows of people, the hits, and a player of the one clicked.
import { make } from "./elements.js";
import { KernelSource } from "./source_notebook.js";

const LAST = 0.02; // seconds before the end at which the last picture is seen
const UNITS = { moment: "at once", shot: "in one shot", scene: "in one scene" };

class Search {
  constructor(model, root) {
    Object.assign(this, { model, root, source: new KernelSource(model), urls: [] });
    this.rows = make("div");
    this.by = make("select", { attributes: { "aria-label": "Together" }, onchange: () => this.set("by", this.by.value) });
    for (const [value, textContent] of Object.entries(UNITS)) this.by.append(make("option", { value, textContent }));
    this.shortest = make("input", { type: "number", min: 0, step: 0.5, ariaLabel: "Shortest, seconds", onchange: () => this.setShortest() });
    this.shortest.addEventListener("keydown", (event) => event.key === "Enter" && this.setShortest());
    this.status = make("span", { attributes: { role: "status" } });
    this.alert = make("p", { attributes: { role: "alert" } });
    this.player = make("video", { controls: true, hidden: true, preload: "metadata" });
    this.player.addEventListener("timeupdate", () => this.stop());
    this.grid = make("div", { className: "hits" });
    const times = make("div", { className: "row" }, make("span", { textContent: "together" }), this.by, "at least", this.shortest, "seconds");
    root.append(this.rows, times, this.bar(), this.alert, this.player, this.grid);
    this.listeners = [
      [["people", "wanted", "unwanted"], () => this.showPeople()],
      [["by", "shortest"], () => this.showTimes()],
      [["found", "error", "page", "pages"], () => this.showFacts()],
      [["hits"], () => this.showHits()],
    ];
    for (const [names, show] of this.listeners) {
      for (const name of names) model.on(`change:${name}`, show);
      show();
    }
  }

  bar() {
    this.back = make("button", { textContent: "◀ Back", onclick: () => this.turn(-1) });
    this.next = make("button", { textContent: "Next ▶", onclick: () => this.turn(1) });
    const write = make("button", { textContent: "Write the list", onclick: () => this.write() });
    return make("div", { className: "row" }, this.status, this.back, this.next, write);
  }

  set(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  setShortest() {
    this.set("shortest", Math.max(0, Number(this.shortest.value) || 0));
    this.showTimes();
  }

  showTimes() {
    this.by.value = this.model.get("by");
    this.shortest.value = this.model.get("shortest");
  }

  // Whoever stood in a row stands in it again, by its list, where the button is gone that was pressed.
  showPeople() {
    const stood = [...this.rows.children].findIndex((row) => row.contains(document.activeElement));
    this.rows.replaceChildren(this.row("On screen", "wanted"), this.row("but without", "unwanted"));
    this.rows.children[stood]?.querySelector("select").focus();
  }

  // The people chosen on one side, each a button that takes them out, and a list to choose the next one from.
  row(label, side) {
    const chosen = this.model.get(side);
    const taken = new Set([...this.model.get("wanted"), ...this.model.get("unwanted")]);
    const chips = chosen.map((name) => {
      const out = () => this.set(side, chosen.filter((other) => other !== name));
      const attributes = { "aria-label": `${label}: take out ${name}` };
      return make("button", { className: "chip", textContent: name, onclick: out, attributes });
    });
    const list = make("select", {
      attributes: { "aria-label": `${label}: add a person` },
      onchange: () => list.value && this.set(side, [...chosen, list.value]),
    });
    list.append(make("option", { value: "", textContent: "add a person…" }));
    for (const [value, films] of this.model.get("people"))
      if (!taken.has(value)) list.append(make("option", { value, textContent: `${value} (${films})` }));
    return make("div", { className: "row" }, make("span", { textContent: label }), ...chips, list);
  }

  showFacts() {
    const [page, pages] = [this.model.get("page"), this.model.get("pages")];
    this.status.textContent = this.model.get("found") + (pages > 1 ? `, page ${page + 1} of ${pages}` : "");
    this.alert.textContent = this.model.get("error");
    this.back.disabled = page < 1;
    this.next.disabled = page + 1 >= pages;
  }

  turn(step) {
    this.set("page", this.model.get("page") + step);
  }

  showHits() {
    this.urls.forEach((url) => URL.revokeObjectURL(url));
    const pictures = this.model.get("pictures");
    this.urls = [];
    if (!this.model.get("hits").length) {
      this.player.pause();
      this.player.hidden = true;
    }
    this.grid.replaceChildren(...this.model.get("hits").map((hit, place) => this.tile(hit, pictures[place])));
  }

  tile({ number, title, film, when, seconds }, picture) {
    const attributes = { "aria-pressed": "false" };
    const tile = make("button", { className: "hit", title, attributes, onclick: () => this.play(number, tile) });
    if (picture?.byteLength) {
      const src = URL.createObjectURL(new Blob([picture], { type: "image/jpeg" }));
      this.urls.push(src);
      tile.append(make("img", { src, alt: "" }));
    }
    tile.append(make("span", {}, film, make("br"), `${when} · ${seconds} s`));
    return tile;
  }

  async play(hit, tile) {
    await this.saying(async () => {
      const answer = await this.source.ask({ ask: "play", hit });
      const src = this.source.address(answer);
      for (const other of this.grid.children) other.setAttribute("aria-pressed", String(other === tile));
      this.until = answer.end;
      this.player.hidden = false;
      if (this.player.src !== new URL(src, location.href).href) this.player.src = src;
      this.player.currentTime = answer.start;
      await this.player.play();
    });
  }

  // The moment ends where the hit does, on its last picture; played on from there, the film goes on.
  stop() {
    const { until } = this;
    if (until === undefined || this.player.currentTime < until) return;
    this.until = undefined;
    this.player.pause();
    this.player.currentTime = until - LAST;
  }

  async write() {
    await this.saying(async () => {
      const { written } = await this.source.ask({ ask: "write" });
      this.status.textContent = `Written to ${written}`;
    });
  }

  async saying(work) {
    this.alert.textContent = "";
    try {
      await work();
    } catch (error) {
      if (error.name !== "AbortError") this.alert.textContent = error.message; // another hit was clicked meanwhile
    }
  }

  close() {
    for (const [names, show] of this.listeners) for (const name of names) this.model.off(`change:${name}`, show);
    this.source.close();
    this.urls.forEach((url) => URL.revokeObjectURL(url));
  }
}

export function renderSearch({ model, el }) {
  const root = make("div", { className: "facelib-panel facelib-archive" });
  root.dataset.lmSuppressShortcuts = "true"; // keys pressed here are not JupyterLab's
  el.append(root);
  const search = new Search(model, root);
  return () => search.close();
}
