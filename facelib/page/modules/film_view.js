// One film: the player, who is on screen now, lanes of people over time, and the appearances of one of them.
import { make } from "./elements.js";
import { Hint, sheetFace } from "./hint.js";
import { icon, iconButton } from "./icons.js";
import { Lanes } from "./lanes.js";
import { faceOf, nameOf, shownName, UNKNOWN } from "./marks.js";
import { Player } from "./player.js";
import { clockTime, count, lengthOfTime, percent } from "./text.js";

const MOST_STRETCHES = 60;
const RATES = [0.25, 0.5, 1, 1.5, 2];

export class FilmView {
  constructor(app, film) {
    Object.assign(this, { app, film, threshold: 0, unknownShown: true, hidden: new Set(), chosen: null });
    this.people = this.peopleOf(film);
    this.player = new Player(film, app.source, {
      look: (index) => this.lookOf(index),
      onframe: (frame, boxes) => this.showFrame(frame, boxes),
    });
    this.lanes = new Lanes(film, {
      seek: (seconds, play) => (play ? this.player.playFrom(seconds) : this.player.seek(seconds)),
      choose: (row) => this.choose(this.chosen === row.label ? null : row.label),
      toggle: (row, shown) => this.toggle(row.label, shown),
      hover: (...where) => this.hover(...where),
      leave: () => this.hint.hide(),
      zoom: (zoom) => { this.zoomBar.value = 100 * (Math.log(zoom) / Math.log(this.lanes.maximum)); },
    });
    this.lanes.dark = app.dark;
    this.element = this.make();
    this.hint = new Hint(this.element);
    this.player.onplaying = (playing) => this.playingChanged(playing);
    this.player.onsource = (number) => this.sourceChanged(number);
    this.player.stage.addEventListener("pointermove", (event) => this.hoverStage(event));
    this.player.stage.addEventListener("pointerleave", () => this.hint.hide());
    this.update(true);
  }

  peopleOf(film) {
    const people = new Map(this.app.project.people.map((person) => [person.name, person]));
    return film.labels.map(({ name, kind }) => (kind === "unknown" ? UNKNOWN : people.get(name) ?? { ...UNKNOWN, name, kind }));
  }

  // The same film with other names; the player goes on as it is.
  adopt(film) {
    const named = (label) => this.people[label]?.name;
    const [hidden, chosen] = [new Set([...this.hidden].map(named)), named(this.chosen)];
    this.film = film;
    this.player.film = film;
    this.lanes.film = film;
    this.people = this.peopleOf(film);
    const places = [...this.people.keys()];
    this.hidden = new Set(places.filter((label) => hidden.has(this.people[label].name)));
    this.chosen = chosen === undefined ? null : places.find((label) => this.people[label].name === chosen) ?? null;
    this.update(true);
  }

  make() {
    const { page } = this.film;
    this.now = make("ul", { className: "now-list", attributes: { "aria-label": "On screen now" } });
    const now = make("section", { className: "card now" }, make("h2", {}, "On screen now"), this.now);
    this.list = make("section", { className: "card appearances" });
    const lanes = make("section", { className: "card lanes", attributes: { "aria-label": "Who is on screen when" } }, this.makeLaneTools(), this.lanes.element);
    const side = make("div", { className: "side" }, now, this.makeSettings());
    const top = make("div", { className: "film-top" }, this.player.element, side);
    return make("article", { className: "film-view" }, this.makeHeading(page.title), top, lanes, this.list, this.makeExports());
  }

  makeHeading(title) {
    const entry = this.app.project.films.find((film) => film.id === this.film.page.id);
    const heading = make("h1", { tabIndex: -1 }, make("bdi", {}, title));
    const facts = make("p", { className: "facts" }, `${lengthOfTime(this.film.end)} · ${count(this.film.first.length, "track")}`);
    const notice = entry?.notice ? make("p", { className: "notice" }, entry.notice) : null;
    return make("header", { className: "view-head" }, heading, facts, notice);
  }

