// The page that the server serves: the log-in, the projects, and a project with all that only a server can do.
import { App } from "../modules/app.js";
import { make } from "../modules/elements.js";
import { HashRouter } from "../modules/routes.js";
import { ApiSource } from "../modules/source_api.js";
import { Theme } from "../modules/theme.js";
import { FilmsIn, PicturesIn } from "./adding.js";
import { API, Client, projectAddress, ROOT } from "./client.js";
import { Correcting } from "./correcting.js";
import { Embedding } from "./embedding.js";
import { FacesView } from "./faces_view.js";
import { FirstView, NoNamesYet } from "./first_view.js";
import { button } from "./forms.js";
import { GalleryView } from "./gallery_view.js";
import { JobsView } from "./jobs_view.js";
import { loginView } from "./login_view.js";
import { projectsView } from "./projects_view.js";
import { ReviewView } from "./review_view.js";
import { SettingsView } from "./settings_view.js";
import { UnknownsView } from "./unknowns_view.js";

const root = document.getElementById("facelib-page");
const client = new Client();
const VIEWS = { review: ReviewView, gallery: GalleryView, unknowns: UnknownsView, faces: FacesView, jobs: JobsView, settings: SettingsView };
const OF_NAMES = { review: "Review", unknowns: "Unknown people" };
const PAGES = [["Review", { view: "review" }], ["Unknown", { view: "unknowns" }], ["Gallery", { view: "gallery" }], ["Who is this?", { view: "faces" }], ["Work", { view: "jobs" }], ["Settings", { view: "settings" }]];

function logOut() {
  return button("Log out", async () => {
    await client.ask("DELETE", "/session");
    globalThis.location.assign(`${ROOT}/`);
  });
}

function plainBar(theme, ...tools) {
  return make("header", { className: "bar" }, make("a", { className: "project-name", href: `${ROOT}/` }, "facelib"), make("nav", { attributes: { "aria-label": "Pages" } }), make("div", { className: "bar-tools" }, theme.button, ...tools));
}

function showAlone(view, ...tools) {
  root.classList.add("facelib-page");
  root.replaceChildren(plainBar(new Theme(root, () => {}), ...tools), make("main", { className: "main" }, view));
}

function showProject(name, session) {
  const base = projectAddress(name);
  let app;
  const correcting = new Correcting(client, base, (text) => changed(["tracks"], text));
  const films = new FilmsIn(client, base, () => changed(["job"]));
  const means = { client, base, correcting, session, films, pictures: new PicturesIn(client, base), embedding: new Embedding(client, base) };
  const views = Object.fromEntries(Object.entries(VIEWS).map(([view, View]) => [view, (own) => (view in OF_NAMES && !own.project.films.length ? new NoNamesYet(own, OF_NAMES[view]) : new View(own, means))]));
  const home = (own) => (own.project.films.length ? null : new FirstView(own, means));
  const correct = (film, index) => button("Correct", () => correcting.askAbout(film.page.id, film.track[index]).catch((error) => app.fail(error)), { className: "correct-button" });
  const projects = make("a", { className: "to-projects", href: `${ROOT}/` }, "Projects");
  app = new App(root, new ApiSource(client.get, `${API}${base}/`), new HashRouter(), { pages: PAGES, views, home, correct, tools: [projects, logOut()] });
  root.app = app;
  root.append(correcting.dialog, means.embedding.dialog);
  app.ontitle = (title) => { document.title = title && title !== name ? `${title} – ${name}` : name; };

  // Told of what changed here or elsewhere. How far a job is changes no name; its end may.
  async function refresh(kinds, text) {
    const names = kinds.some((kind) => kind !== "job");
    if (names || app.view instanceof JobsView || app.view instanceof FirstView) await app.view?.changed?.(text);
    if (!names) return;
    await app.reload();
    if (app.view instanceof FirstView && app.project.films.length) await app.show(app.router.state);
  }
  // Where the server is away meanwhile, the next change tells of this one too.
  function changed(kinds, text) {
    refresh(kinds, text).catch(() => {});
  }
  app.start().then(() => (app.project ? follow(name, changed) : root.prepend(plainBar(app.theme))));
}

// What anybody changes, told by the server as it happens, gathered for a moment; the browser connects again by itself.
function follow(name, changed) {
  const events = new EventSource(`${API}/events?project=${encodeURIComponent(name)}`);
  const kinds = new Set();
  let waiting = 0;
  const tell = (kind) => {
    kinds.add(kind);
    waiting ||= setTimeout(() => {
      const told = [...kinds];
      kinds.clear();
      waiting = 0;
      changed(told);
    }, 150);
  };
  for (const kind of ["tracks", "people", "film", "recognizer"]) events.addEventListener(kind, () => tell(kind));
  // Closed for good: most likely the log-in has ended, which the next question tells.
  events.addEventListener("error", () => { if (events.readyState === EventSource.CLOSED) client.get("/projects?limit=1").catch(() => {}); });
  events.addEventListener("job", ({ data }) => tell(JSON.parse(data).state === "done" ? "film" : "job"));
  globalThis.addEventListener("pagehide", () => events.close());
}

async function start() {
  const session = await client.session();
  if (!session) {
    document.title = "Log in – facelib";
    showAlone(loginView(client, () => start()));
    return;
  }
  client.onstranger = () => globalThis.location.reload();
  const [, place, name] = globalThis.location.pathname.slice(ROOT.length).split("/");
  if (place === "projects" && name) showProject(decodeURIComponent(name), session);
  else {
    document.title = "Projects – facelib";
    showAlone(projectsView(client, session), logOut());
  }
}

start().catch((error) => showAlone(make("p", { className: "failure", attributes: { role: "alert" } }, error.message)));
