// Where the label of a box stands: where it covers no box and no other label, as long as there is such a place.

// Above the box, else below, beside, and then further up. `taken` are the boxes and the labels that stand already, all
// `{ x, y, w, h }`; `gap` is left between box and label.
export function freePlace(box, w, h, taken, width, height, gap = 3) {
  const right = box.x + box.w;
  const rows = [box.y - h - gap, box.y + box.h + gap];
  const places = [
    ...rows.flatMap((y) => [[box.x, y], [right - w, y]]),
    [right + gap, box.y], [box.x - w - gap, box.y], [right + gap, box.y + box.h - h], [box.x - w - gap, box.y + box.h - h],
    [box.x, rows[0] - h - gap], [box.x, rows[1] + h + gap],
  ].map(([x, y]) => ({ x: Math.max(0, Math.min(width - w, x)), y, w, h }));
  const inside = places.filter(({ y }) => y >= 0 && y + h <= height);
  const costs = inside.map((place) => taken.reduce((sum, other) => sum + shared(place, other), 0));
  const best = costs.indexOf(Math.min(...costs));
  return inside[best] ?? { x: Math.max(0, Math.min(width - w, box.x)), y: 0, w, h };
}

function shared(one, other) {
  const w = Math.min(one.x + one.w, other.x + other.w) - Math.max(one.x, other.x);
  const h = Math.min(one.y + one.h, other.y + other.h) - Math.max(one.y, other.y);
  return w > 0 && h > 0 ? w * h : 0;
}