  makeSettings() {
    this.thresholdText = make("output", { className: "value" }, "0 %");
    this.slider = make("input", { type: "range", min: 0, max: 100, step: 1, value: 0, id: "facelib-threshold", attributes: { "aria-describedby": "facelib-threshold-help" } });
    this.slider.addEventListener("input", () => this.setThreshold(Number(this.slider.value) / 100));
    const label = make("label", { htmlFor: this.slider.id }, "Hide names less certain than ", this.thresholdText);
    const help = make("p", { className: "help", id: "facelib-threshold-help" }, "How likely a name is right. Faces whose names are hidden stay, as unknown.");
    this.unknownBox = this.checkbox("Show unknown people", true, (on) => this.setUnknown(on), "U");
    this.boxesBox = this.checkbox("Draw boxes and names on the film", true, (on) => this.setBoxes(on), "B");
    const sources = this.film.page.sources;
    this.sourceChoice = make("select", { attributes: { "aria-label": "Which film is played" } });
    this.sourceChoice.append(...sources.map(({ title, purpose }, i) => make("option", { value: i }, title === "source" ? "The original film" : purpose[0].toUpperCase() + purpose.slice(1))));
    this.sourceChoice.addEventListener("change", () => this.player.open(Number(this.sourceChoice.value)));
    const choice = make("label", { className: "choice", hidden: sources.length < 2 }, "Play ", this.sourceChoice);
    const rate = make("select", {}, ...RATES.map((one) => make("option", { value: one, selected: one === 1 }, `${one}×`)));
    rate.addEventListener("change", () => this.player.setRate(Number(rate.value)));
    const speed = make("label", { className: "choice" }, "Speed ", rate);
    return make("section", { className: "card settings", attributes: { "aria-label": "What is shown" } }, label, this.slider, help, this.unknownBox.parentElement, this.boxesBox.parentElement, choice, speed);
  }

  checkbox(text, checked, onchange, key) {
    const box = make("input", { type: "checkbox", checked, attributes: { "aria-keyshortcuts": key } });
    box.addEventListener("change", () => onchange(box.checked));
    make("label", { className: "check" }, box, make("span", {}, text), make("kbd", {}, key));
    return box;
  }

  makeLaneTools() {
    this.zoomBar = make("input", { type: "range", min: 0, max: 100, step: 1, value: 0, attributes: { "aria-label": "Zoom of the lanes" } });
    this.zoomBar.addEventListener("input", () => this.lanes.setZoom(this.lanes.maximum ** (this.zoomBar.value / 100), this.film.begins(this.player.frame)));
    const zoom = make("div", { className: "zoom" },
      iconButton("minus", "Smaller", () => this.lanes.setZoom(this.lanes.zoom / 1.6), "-"), this.zoomBar,
      iconButton("plus", "Larger", () => this.lanes.setZoom(this.lanes.zoom * 1.6), "+"));
    const all = make("button", { type: "button", onclick: () => this.toggleAll(true) }, "All on");
    const none = make("button", { type: "button", onclick: () => this.toggleAll(false) }, "All off");
    const steps = make("div", { className: "steps" },
      iconButton("previous", "Previous appearance", () => this.jump(-1), "P"),
      make("span", { className: "steps-text" }, "appearance"),
      iconButton("next", "Next appearance", () => this.jump(1), "N"));
    return make("div", { className: "lanes-tools" }, make("h2", {}, "Who is on screen when"), make("div", { className: "group" }, all, none), steps, zoom);
  }

  makeExports() {
    const { exports: files } = this.film.page;
    if (!files.length) return null;
    const rows = files.map(({ title, href, purpose }) => make("li", {}, this.app.fileLink(title, href), make("span", {}, purpose)));
    return make("section", { className: "card" }, make("h2", {}, "For other programs"), make("ul", { className: "files" }, ...rows));
  }

  async open(seconds, play = false) {
    if (this.player.sourceNumber === undefined) {
      this.player.frame = this.film.frameAt(seconds);
      await this.player.open();
      this.player.showTime();
      this.showFrame(this.player.frame, null);
    } else this.player.seek(seconds);
    if (play) this.player.play();
  }

  close() {
    this.player.close();
    this.lanes.close();
  }

  // Whether a track's name is shown: a name that is not sure enough is not.
  isSure(index) {
    return this.people[this.film.label[index]].kind !== "cast" || this.film.confidence[index] >= this.threshold;
  }

  isShown(label) {
    return !this.hidden.has(label) && (this.unknownShown || this.people[label].kind === "cast");
  }

  lookOf(index) {
    const label = this.film.label[index];
    const person = this.isSure(index) ? this.people[label] : UNKNOWN;
    if (!this.isShown(label) || (person === UNKNOWN && !this.unknownShown)) return null;
    return { person, label: person.kind === "unknown" ? "" : person.name, faint: person.kind !== "cast" };
  }

