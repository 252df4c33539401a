// Who is on screen when, over all films: search, screen time, and who appears with whom.
import { unpack } from "./unpack.js";

// The stretches of one person in each film: { film, start, end, confidence, face }.
export class Appearances {
  constructor(project) {
    this.people = project.people;
    this.films = project.films;
    this.byFilm = project.films.map((film) => this.read(film));
  }

  read(film) {
    const { stretches } = film;
    const [person, start, end] = [unpack(stretches.person), unpack(stretches.start), unpack(stretches.end)];
    const [confidence, face] = [unpack(stretches.confidence), unpack(stretches.face)];
    const rows = new Map();
    for (let i = 0; i < person.length; i += 1) {
      if (!rows.has(person[i])) rows.set(person[i], []);
      rows.get(person[i]).push({ film, start: start[i], end: end[i], confidence: confidence[i], face: face[i] });
    }
    return rows;
  }

  // All stretches of a person by its place among the people, film after film.
  of(person) {
    return this.byFilm.flatMap((rows) => rows.get(person) ?? []);
  }

  seconds(person) {
    return total(this.of(person));
  }

  filmsOf(person) {
    return this.films.filter((_, i) => this.byFilm[i].has(person));
  }

  // Who is in a film, longest on screen first: [person, seconds].
  cast(film) {
    const rows = this.byFilm[this.films.indexOf(film)];
    return [...rows].map(([person, own]) => [person, total(own)]).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  }

  // The moments at which all of `wanted` are on screen and none of `unwanted`: { film, start, end }.
  search(wanted, unwanted) {
    if (!wanted.length) return [];
    return this.films.flatMap((film, i) => {
      const rows = this.byFilm[i];
      let spans = joined(rows.get(wanted[0]) ?? []);
      for (const person of wanted.slice(1)) spans = overlap(spans, joined(rows.get(person) ?? []));
      for (const person of unwanted) spans = without(spans, joined(rows.get(person) ?? []));
      return spans.map(({ start, end }) => ({ film, start, end }));
    });
  }

  // Pairs that are on screen at once, longest first: { one, other, seconds, times }. Films are never mixed.
  pairs(counts = () => true, film = null) {
    const found = new Map();
    for (const [i, rows] of this.byFilm.entries()) {
      if (film && this.films[i] !== film) continue;
      const people = [...rows.keys()].filter(counts).sort((a, b) => a - b);
      const spans = new Map(people.map((person) => [person, joined(rows.get(person))]));
      for (const [place, one] of people.entries()) {
        for (const other of people.slice(place + 1)) {
          const shared = overlap(spans.get(one), spans.get(other));
          if (!shared.length) continue;
          const key = `${one} ${other}`;
          const pair = found.get(key) ?? { one, other, seconds: 0, times: 0 };
          found.set(key, { ...pair, seconds: pair.seconds + total(shared), times: pair.times + shared.length });
        }
      }
    }
    return [...found.values()].sort((a, b) => b.seconds - a.seconds || a.one - b.one || a.other - b.other);
  }
}

export function total(spans) {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0);
}

// Spans by start, with those that touch or overlap made one.
function joined(spans) {
  const result = [];
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    const open = result.at(-1);
    if (open && start <= open.end) open.end = Math.max(open.end, end);
    else result.push({ start, end });
  }
  return result;
}

function overlap(some, others) {
  const result = [];
  for (let i = 0, j = 0; i < some.length && j < others.length; ) {
    const [start, end] = [Math.max(some[i].start, others[j].start), Math.min(some[i].end, others[j].end)];
    if (start < end) result.push({ start, end });
    if (some[i].end < others[j].end) i += 1;
    else j += 1;
  }
  return result;
}

function without(spans, taken) {
  const result = [];
  for (const span of spans) {
    let { start } = span;
    for (const other of taken) {
      if (other.end <= start || other.start >= span.end) continue;
      if (other.start > start) result.push({ start, end: other.start });
      start = other.end;
    }
    if (start < span.end) result.push({ start, end: span.end });
  }
  return result;
}
