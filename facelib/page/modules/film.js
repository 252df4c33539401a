// One film: its frame times, tracks and boxes. Frames are counted from 0, times are seconds.
import { unpack } from "./unpack.js";

export class Film {
  constructor(page) {
    this.page = page;
    this.labels = page.labels;
    this.times = frameTimes(page.times);
    this.end = page.times.end;
    const { tracks, keys } = page;
    this.first = unpack(tracks.first);
    this.last = unpack(tracks.last);
    this.label = unpack(tracks.label);
    this.confidence = unpack(tracks.confidence);
    this.reason = unpack(tracks.reason);
    this.track = unpack(tracks.track);
    this.offsets = unpack(keys.offsets);
    this.keyFrames = sums(unpack(keys.frames), 1);
    this.keyBoxes = sums(unpack(keys.boxes), 4);
    this.cuts = unpack(page.cuts);
  }

  get duration() {
    return this.end;
  }

  // The frame on screen at a time.
  frameAt(seconds) {
    return Math.max(0, upperBound(this.times, seconds + 1e-6) - 1);
  }

  // The frame that a player means by the time it tells of a frame, which it may have rounded.
  nearestFrame(seconds) {
    const after = Math.min(upperBound(this.times, seconds), this.times.length - 1);
    const before = Math.max(0, after - 1);
    return seconds - this.times[before] <= this.times[after] - seconds ? before : after;
  }

  // When a frame comes on screen; one behind the last is when that leaves it.
  begins(frame) {
    return frame < this.times.length ? this.times[frame] : this.end;
  }

  // Where to send a player to see a frame: its middle, for players round.
  seekTime(frame) {
    return (this.begins(frame) + this.begins(frame + 1)) / 2;
  }

  reasonOf(index) {
    return this.page.tracks.reasons[this.reason[index]] ?? "";
  }

  // The boxes in a frame, in pixels of the film; `index` is the track's place among the film's tracks.
  boxesAt(frame) {
    const found = [];
    const behind = upperBound(this.first, frame);
    for (let index = 0; index < behind; index += 1) {
      if (this.last[index] < frame) continue;
      const box = this.boxOf(index, frame);
      if (box) found.push(box);
    }
    return found;
  }

  boxOf(index, frame) {
    const [from, to] = [this.offsets[index], this.offsets[index + 1]];
    let key = from;
    for (let step = to - from; step > 0; ) {
      const half = step >> 1;
      if (this.keyFrames[key + half] >> 1 <= frame) {
        key += half + 1;
        step -= half + 1;
      } else step = half;
    }
    key -= 1;
    if (key < from) return null;
    const start = this.keyFrames[key] >> 1;
    const ends = this.keyFrames[key] & 1;
    if (start !== frame && (ends || key + 1 >= to)) return null;
    let share = 0;
    if (start !== frame) {
      const [a, b] = [this.times[start], this.times[this.keyFrames[key + 1] >> 1]];
      share = (this.times[frame] - a) / (b - a);
    }
    const [left, top, right, bottom] = [0, 1, 2, 3].map((side) => this.side(key, side, share));
    return { index, left, top, right, bottom };
  }

  side(key, side, share) {
    const value = this.keyBoxes[4 * key + side];
    const next = share ? this.keyBoxes[4 * (key + 1) + side] : value;
    return (value + share * (next - value)) * this.page.keys.unit;
  }

  // Where the face of a track lies: its sheet's address, and its place there.
  faceOf(index) {
    const { folder, tile, columns } = this.page.sheets;
    return { ...sheetPlace(index, columns), tile, columns, address: (sheet) => `${folder}faces-${sheet}.jpg` };
  }

  // For each label its stretches on screen, by start. `counts(index)` says which tracks do.
  stretches(counts = () => true) {
    const rows = this.labels.map(() => []);
    for (let index = 0; index < this.first.length; index += 1) {
      if (!counts(index)) continue;
      const own = rows[this.label[index]];
      const open = own.at(-1);
      if (open && this.times[this.first[index]] - this.times[open.last] <= this.page.longest_gap) {
        open.last = Math.max(open.last, this.last[index]);
        open.tracks.push(index);
      } else own.push({ first: this.first[index], last: this.last[index], tracks: [index] });
    }
    for (const stretch of rows.flat()) this.complete(stretch);
    return rows;
  }

  complete(stretch) {
    stretch.start = this.begins(stretch.first);
    stretch.end = this.begins(stretch.last + 1);
    let [sum, weights] = [0, 0];
    for (const index of stretch.tracks) {
      const weight = this.times[this.last[index]] - this.times[this.first[index]] + 1e-3;
      sum += weight * this.confidence[index];
      weights += weight;
    }
    stretch.confidence = sum / weights;
  }
}

// Where a face lies among the sheets of square pictures: the sheet's number, column and row.
export function sheetPlace(index, columns) {
  const each = columns * columns;
  return { sheet: Math.floor(index / each), column: index % columns, row: Math.floor((index % each) / columns) };
}

// The numbers of which differences were kept, each to the one `width` places before; a typed array's end comes round.
function sums(numbers, width) {
  for (let i = width; i < numbers.length; i += 1) numbers[i] += numbers[i - width];
  return numbers;
}

function frameTimes({ start, count: frames, steps }) {
  const times = new Float64Array(frames);
  const microseconds = unpack(steps);
  let sum = 0;
  for (let i = 0; i < frames; i += 1) {
    times[i] = start + sum / 1e6;
    sum += microseconds[i] ?? 0;
  }
  return times;
}

// How many numbers of a sorted array are not above a value.
export function upperBound(numbers, value) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
