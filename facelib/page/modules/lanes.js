// Who is on screen when: a lane a person, drawn on one canvas. Only what is in view is drawn, so that a film of
// thousands of tracks scrolls as smoothly as one of ten; the scrolling is the browser's own.
import { make } from "./elements.js";
import { colourOf, faceOf, patternOf, shownName, symbolOf } from "./marks.js";
import { clockTime, lengthOfTime } from "./text.js";

const AXIS = 28;
const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

export class Lanes {
  // `rows` are lanes from the top: { label, person, stretches, seconds }; `on` is told of what the user does:
  // seek(seconds), choose(row), toggle(row, shown), hover(row, stretch, seconds, event), leave().
  constructor(film, on) {
    Object.assign(this, { film, on, rows: [], zoom: 1, labels: new Map(), dark: false });
    this.canvas = make("canvas", { className: "lanes-canvas" });
    this.list = make("div", { className: "lanes-labels", attributes: { role: "list", "aria-label": "People in this film" } });
    this.head = make("div", { className: "lanes-head" });
    this.playhead = make("div", { className: "playhead" });
    this.space = make("div", { className: "lanes-space" }, this.canvas, this.playhead, this.list, this.head);
    this.scroller = make("div", { className: "lanes-scroll", tabIndex: 0, attributes: { role: "region", "aria-label": "Lanes of people over the film's time. Use N and P for the next and previous appearance." } }, this.space);
    this.element = this.scroller;
    this.listen();
  }

