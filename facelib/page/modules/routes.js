// What is shown is a few words: { film, t } or { person } or { view: "search", with: [...], without: [...] }; {} is the
// first page. A router keeps them and tells of changes; a page of its own keeps them behind its address's #.

const LISTS = ["with", "without"];

export class HashRouter {
  constructor() {
    this.listeners = [];
    this.ownsPage = true; // keys pressed anywhere and the scrolling of the whole page are this page's
    globalThis.addEventListener("hashchange", () => this.tell());
  }

  get state() {
    return readWords(globalThis.location.hash.slice(1));
  }

  href(state) {
    return `#${writeWords(state)}`;
  }

  go(state) {
    globalThis.location.hash = writeWords(state);
  }

  // Change the address alone: what is on the page has changed already.
  note(state) {
    globalThis.history.replaceState(null, "", this.href(state));
  }

  tell() {
    for (const listener of this.listeners) listener(this.state);
  }
}

// For a page inside a page, whose address is not its own.
export class MemoryRouter {
  constructor(state = {}) {
    this.state = state;
    this.listeners = [];
    this.ownsPage = false;
  }

  href(state) {
    return `#${writeWords(state)}`;
  }

  go(state) {
    this.state = state;
    for (const listener of this.listeners) listener(state);
  }

  note(state) {
    this.state = state;
  }
}

function readWords(text) {
  const words = new URLSearchParams(text);
  const state = Object.fromEntries([...words].filter(([name]) => !LISTS.includes(name)));
  for (const name of LISTS) if (words.has(name)) state[name] = words.getAll(name);
  return state;
}

function writeWords(state) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    for (const one of Array.isArray(value) ? value : [value]) words.append(name, one);
  }
  return words.toString();
}
