// Where the page's data come from. Every source has the same three functions:
//   project()   all people and films, as `ProjectData` in facelib/page/project.py
//   film(entry) one film, as `FilmData` in facelib/page/film.py
//   url(path)   an address that the browser can load, for a path relative to the project's output folder
// This one reads files beside the page. Browsers refuse `fetch` from file://, but they load classic scripts, and each
// of these calls `facelibData(key, value)`.

export class FileSource {
  constructor() {
    this.waiting = new Map();
    globalThis.facelibData = (key, value) => this.waiting.get(key)?.(value);
  }

  project() {
    return this.load("project", `page/project.js?${Date.now()}`);
  }

  film(entry) {
    return this.load(`film ${entry.id}`, `${entry.data}?${entry.version}`);
  }

  async url(path) {
    return path;
  }

  load(key, path) {
    return new Promise((resolve, reject) => {
      this.waiting.set(key, resolve);
      const script = document.createElement("script");
      script.src = path;
      script.onload = () => reject(new Error(`expected the data of ${key} in ${path}, got another file`));
      script.onerror = () => reject(new Error(`expected a file at ${path}; write the page again: facelib page`));
      document.head.append(script);
    });
  }
}
