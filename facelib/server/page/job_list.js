// The jobs of a project: what each is at, what it left to look at, what went wrong with it, and how it is stopped.
import { make } from "../modules/elements.js";
import { lengthOfTime } from "../modules/text.js";
import { API } from "./client.js";
import { button, refill, Status } from "./forms.js";

const WORDS = { gather: "Bring in pictures and films", train: "Train the recognizer", map: "Map the faces", film: "Name the people in", evaluate: "Measure errors", network: "Train a network", run: "Run notebooks" };
const STATES = { queued: "waits for its turn", running: "running", done: "done", failed: "failed", cancelled: "cancelled", "set aside": "set aside" };
const STOPPED = new Set(["failed", "cancelled", "set aside"]);

export class JobList {
  constructor(client, base) {
    Object.assign(this, { client, base });
    this.status = new Status();
    this.list = make("ul", { className: "rows", attributes: { "aria-label": "Work" } });
    this.element = make("div", {}, this.status.element, this.list);
  }

  async load() {
    await this.status.doing(async () => {
      const { items } = await this.client.get(`${this.base}/jobs?limit=50`);
      refill(this.list, items.length ? items.map((job) => this.row(job)) : [make("li", { className: "facts" }, "No jobs yet.")]);
    });
  }

  row(job) {
    const films = job.kind === "run" ? job.steps.join(", ") : (job.parameters.videos ?? []).join(", ");
    const running = job.state === "running";
    const bar = running ? make("progress", { max: 1, value: job.progress, attributes: { "aria-label": `${WORDS[job.kind]} ${films}` } }) : null;
    const left = running && job.left !== null ? `, ${lengthOfTime(job.left)} left` : "";
    return make("li", {},
      make("div", {}, make("p", {}, `${WORDS[job.kind]} `, make("bdi", {}, films), ` – ${STATES[job.state]}${left}`), bar,
        job.doing && (running || STOPPED.has(job.state)) ? make("p", { className: "facts" }, running ? job.doing : `Stopped at: ${job.doing}`) : null,
        job.reason ? make("p", { className: "notice" }, job.reason.replace(/^(ValueError|OSError|FileNotFoundError): /, "")) : null, this.made(job)),
      this.act(job));
  }

  // The executed notebooks and their reports.
  made(job) {
    if (!job.stages.length) return null;
    const links = job.stages.flatMap(({ name, run }) => ["html", "ipynb"].map((kind) => make("a", {
      href: `${API}${this.base}/reports/${encodeURIComponent(run)}/${encodeURIComponent(name)}.${kind}`, target: "_blank", rel: "noopener",
    }, kind === "html" ? `Report ${name}` : "notebook")));
    return make("p", { className: "facts links" }, ...links);
  }

  act(job) {
    const what = job.state === "queued" || job.state === "running" ? ["Cancel", "cancel"] : job.state === "done" ? null : ["Begin again", "retry"];
    if (!what) return null;
    const ask = () => this.status.doing(async () => {
      await this.client.ask("POST", `${this.base}/jobs/${job.id}/${what[1]}`);
      await this.load();
    });
    return button(what[0], ask, { id: `facelib-job-${job.id}`, ariaLabel: `${what[0]}: ${WORDS[job.kind]}, number ${job.id}` });
  }
}