  // Lanes for the labels that the film has, longest on screen first; unknown people come last.
  update(anew = false) {
    const stretches = this.film.stretches((index) => this.isSure(index));
    if (anew) {
      const rank = { cast: 0, group: 1, unknown: 2 };
      const seconds = stretches.map((own) => own.reduce((sum, { start, end }) => sum + end - start, 0));
      this.order = [...this.people.keys()].sort((a, b) => rank[this.people[a].kind] - rank[this.people[b].kind] || seconds[b] - seconds[a]);
    }
    const shown = this.order.filter((label) => this.unknownShown || this.people[label].kind === "cast");
    const rows = shown.map((label) => ({
      label,
      person: this.people[label],
      stretches: stretches[label],
      seconds: stretches[label].reduce((sum, { start, end }) => sum + end - start, 0),
      shown: !this.hidden.has(label),
      chosen: label === this.chosen,
    }));
    if (anew || rows.length !== this.lanes.rows.length) this.lanes.setRows(rows);
    else {
      this.lanes.rows = rows;
      this.lanes.refresh();
    }
    this.player.draw();
    this.showNow(this.player.drawn, true);
    this.showList();
  }

  setThreshold(value) {
    this.threshold = value;
    this.slider.value = Math.round(100 * value);
    this.thresholdText.textContent = percent(value);
    this.update();
  }

  setUnknown(on) {
    this.unknownShown = on;
    this.unknownBox.checked = on;
    this.update();
  }

  setBoxes(on) {
    this.boxesBox.checked = on;
    this.player.boxesShown = on;
    this.player.draw();
  }

  toggle(label, on) {
    if (on) this.hidden.delete(label);
    else this.hidden.add(label);
    this.update();
  }

  toggleAll(on) {
    this.hidden = new Set(on ? [] : this.people.keys());
    this.update();
  }

  choose(label) {
    this.chosen = label;
    this.update();
  }

  sourceChanged(number) {
    this.sourceChoice.value = number;
    this.boxesBox.checked = this.player.boxesShown;
  }

  playingChanged(playing) {
    this.now.setAttribute("aria-live", playing ? "off" : "polite");
    if (!playing) this.noteTime();
  }

  noteTime() {
    this.app.router.note({ film: this.film.page.id, t: this.film.begins(this.player.frame).toFixed(2) });
  }

  showFrame(frame, boxes) {
    this.lanes.showTime(this.film.begins(frame), this.player.playing);
    if (boxes) this.showNow(boxes);
  }

  // Who is on screen: built anew only when that changes.
  showNow(boxes, anew = false) {
    const key = boxes.map(({ index }) => index).join(" ");
    if (key === this.nowKey && !anew) return;
    this.nowKey = key;
    const items = boxes.map(({ index, look }) => {
      const { person } = look;
      const sure = person.kind === "cast" ? make("span", { className: "sure" }, percent(this.film.confidence[index])) : null;
      const why = person.kind === "cast" ? make("span", { className: "why" }, this.film.reasonOf(index)) : null;
      return make("li", {}, faceOf(person), make("span", { className: "who" }, nameOf(person), sure, why), this.app.own.correct?.(this.film, index));
    });
    this.now.replaceChildren(...(items.length ? items : [make("li", { className: "nobody" }, "Nobody")]));
  }

  // The stretches of the person chosen, or of everybody who is shown.
  listed() {
    const rows = this.lanes.rows.filter((row) => (this.chosen === null ? row.shown : row.label === this.chosen));
    return rows.flatMap((row) => row.stretches.map((stretch) => ({ row, stretch }))).sort((a, b) => a.stretch.start - b.stretch.start);
  }

  showList(most = MOST_STRETCHES) {
    const listed = this.listed();
    const who = this.chosen === null ? "everybody shown" : shownName(this.people[this.chosen]);
    const items = listed.slice(0, most).map(({ row, stretch }) => make("li", {}, this.stretchButton(row, stretch)));
    const more = listed.length > most ? make("button", { type: "button", onclick: () => this.showList(listed.length) }, `Show all ${listed.length.toLocaleString("en")}`) : null;
    const clear = this.chosen === null ? null : make("button", { type: "button", onclick: () => this.choose(null) }, "Show everybody");
    const page = this.chosen !== null && this.people[this.chosen].kind !== "unknown" ? this.app.link({ person: who }, "All films") : null;
    this.list.replaceChildren(
      make("div", { className: "list-head" }, make("h2", {}, "Appearances of ", make("bdi", {}, who)), page, clear),
      make("ol", { className: "stretches" }, ...items),
      more ?? "",
    );
    if (!items.length) this.list.append(make("p", { className: "help" }, "None that is shown."));
  }

