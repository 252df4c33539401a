// The page's data from a notebook's kernel, by questions and answers; films are played from Jupyter's own files where
// they lie below its folder. The functions are those of the source of files.

export class KernelSource {
  constructor(model) {
    Object.assign(this, { model, waiting: new Map(), number: 0, urls: new Map() });
    this.listener = (message, buffers) => this.take(message, buffers);
    model.on("msg:custom", this.listener);
  }

  project() {
    return this.ask({ ask: "project" }).then(({ value }) => value);
  }

  film(entry) {
    return this.ask({ ask: "film", id: entry.id }).then(({ value }) => value);
  }

  // An address of Jupyter's, or of a copy of the file in the browser's memory.
  url(path) {
    if (!this.urls.has(path)) this.urls.set(path, this.ask({ ask: "url", path }).then((answer) => this.address(answer)));
    return this.urls.get(path);
  }

  address({ below, kind, buffers }) {
    if (below !== undefined) return `${jupyterAddress()}files/${below}`;
    return URL.createObjectURL(new Blob(buffers, { type: kind }));
  }

  ask(question) {
    this.number += 1;
    const number = this.number;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.model.send({ ...question, number });
    });
  }

  take(message, buffers) {
    const asked = this.waiting.get(message.number);
    this.waiting.delete(message.number);
    if (message.error) asked?.reject(new Error(message.error));
    else asked?.resolve({ ...message, buffers });
  }

  close() {
    this.model.off("msg:custom", this.listener);
  }
}

function jupyterAddress() {
  try {
    return JSON.parse(document.getElementById("jupyter-config-data").textContent).baseUrl;
  } catch {
    return "/";
  }
}
