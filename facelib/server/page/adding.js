// Pictures and films brought in by dropping them on the page, one after the other, each with what went wrong with it.
import { make } from "../modules/elements.js";
import { isolated } from "../modules/isolated.js";
import { count, percent } from "../modules/text.js";
import { DropPlace } from "./drop_place.js";
import { Status } from "./forms.js";
import { uploadFile } from "./upload.js";

const AT_ONCE = 3;
const PICTURE = /\.(jpe?g|jfif|png|webp|gif|bmp|tiff?|avif|hei[cf])$/i;

// Where pictures are dropped: for one person, or, without one, for the people after whom their folders are named. The
// views of a project share it, so that it goes on when another view is opened.
export class PicturesIn {
  constructor(client, base, person = "") {
    this.status = new Status();
    this.refused = make("ul", { className: "rows", attributes: { "aria-label": "Pictures that were not taken" } });
    const ondrop = (files) => this.status.doing(() => addPictures(client, base, files, { person, status: this.status, refused: this.refused }));
    const text = person ? ["Drop pictures of ", make("bdi", {}, person), " here."] : "Drop a folder of pictures for each person here; the folder's name is the person's.";
    this.element = make("div", { className: "adding" }, new DropPlace(text, { accept: "image/*", folders: !person, files: Boolean(person), ondrop }).element, this.status.element, this.refused);
  }
}

// Where films are dropped; each is uploaded with a bar, and named at once unless the box is cleared.
export class FilmsIn {
  constructor(client, base, added) {
    Object.assign(this, { client, base, added, queue: [], working: false });
    this.named = make("input", { type: "checkbox", checked: true });
    this.rows = make("ul", { className: "rows", attributes: { "aria-label": "Films being uploaded" } });
    const place = new DropPlace("Drop films here.", { accept: "video/*,.mkv,.mxf,.ts", ondrop: (files) => this.add(files) });
    this.element = make("div", { className: "adding" }, place.element, make("label", { className: "check" }, this.named, make("span", {}, "Name the people in them at once")), this.rows);
    globalThis.addEventListener("beforeunload", (event) => { if (this.working) event.preventDefault(); });
  }

  async add(files) {
    for (const file of files) {
      const bar = make("progress", { max: 1, value: 0, attributes: { "aria-label": `Upload of ${file.name}` } });
      const text = make("p", { className: "facts", attributes: { role: "status" } }, "waiting");
      const row = make("li", {}, make("div", {}, make("p", {}, make("bdi", {}, file.name)), bar, text));
      this.rows.append(row);
      this.queue.push({ file, bar, text, row });
    }
    if (this.working) return;
    this.working = true;
    for (let next = this.queue.shift(); next; next = this.queue.shift()) await this.upload(next);
    this.working = false;
  }

  async upload({ file, bar, text, row }) {
    try {
      const place = await uploadFile(this.client, this.base, file, (share) => {
        bar.value = share;
        text.textContent = share < 1 ? `${percent(share)} sent` : "being checked";
      });
      const name = (await this.client.get(place)).file.replace(/^videos\//, "");
      if (this.named.checked) await this.client.ask("POST", `${this.base}/jobs`, { kind: "film", parameters: { videos: [name] } });
      row.remove();
      this.added();
    } catch (error) {
      bar.remove();
      text.className = "notice";
      text.textContent = isolated(error.message);
    }
  }
}

async function addPictures(client, base, files, { person, status, refused }) {
  const pictures = files.filter(({ name, type }) => type.startsWith("image/") || PICTURE.test(name));
  const left = person ? [] : pictures.filter(({ folder }) => !folder);
  if (left.length) throw new Error(`${left[0].name} lies in no folder: drop a folder for each person, named after the person, or open a person and drop pictures there.`);
  if (!pictures.length) throw new Error("There is no picture among these files.");
  const cast = person ? null : await makePeople(client, base, [...new Set(pictures.map(({ folder }) => folder))]);
  const queue = [...pictures];
  let [done, added] = [0, 0];
  refused.replaceChildren();
  const work = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) {
      const body = new FormData();
      body.append("picture", file);
      try {
        const owner = encodeURIComponent(person || cast.get(file.folder));
        const kept = await client.ask("POST", `${base}/people/${owner}/pictures`, body);
        if (kept.new) added += 1;
      } catch (error) {
        if (![409, 413, 415, 422].includes(error.status)) throw error;
        refused.append(make("li", { className: "notice" }, make("div", {}, make("bdi", {}, file.name), `: ${error.message}`)));
      }
      done += 1;
      status.say(`${done} of ${count(pictures.length, "picture")} checked.`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const known = pictures.length - added - refused.childElementCount;
  status.say(`Added ${count(added, "picture")}${known ? `; ${known} were there already` : ""}.`);
  return added;
}

// The people named, made where they are not of the cast yet: a map from each name given to the one in the project.
async function makePeople(client, base, names) {
  const cast = new Map((await client.all(`${base}/people`)).map(({ name }) => [name, name]));
  for (const name of names.filter((one) => !cast.has(one))) {
    try {
      cast.set(name, (await client.ask("POST", `${base}/people`, { name, even_if_near: true })).name);
    } catch (error) {
      const same = error.problem?.near?.find(({ likeness }) => likeness === "same");
      if (!same) throw error;
      cast.set(name, same.name);
    }
  }
  return cast;
}
