// Boxes and labels on a canvas over the film. A label has a ground of its own and stands where it covers no face.
import { freePlace } from "./free_place.js";
import { colourOf, drawSymbol } from "./marks.js";

const GROUND = "rgba(14, 17, 21, 0.84)";

// `marks` are boxes in pixels of the film with their look; `scale` is canvas pixels a pixel of the film.
export function drawMarks(canvas, marks, scale, width, height) {
  const dense = globalThis.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * dense), Math.round(height * dense)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d");
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.clearRect(0, 0, width, height);
  const boxes = marks.map((mark) => scaled(mark, scale));
  for (const [i, box] of boxes.entries()) drawBox(context, box, marks[i].look, width);
  placeLabels(context, boxes, marks, width, height);
}

function scaled({ left, top, right, bottom }, scale) {
  return { x: left * scale, y: top * scale, w: (right - left) * scale, h: (bottom - top) * scale };
}

function drawBox(context, { x, y, w, h }, look, width) {
  const line = Math.max(1.5, Math.min(3, width / 420));
  const radius = Math.min(6, w / 8);
  context.beginPath();
  context.roundRect(x, y, w, h, radius);
  context.setLineDash([]);
  context.strokeStyle = "rgba(0, 0, 0, 0.55)";
  context.lineWidth = line + 2;
  context.stroke();
  context.setLineDash(look.faint ? [2 * line, 2 * line] : []);
  context.strokeStyle = colourOf(look.person, true);
  context.lineWidth = line;
  context.stroke();
  context.setLineDash([]);
}

function placeLabels(context, boxes, marks, width, height) {
  const size = Math.max(11, Math.min(16, width / 62));
  context.font = `600 ${size}px "Open Sans", "Noto Sans", system-ui, sans-serif`;
  context.textBaseline = "middle";
  const taken = [...boxes];
  for (const [i, box] of boxes.entries()) {
    const { label, person } = marks[i].look;
    if (!label) continue;
    const text = fitted(context, label, Math.max(90, width / 3));
    const w = context.measureText(text).width + size * 2.1;
    const place = freePlace(box, w, size * 1.65, taken, width, height);
    taken.push(place);
    drawLabel(context, place, text, person, size);
  }
}

function fitted(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let letters = [...text];
  while (letters.length > 1 && context.measureText(`${letters.join("")}…`).width > room) letters = letters.slice(0, -1);
  return `${letters.join("")}…`;
}

function drawLabel(context, { x, y, w, h }, text, person, size) {
  const colour = colourOf(person, true);
  context.fillStyle = GROUND;
  context.beginPath();
  context.roundRect(x, y, w, h, 4);
  context.fill();
  drawSymbol(context, person, x + size * 0.9, y + h / 2, size * 0.8, colour);
  context.fillStyle = "#fff";
  context.fillText(text, x + size * 1.6, y + h / 2 + 0.5);
}