  listen() {
    const { scroller } = this;
    scroller.addEventListener("scroll", () => this.later(), { passive: true });
    scroller.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.on.leave());
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.resizing = new ResizeObserver(() => this.layOut());
    this.resizing.observe(scroller);
  }

  close() {
    this.resizing.disconnect();
  }

  setRows(rows) {
    this.rows = rows;
    for (const element of this.labels.values()) element.remove();
    this.labels.clear();
    this.layOut();
  }

  // New stretches for the same rows: the labels stay.
  refresh() {
    for (const [place, element] of this.labels) element.update(this.rows[place]);
    this.later();
  }

  setZoom(zoom, around = null) {
    const { scroller } = this;
    const middle = around ?? this.timeAt(this.labelWidth + this.room / 2);
    const offset = this.xOf(middle) - scroller.scrollLeft;
    this.zoom = Math.max(1, Math.min(this.maximum, zoom));
    this.layOut();
    scroller.scrollLeft = this.xOf(middle) - offset;
    this.on.zoom?.(this.zoom);
  }

  // So far that a second is 120 pixels wide.
  get maximum() {
    return Math.max(2, (120 * this.film.end) / Math.max(200, this.room));
  }

  layOut() {
    const { scroller } = this;
    if (!scroller.clientWidth) return;
    this.narrow = scroller.clientWidth < 640;
    scroller.classList.toggle("narrow", this.narrow);
    this.labelWidth = this.narrow ? 0 : Math.round(Math.min(300, Math.max(240, scroller.clientWidth * 0.26)));
    this.rowHeight = this.narrow ? 58 : 34;
    this.room = Math.max(100, scroller.clientWidth - this.labelWidth - 16);
    this.list.style.width = `${this.narrow ? scroller.clientWidth : this.labelWidth}px`;
    this.head.style.width = `${this.labelWidth}px`;
    this.space.style.width = `${this.labelWidth + this.room * this.zoom + 16}px`;
    const height = AXIS + this.rows.length * this.rowHeight;
    this.space.style.height = `${height}px`;
    for (const [place, element] of this.labels) this.put(element, place);
    this.showTime(this.seconds ?? 0);
    this.draw();
  }

  xOf(seconds) {
    return this.labelWidth + (seconds / this.film.end) * this.room * this.zoom;
  }

  // The time under an x of the view.
  timeAt(x) {
    const place = x + this.scroller.scrollLeft - this.labelWidth;
    return Math.max(0, Math.min(this.film.end, (place / (this.room * this.zoom)) * this.film.end));
  }

  showTime(seconds, follow = false) {
    this.seconds = seconds;
    const x = this.xOf(seconds);
    this.playhead.style.transform = `translateX(${x}px)`;
    if (!follow || this.zoom === 1) return;
    const [from, to] = [this.scroller.scrollLeft + this.labelWidth, this.scroller.scrollLeft + this.scroller.clientWidth];
    if (x < from || x > to - 24) this.scroller.scrollLeft = x - this.labelWidth - this.room * 0.1;
  }

  later() {
    this.pending ??= requestAnimationFrame(() => {
      this.pending = null;
      this.draw();
    });
  }

  draw() {
    const { scroller, canvas } = this;
    const [width, height] = [scroller.clientWidth, Math.min(scroller.clientHeight, AXIS + this.rows.length * this.rowHeight)];
    if (!width || !height) return;
    const dense = globalThis.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * dense), Math.round(height * dense)];
    if (canvas.width !== wide || canvas.height !== high) {
      Object.assign(canvas, { width: wide, height: high });
      Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
      this.patterns = new Map();
    }
    const context = canvas.getContext("2d");
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(scroller);
    const tone = (name) => style.getPropertyValue(name);
    const top = scroller.scrollTop;
    const from = Math.max(0, Math.floor(top / this.rowHeight));
    const to = Math.min(this.rows.length, Math.ceil((top + height - AXIS) / this.rowHeight));
    context.save();
    context.beginPath();
    context.rect(0, AXIS, width, height);
    context.clip();
    this.drawCuts(context, tone("--line-faint"), width, height);
    for (let place = from; place < to; place += 1) {
      const y = AXIS + place * this.rowHeight - top;
      context.fillStyle = tone("--line-faint");
      context.fillRect(0, y + this.rowHeight - 1, width, 1);
      this.drawLane(context, this.rows[place], y, width);
    }
    context.restore();
    this.drawAxis(context, tone, width);
    this.showLabels(from, to);
  }

  // All bars of a lane are one path: drawing each alone would take most of the time of a frame.
  drawLane(context, row, y, width) {
    const { person } = row;
    const [top, high] = this.narrow ? [y + 36, 14] : [y + 8, this.rowHeight - 17];
    const path = new Path2D();
    for (const [x, w] of this.barsOf(row.stretches, width)) {
      if (w > 5) path.roundRect(x, top, w, high, 3);
      else path.rect(x, top, w, high);
    }
    const shown = row.shown ? 1 : 0.25;
    context.globalAlpha = person.kind === "cast" ? shown : 0.45 * shown;
    context.fillStyle = colourOf(person, this.dark);
    context.fill(path);
    const pattern = this.pattern(context, person);
    if (pattern) {
      context.fillStyle = pattern;
      context.fill(path);
    }
    context.globalAlpha = shown;
    context.strokeStyle = this.dark ? "rgba(0, 0, 0, 0.35)" : "rgba(0, 0, 0, 0.38)";
    context.lineWidth = 1;
    context.stroke(path);
    context.globalAlpha = 1;
  }

  // Where the bars in view begin and how wide they are; what lies closer than a pixel is one bar.
  barsOf(stretches, width) {
    const bars = [];
    const scale = (this.room * this.zoom) / this.film.end;
    const zero = this.labelWidth - this.scroller.scrollLeft;
    const end = this.timeAt(width);
    let i = firstAfter(stretches, this.timeAt(this.labelWidth));
    while (i < stretches.length && stretches[i].start < end) {
      const left = Math.max(-20, zero + stretches[i].start * scale);
      let right = zero + stretches[i].end * scale;
      for (i += 1; i < stretches.length && zero + stretches[i].start * scale - right < 1; i += 1) {
        right = Math.max(right, zero + stretches[i].end * scale);
      }
      bars.push([left, Math.max(2, Math.min(right, width + 20) - left)]);
    }
    return bars;
  }

  pattern(context, person) {
    const key = `${person.symbol} ${person.colour} ${this.dark}`;
    this.patterns ??= new Map();
    if (!this.patterns.has(key)) this.patterns.set(key, patternOf(context, person, this.dark));
    return this.patterns.get(key);
  }

  drawCuts(context, colour, width, height) {
    const { cuts, times, end } = this.film;
    if ((cuts.length * 6) / this.zoom > this.room) return;
    context.fillStyle = colour;
    for (const frame of cuts) {
      const x = this.xOf(times[frame]) - this.scroller.scrollLeft;
      if (frame && x >= this.labelWidth && x <= width && times[frame] < end) context.fillRect(Math.round(x), AXIS, 1, height);
    }
  }

  drawAxis(context, tone, width) {
    const second = (this.room * this.zoom) / this.film.end;
    const step = STEPS.find((one) => one * second > 70) ?? STEPS.at(-1);
    context.fillStyle = tone("--surface");
    context.fillRect(0, 0, width, AXIS);
    context.fillStyle = tone("--line");
    context.fillRect(0, AXIS - 1, width, 1);
    context.font = '12px "Open Sans", "Noto Sans", system-ui, sans-serif';
    context.textBaseline = "middle";
    const [begin, end] = [this.timeAt(this.labelWidth), this.timeAt(width)];
    for (let i = Math.ceil(begin / step); i * step <= end + 1e-9; i += 1) {
      const x = this.xOf(i * step) - this.scroller.scrollLeft;
      const text = clockTime(i * step, step < 1 ? 1 : 0);
      const wide = context.measureText(text).width;
      context.fillStyle = tone("--line");
      context.fillRect(Math.round(x), AXIS - 7, 1, 6);
      context.fillStyle = tone("--soft");
      const least = this.labelWidth + 2 - this.scroller.scrollLeft;
      const left = Math.max(least, Math.min(x - wide / 2, this.xOf(this.film.end) - this.scroller.scrollLeft + 14 - wide));
      if (left >= this.labelWidth) context.fillText(text, left, AXIS / 2 - 2);
    }
  }

  // The labels of the lanes in view, and no others.
  showLabels(from, to) {
    for (const [place, element] of this.labels) {
      if (place >= from && place < to) continue;
      if (element.contains(document.activeElement)) continue;
      element.remove();
      this.labels.delete(place);
    }
    for (let place = from; place < to; place += 1) {
      if (this.labels.has(place)) continue;
      const element = this.makeLabel(this.rows[place], place);
      this.labels.set(place, element);
      this.put(element, place);
      const next = [...this.labels].filter(([other]) => other > place).sort((a, b) => a[0] - b[0])[0];
      this.list.insertBefore(element, next ? next[1] : null);
    }
  }

  put(element, place) {
    Object.assign(element.style, { top: `${AXIS + place * this.rowHeight}px`, height: `${this.narrow ? 34 : this.rowHeight - 1}px` });
  }

  makeLabel(row, place) {
    const name = shownName(row.person);
    const box = make("input", { type: "checkbox", checked: row.shown, attributes: { "aria-label": `Show ${name}` } });
    box.addEventListener("change", () => this.on.toggle(this.rows[place], box.checked));
    const choose = make("button", { type: "button", className: "lane-name", title: `Appearances of ${name}`, onclick: () => this.on.choose(this.rows[place]) }, symbolOf(row.person), faceOf(row.person, "face small"), make("bdi", { className: "lane-text" }, name));
    const seconds = make("span", { className: "lane-seconds" });
    const attributes = { role: "listitem", "aria-setsize": this.rows.length, "aria-posinset": place + 1 };
    const element = make("div", { className: "lane-label", attributes }, box, choose, seconds);
    element.update = (now) => {
      box.checked = now.shown;
      seconds.textContent = lengthOfTime(now.seconds);
      choose.setAttribute("aria-pressed", String(now.chosen));
      element.classList.toggle("chosen", now.chosen);
      element.classList.toggle("off", !now.shown);
    };
    element.update(row);
    return element;
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const x = event.clientX - this.scroller.getBoundingClientRect().left;
    this.setZoom(this.zoom * Math.exp(-event.deltaY / 240), this.timeAt(x));
  }

  hit(event) {
    const area = this.scroller.getBoundingClientRect();
    const [x, y] = [event.clientX - area.left, event.clientY - area.top];
    const row = y < AXIS ? undefined : this.rows[Math.floor((y - AXIS + this.scroller.scrollTop) / this.rowHeight)];
    const seconds = this.timeAt(x);
    const near = (3 / (this.room * this.zoom)) * this.film.end;
    const stretch = row?.stretches[firstAfter(row.stretches, seconds - near)];
    return { seconds, row, stretch: stretch && stretch.start <= seconds + near ? stretch : undefined };
  }

  point(event) {
    const { seconds, row, stretch } = this.hit(event);
    this.canvas.style.cursor = stretch ? "pointer" : "default";
    if (row && stretch) this.on.hover(row, stretch, seconds, event);
    else this.on.leave();
  }

  click(event) {
    const { seconds, row, stretch } = this.hit(event);
    // Beside a bar that is too narrow to be hit, its own beginning is meant.
    this.on.seek(stretch ? Math.max(stretch.start, Math.min(seconds, stretch.end - 1e-3)) : seconds, Boolean(row));
  }
}

// The place of the first stretch that ends after a time; stretches of one person follow one another.
function firstAfter(stretches, seconds) {
  let [low, high] = [0, stretches.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (stretches[middle].end <= seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}
