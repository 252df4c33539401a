// The page: a bar on top, and below it one view at a time.
import { make } from "./elements.js";
import { Film } from "./film.js";
import { FilesView } from "./files_view.js";
import { FilmView, KEYS } from "./film_view.js";
import { HomeView } from "./home_view.js";
import { iconButton } from "./icons.js";
import { PersonView } from "./person_view.js";
import { SearchView } from "./search_view.js";
import { Appearances } from "./spans.js";
import { Theme } from "./theme.js";
import { TogetherView } from "./together_view.js";

export class App {
  // `own` is what a page has beside the views that every source can show: further `pages` for the bar, with their
  // `views` by name, a `home` where the usual one would be empty, `tools` for the bar's end, and `correct(film, index)`,
  // an element that stands beside a track.
  constructor(root, source, router, own = {}) {
    Object.assign(this, { root, source, router, own, films: new Map(), opened: 0 });
    root.classList.add("facelib-page");
    this.theme = new Theme(root, () => this.themeChanged());
    this.main = make(router.ownsPage ? "main" : "div", { className: "main" }); // a page has one main part, and one banner
    this.keysDialog = this.makeKeys();
    root.replaceChildren(this.main, this.keysDialog);
    (router.ownsPage ? document : root).addEventListener("keydown", (event) => this.key(event));
    router.listeners.push((state) => this.show(state));
  }

  async start() {
    try {
      this.project = await this.source.project();
    } catch (error) {
      this.fail(error);
      return;
    }
    this.appearances = new Appearances(this.project);
    this.bar = this.makeBar();
    this.root.prepend(this.bar);
    await this.show(this.router.state);
  }

  get dark() {
    return this.theme.dark;
  }

  makeBar() {
    const pages = [["Overview", {}], ["Search", { view: "search" }], ["Who with whom", { view: "together" }], ["Files", { view: "files" }], ...(this.own.pages ?? [])];
    this.pageLinks = pages.map(([text, state]) => {
      const link = this.link(state, text);
      link.state = state;
      return link;
    });
    const home = this.link({}, make("bdi", {}, this.project.name));
    home.className = "project-name";
    const tools = make("div", { className: "bar-tools" }, iconButton("keys", "Keys", () => this.keysDialog.showModal(), "?"), this.theme.button, ...(this.own.tools ?? []));
    return make(this.router.ownsPage ? "header" : "div", { className: "bar" }, home, make("nav", { attributes: { "aria-label": "Pages" } }, ...this.pageLinks), tools);
  }

  makeKeys() {
    const rows = KEYS.map(([keys, text]) => make("tr", {}, make("td", {}, ...keys.map((key) => make("kbd", {}, key))), make("td", {}, text)));
    const close = make("button", { type: "button", onclick: () => this.keysDialog.close() }, "Close");
    return make("dialog", { className: "keys", attributes: { "aria-label": "Keys" } }, make("h2", {}, "Keys, with a film open"), make("table", {}, make("tbody", {}, ...rows)), close);
  }

  // A link to a view; it works by mouse, keyboard and "open in a new tab".
  link(state, ...content) {
    const link = make("a", { href: this.router.href(state) }, ...content);
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.router.go(state);
    });
    return link;
  }

  // A link to a file of the project.
  fileLink(text, path) {
    const link = make("a", { target: "_blank", rel: "noopener" }, make("bdi", {}, text));
    this.source.url(path).then((url) => { link.href = url; }, () => {});
    return link;
  }

  film(entry) {
    if (!this.films.has(entry.id)) this.films.set(entry.id, this.source.film(entry).then((page) => new Film(page)));
    return this.films.get(entry.id);
  }

  async show(state) {
    this.opened += 1;
    const turn = this.opened;
    const filmId = state.view ? undefined : state.film ?? (state.t === undefined ? undefined : this.project.films[0]?.id);
    if (filmId !== undefined && this.view?.film?.page.id === filmId) {
      this.view.open(Number(state.t) || 0, Boolean(state.play));
      return;
    }
    try {
      const view = filmId === undefined ? this.makeView(state) : await this.openFilm(filmId);
      if (turn !== this.opened) return view.close();
      this.replace(view, state);
      if (filmId !== undefined) await view.open(Number(state.t) || 0, Boolean(state.play));
    } catch (error) {
      this.fail(error);
    }
  }

  // Read everything again: names have changed. A film that is open goes on where it is.
  async reload() {
    const project = await this.source.project();
    this.project = project;
    this.appearances = new Appearances(project);
    this.films.clear();
    if (this.view?.film) {
      const entry = project.films.find(({ id }) => id === this.view.film.page.id);
      if (entry) this.view.adopt(await this.film(entry));
    } else if (!this.view?.changed) await this.show(this.router.state);
  }

  makeView(state) {
    const own = this.own.views?.[state.view];
    if (own) return own(this);
    if (state.person !== undefined) return new PersonView(this, state.person);
    if (state.view === "search") return new SearchView(this, state);
    if (state.view === "together") return new TogetherView(this, state.film);
    if (state.view === "files") return new FilesView(this);
    return this.own.home?.(this) ?? new HomeView(this);
  }

  async openFilm(id) {
    const entry = this.project.films.find((film) => film.id === id);
    if (entry) return new FilmView(this, await this.film(entry));
    await this.source.refuse?.(id); // a server says why it is not among them
    throw new Error(`expected one of the project's films, got "${id}"`);
  }

  replace(view, state) {
    const first = !this.view;
    this.view?.close();
    this.view = view;
    this.main.replaceChildren(view.element);
    for (const link of this.pageLinks) {
      const own = link.state.view === state.view && state.person === undefined && (state.film === undefined || state.view) && state.t === undefined;
      if (own) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    // Whoever follows a link by keyboard or ear lands at the new page's heading.
    if (!first) {
      this.root.scrollIntoView({ block: "nearest" });
      if (this.router.ownsPage) globalThis.scrollTo(0, 0);
      view.element.querySelector("h1")?.focus({ preventScroll: true });
    }
    this.ontitle?.(view.element.querySelector("h1")?.textContent ?? "");
  }

  fail(error) {
    this.main.replaceChildren(make("p", { className: "failure", attributes: { role: "alert" } }, error.message));
  }

  themeChanged() {
    this.view?.setDark?.(this.dark);
    if (this.view && !this.view.setDark) this.show(this.router.state);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.keysDialog.open) return;
    if (event.key === "?") {
      this.keysDialog.showModal();
      event.preventDefault();
      return;
    }
    if (keepsKey(event.target, event.key) || !this.view?.key) return;
    if (this.view.key(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }
}

// Fields, sliders, buttons and what scrolls have a use for some keys of their own.
function keepsKey(target, key) {
  const kind = target.type ?? "";
  if (target.matches("select, textarea") || kind === "text") return true;
  if (kind === "range") return key.startsWith("Arrow");
  if (key === " ") return target.matches("button, a, input, summary");
  return key.startsWith("Arrow") && target.matches(".lanes-scroll");
}
