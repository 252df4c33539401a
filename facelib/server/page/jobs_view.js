// Films and long work: films brought in and looked at, the recognizer trained, with progress, and what went wrong.
import { make } from "../modules/elements.js";
import { lengthOfTime } from "../modules/text.js";
import { button, head, Status } from "./forms.js";
import { uploadFile } from "./upload.js";

export class JobsView {
  constructor(app, { client, base }) {
    Object.assign(this, { app, client, base });
    this.status = new Status();
    this.films = make("ul", { className: "rows" });
    this.jobs = make("ul", { className: "rows" });
    const file = make("input", { type: "file", multiple: true, attributes: { accept: "video/*,.mkv,.mxf,.ts", "aria-label": "Add films" } });
    file.addEventListener("change", () => this.upload([...file.files]));
    const train = button("Train the recognizer", () => this.begin("train", {}));
    this.element = make("article", { className: "jobs-view" }, head("Films and work", "What was brought in, and what the server is doing."),
      make("div", { className: "card tools" }, make("label", { className: "upload" }, "Add films ", file), train), this.status.element,
      make("section", { className: "card" }, make("h2", {}, "Films"), this.films),
      make("section", { className: "card" }, make("h2", {}, "Work"), this.jobs));
    this.load();
  }

  async load() {
    await this.status.doing(async () => {
      const [videos, jobs] = await Promise.all([this.client.all(`${this.base}/videos`), this.client.get(`${this.base}/jobs?limit=50`)]);
      this.films.replaceChildren(...videos.map((video) => this.film(video)));
      this.jobs.replaceChildren(...(jobs.items.length ? jobs.items.map((job) => this.job(job)) : [make("li", { className: "facts" }, "Nothing was begun yet.")]));
    });
  }

  film(video) {
    const title = video.state === "named" ? this.app.link({ film: video.id }, make("bdi", {}, video.name)) : make("bdi", {}, video.name);
    const facts = video.state === "named" ? `${lengthOfTime(video.duration)}, ${video.people.length ? video.people.join(", ") : "nobody of the cast"}` : video.state === "new" ? "not looked at yet" : "not a film";
    const look = video.state === "skipped" ? null : button(video.state === "new" ? "Name the people in it" : "Name again", () => this.begin("film", { videos: [video.name.split("/").at(-1)] }));
    return make("li", {}, make("div", {}, title, make("p", { className: "facts" }, facts), video.problem ? make("p", { className: "notice" }, video.problem) : null), look);
  }

  job(job) {
    const films = (job.parameters.videos ?? []).join(", ");
    const running = job.state === "queued" || job.state === "running";
    const bar = job.state === "running" ? make("progress", { max: 1, value: job.progress, attributes: { "aria-label": `${job.kind} ${films}` } }) : null;
    const left = job.state === "running" && job.left !== null ? `, ${lengthOfTime(job.left)} left` : "";
    const act = running ? button("Cancel", () => this.act(job, "cancel")) : job.state === "done" ? null : button("Begin again", () => this.act(job, "retry"));
    return make("li", {}, make("div", {}, make("p", {}, `${job.kind} `, make("bdi", {}, films), ` – ${job.state}${left}`), bar,
      job.doing ? make("p", { className: "facts" }, job.doing) : null, job.reason ? make("p", { className: "notice" }, job.reason) : null), act);
  }

  async begin(kind, parameters) {
    await this.status.doing(async () => {
      await this.client.ask("POST", `${this.base}/jobs`, { kind, parameters });
      await this.load();
    });
  }

  async act(job, what) {
    await this.status.doing(async () => {
      await this.client.ask("POST", `${this.base}/jobs/${job.id}/${what}`);
      await this.load();
    });
  }

  async upload(files) {
    await this.status.doing(async () => {
      for (const file of files) await uploadFile(this.client, this.base, file, (share) => this.status.say(`${file.name}: ${Math.floor(100 * share)} %`));
      this.status.say("Added. Name the people in it when the cast has pictures.");
      await this.load();
    });
  }

  changed() {
    this.load();
  }

  close() {}
}
