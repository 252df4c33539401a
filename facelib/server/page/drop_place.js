// A place to drop files and folders on, which can be chosen by a click or the keyboard as well.
import { make } from "../modules/elements.js";

export class DropPlace {
  // `ondrop(files)` gets files; each has `folder`, the name of the folder that it lay in, empty for none.
  constructor(text, { accept, folders = false, files = true, ondrop }) {
    this.ondrop = ondrop;
    const buttons = [files ? this.chooser("Choose files", { accept }) : [], folders ? this.chooser("Choose a folder", { webkitdirectory: "" }) : []];
    this.element = make("div", { className: "drop-place" }, make("p", {}, ...[text].flat()), make("div", { className: "acts" }, ...buttons.flat()));
    for (const kind of ["dragenter", "dragover"]) this.element.addEventListener(kind, (event) => this.over(event));
    for (const kind of ["dragleave", "drop"]) this.element.addEventListener(kind, () => this.element.classList.remove("over"));
    this.element.addEventListener("drop", (event) => this.drop(event));
  }

  chooser(text, attributes) {
    const input = make("input", { type: "file", multiple: true, hidden: true, tabIndex: -1, attributes: { ...attributes, "aria-label": text } });
    input.addEventListener("change", () => {
      const files = [...input.files].map((file) => withFolder(file, file.webkitRelativePath));
      input.value = ""; // the same file can be chosen again
      if (files.length) this.ondrop(files);
    });
    return [make("button", { type: "button", onclick: () => input.click() }, text), input];
  }

  over(event) {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.element.classList.add("over");
  }

  async drop(event) {
    event.preventDefault();
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean);
    const files = (await Promise.all(entries.map((entry) => filesOf(entry)))).flat();
    if (files.length) this.ondrop(files);
  }
}

async function filesOf(entry) {
  if (entry instanceof File) return [withFolder(entry, entry.name)];
  if (entry.isFile) return [withFolder(await new Promise((resolve, reject) => { entry.file(resolve, reject); }), entry.fullPath)];
  const reader = entry.createReader();
  const found = [];
  for (;;) { // a browser tells of 100 entries at a time
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return (await Promise.all(found.map((one) => filesOf(one)))).flat();
    found.push(...some);
  }
}

function withFolder(file, path) {
  return Object.assign(file, { folder: path.split("/").at(-2) ?? "" });
}
