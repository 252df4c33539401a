// How people are drawn: a colour, a symbol, and a pattern that goes with the symbol. The same person is drawn alike in
// all films and on all pages, and two people differ in more than colour.
import { make } from "./elements.js";
import { drawing } from "./icons.js";

// The library's colours are made for a white ground; these stand in for them on a dark one and on films.
const ON_DARK = {
  "#0072B2": "#4AA8E8",
  "#E69F00": "#F2B13C",
  "#009E73": "#34C99C",
  "#D55E00": "#FF8A45",
  "#CC79A7": "#E8A3C8",
  "#56B4E9": "#8FD3F8",
  "#1A1A1A": "#F2F2F2",
  "#F0E442": "#F4EA6A",
  "#6A6A6A": "#A3A8AD",
};

export const UNKNOWN = { name: "unknown", kind: "unknown", colour: "#6A6A6A", symbol: "circle", picture: "" };

export function colourOf(person, dark) {
  return dark ? ON_DARK[person.colour] ?? person.colour : person.colour;
}

// The symbols as outlines in a square of 20, drawn alike as SVG and on a canvas.
const SYMBOLS = {
  circle: "M10 2a8 8 0 1 0 0 16a8 8 0 1 0 0-16z",
  square: "M3 3h14v14H3z",
  diamond: "M10 1l9 9l-9 9l-9-9z",
  "triangle-up": "M10 2l9 16H1z",
  cross: "M7 2h6v5h5v6h-5v5H7v-5H2V7h5z",
  "triangle-down": "M1 2h18l-9 16z",
  star: "M10 1l2.7 6.1l6.6.6l-5 4.4l1.5 6.5L10 15.2l-5.8 3.4l1.5-6.5l-5-4.4l6.6-.6z",
  x: "M5 2l5 5l5-5l3 3l-5 5l5 5l-3 3l-5-5l-5 5l-3-3l5-5l-5-5z",
};
const OPEN = "M10 2.5a7.5 7.5 0 1 0 0 15a7.5 7.5 0 1 0 0-15z"; // a ring: nobody in the cast

export function symbolOf(person) {
  const known = person.kind === "cast";
  const shape = { d: known ? SYMBOLS[person.symbol] ?? SYMBOLS.circle : OPEN };
  const mark = drawing("0 0 20 20", [["path", shape]], known ? "mark" : "mark open");
  mark.style.setProperty("--mark", person.colour);
  mark.style.setProperty("--mark-dark", colourOf(person, true));
  return mark;
}

// Draw a person's symbol on a canvas, as high as `size`, its middle at x, y.
export function drawSymbol(context, person, x, y, size, colour) {
  const known = person.kind === "cast";
  context.save();
  context.translate(x - size / 2, y - size / 2);
  context.scale(size / 20, size / 20);
  const path = new Path2D(known ? SYMBOLS[person.symbol] ?? SYMBOLS.circle : OPEN);
  if (known) {
    context.fillStyle = colour;
    context.fill(path);
  } else {
    context.strokeStyle = colour;
    context.lineWidth = 3.5;
    context.stroke(path);
  }
  context.restore();
}

// A tile of 8 by 8 pixels for each symbol: the lines that are laid over a person's bars.
const LINES = {
  circle: "",
  square: "M-1 9L9-1M-3 3L3-3M5 11L11 5",
  diamond: "M-1-1L9 9M-3 5L3 11M5-3L11 3",
  "triangle-up": "M4 0V8",
  cross: "M0 4H8M4 0V8",
  "triangle-down": "M0 4H8",
  star: "M-1 9L9-1M-1-1L9 9",
  x: "M1 2h3M5 6h3",
};

export function patternOf(context, person, dark) {
  const lines = LINES[person.symbol];
  if (!lines || person.kind !== "cast") return null;
  const tile = new OffscreenCanvas(8, 8);
  const pen = tile.getContext("2d");
  pen.strokeStyle = dark === (person.colour === "#1A1A1A") ? "rgba(0, 0, 0, 0.5)" : "rgba(255, 255, 255, 0.6)";
  if (dark) pen.strokeStyle = "rgba(0, 0, 0, 0.45)";
  pen.lineWidth = 1.4;
  pen.stroke(new Path2D(lines));
  return context.createPattern(tile, "repeat");
}

// A person's face, or the first letters of the name where there is no picture.
export function faceOf(person, className = "face") {
  if (person.picture) return make("img", { className, src: person.picture, alt: "", draggable: false });
  const letters = [...person.name].filter((_, i, all) => i === 0 || all[i - 1] === " ").slice(0, 2).join("");
  return make("span", { className: `${className} letters`, attributes: { "aria-hidden": "true" } }, letters);
}

// Symbol and name, as they stand together everywhere.
export function nameOf(person) {
  return make("span", { className: "name" }, symbolOf(person), make("bdi", {}, shownName(person)));
}

export function shownName(person) {
  return person.kind === "unknown" ? "unknown" : person.name;
}
