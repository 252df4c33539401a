// Pictures drawn with lines, and buttons that show one.

import { make } from "./elements.js";

// A picture drawn with lines: `shapes` are pairs of an SVG element's name and its attributes.
export function drawing(viewBox, shapes, className = "icon") {
  const SVG = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox, class: className, "aria-hidden": "true", focusable: "false" })) {
    svg.setAttribute(name, value);
  }
  for (const [name, attributes] of shapes) {
    const shape = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    svg.append(shape);
  }
  return svg;
}

const ICONS = {
  play: "M7 4v16l13-8z",
  pause: "M6 4h4v16H6zM14 4h4v16h-4z",
  next: "M5 5v14l9-7zM15 5h3v14h-3z",
  previous: "M19 5v14l-9-7zM6 5h3v14H6z",
  forward: "M8 5l8 7-8 7z",
  back: "M16 5l-8 7 8 7z",
  sound: "M4 9v6h4l5 5V4L8 9zM16 8.5a5 5 0 0 1 0 7M18.5 6a8.5 8.5 0 0 1 0 12",
  silent: "M4 9v6h4l5 5V4L8 9zM16.5 9.5l5 5M21.5 9.5l-5 5",
  whole: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  light: "M12 7a5 5 0 1 0 0 10a5 5 0 0 0 0-10zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
  keys: "M3 7h18v11H3zM6.5 10.5h.01M10 10.5h.01M13.5 10.5h.01M17.5 10.5h.01M8 14.5h8",
};
const FILLED = new Set(["play", "pause", "next", "previous", "forward", "back"]);

export function icon(name) {
  return drawing("0 0 24 24", [["path", { d: ICONS[name] }]], FILLED.has(name) ? "icon filled" : "icon");
}

export function iconButton(name, label, onclick, key = "") {
  const attributes = { "aria-label": label, title: key ? `${label} (${key})` : label };
  if (key) attributes["aria-keyshortcuts"] = key;
  return make("button", { type: "button", className: "icon-button", attributes, onclick }, icon(name));
}
