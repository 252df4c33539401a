// Films and long work: films brought in and looked at, the recognizer trained, with progress, and what went wrong.
import { make } from "../modules/elements.js";
import { lengthOfTime } from "../modules/text.js";
import { button, head, refill, Status } from "./forms.js";
import { JobList } from "./job_list.js";

export class JobsView {
  constructor(app, { client, base, films, embedding }) {
    Object.assign(this, { app, client, base, embedding });
    this.status = new Status();
    this.films = make("ul", { className: "rows", attributes: { "aria-label": "Films" } });
    this.jobs = new JobList(client, base);
    const train = button("Train the recognizer", () => this.begin("train", {}));
    this.element = make("article", { className: "jobs-view" }, head("Films and work", "Films, pictures and jobs of the project."), this.status.element,
      make("section", { className: "card" }, make("h2", {}, "Films"), films.element, this.films),
      make("section", { className: "card" }, make("div", { className: "list-head" }, make("h2", {}, "Work"), train), this.jobs.element));
    this.load();
  }

  async load() {
    await this.status.doing(async () => {
      const videos = await this.client.all(`${this.base}/videos`);
      refill(this.films, videos.map((video) => this.film(video)));
      await this.jobs.load();
    });
  }

  film(video) {
    const title = video.state === "named" ? this.app.link({ film: video.id }, make("bdi", {}, video.name)) : make("bdi", {}, video.name);
    const acts = video.state === "skipped" ? null : make("div", { className: "acts" },
      button(video.state === "new" ? "Name the people in it" : "Name again", () => this.begin("film", { videos: [video.name.split("/").at(-1)] }), { id: `facelib-film-${video.id}`, ariaDescription: video.name }),
      video.state === "named" ? button("Embed…", () => this.embedding.askAbout(video), { ariaLabel: `Embed ${video.name}` }) : null);
    return make("li", {}, make("div", {}, title, make("p", { className: "facts" }, this.facts(video)), video.problem ? make("p", { className: "notice" }, video.problem) : null), acts);
  }

  facts(video) {
    if (video.state === "new") return "not searched yet";
    if (video.state === "skipped") return "not a film";
    return `${lengthOfTime(video.duration)}, ${video.people.length ? video.people.join(", ") : "nobody in the cast"}`;
  }

  async begin(kind, parameters) {
    await this.status.doing(async () => {
      await this.client.ask("POST", `${this.base}/jobs`, { kind, parameters });
      await this.load();
    });
  }

  changed() {
    return this.load();
  }

  close() {}
}