  stretchButton(row, stretch) {
    const text = `${clockTime(stretch.start)} – ${clockTime(stretch.end)}`;
    const sure = row.person.kind === "cast" ? percent(stretch.confidence) : "";
    return make("button", { type: "button", className: "stretch", onclick: () => this.player.playFrom(stretch.start) },
      icon("play"), this.chosen === null ? nameOf(row.person) : null, make("span", { className: "time" }, text), make("span", { className: "sure" }, sure));
  }

  // To the next or previous appearance of the person chosen, or of anybody shown.
  jump(direction) {
    const now = this.film.begins(this.player.frame);
    const starts = this.listed().map(({ stretch }) => stretch.start);
    const [slack, step] = [1e-4, this.film.begins(this.player.frame + 1) - now];
    const there = direction > 0 ? starts.find((start) => start > now + slack) : starts.findLast((start) => start < now - (this.player.playing ? 20 * step : slack));
    if (there !== undefined) this.player.seek(there);
  }

  hover(row, stretch, seconds, event) {
    const { film } = this;
    const frame = film.frameAt(seconds);
    const index = stretch.tracks.find((one) => film.first[one] <= frame && frame <= film.last[one]) ?? stretch.tracks[0];
    this.hint.show(`lane ${index}`, event, () => this.card(row.person, index, `${clockTime(stretch.start)} – ${clockTime(stretch.end)}`));
  }

  hoverStage(event) {
    const area = this.player.stage.getBoundingClientRect();
    const scale = this.film.page.width / area.width;
    const [x, y] = [(event.clientX - area.left) * scale, (event.clientY - area.top) * scale];
    const found = this.player.drawn.find(({ left, top, right, bottom }) => left <= x && x <= right && top <= y && y <= bottom);
    if (!found) this.hint.hide();
    else this.hint.show(`stage ${found.index} ${this.threshold}`, event, () => this.card(found.look.person, found.index, ""));
  }

  card(person, index, time) {
    const { film } = this;
    const sure = person.kind === "cast" ? make("p", {}, `confidence ${percent(film.confidence[index])}`) : null;
    const why = person.kind === "cast" ? make("p", { className: "why" }, film.reasonOf(index)) : null;
    const text = make("div", {}, make("p", { className: "who" }, nameOf(person)), time ? make("p", { className: "time" }, time) : null, sure, why);
    return [sheetFace(this.app.source, film.faceOf(index)), text].filter(Boolean);
  }

  // Returns whether the key means something here.
  key(event) {
    const { player } = this;
    const acts = {
      " ": () => player.toggle(), k: () => player.toggle(),
      ArrowLeft: () => player.seek(this.film.begins(player.frame) - (event.shiftKey ? 10 : 1)),
      ArrowRight: () => player.seek(this.film.begins(player.frame) + (event.shiftKey ? 10 : 1)),
      ",": () => player.step(-1), ".": () => player.step(1),
      n: () => this.jump(1), p: () => this.jump(-1),
      u: () => this.setUnknown(!this.unknownShown), b: () => this.setBoxes(!player.boxesShown),
      m: () => player.setMuted(!player.video.muted), f: () => player.fullScreen(),
      "+": () => this.lanes.setZoom(this.lanes.zoom * 1.6), "-": () => this.lanes.setZoom(this.lanes.zoom / 1.6),
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    act?.();
    return Boolean(act);
  }

  setDark(dark) {
    this.lanes.dark = dark;
    this.lanes.patterns = null;
    this.lanes.draw();
  }
}

export const KEYS = [
  [["Space"], "play or pause"],
  [["N"], "next appearance"],
  [["P"], "previous appearance"],
  [["←", "→"], "a second back or on; with Shift, ten"],
  [[",", "."], "a frame back or on"],
  [["U"], "unknown people on or off"],
  [["B"], "boxes and names on or off"],
  [["M"], "sound on or off"],
  [["F"], "full screen"],
  [["+", "-"], "lanes larger or smaller"],
  [["?"], "these keys"],
];
