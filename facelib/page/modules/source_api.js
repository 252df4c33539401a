// The page's data from a server's API, and its films by byte ranges. The functions are those of the source of files.

export class ApiSource {
  // `get(address)` asks the server for JSON; `base` is the address of the project in the API, with a slash at its end.
  constructor(get, base) {
    Object.assign(this, { get, base });
  }

  project() {
    return this.get(`${this.base}page`);
  }

  film(entry) {
    return this.get(this.base + entry.data);
  }

  // Fails with what is wrong with a film that the project's page leaves out.
  async refuse(id) {
    await this.get(`${this.base}videos/${encodeURIComponent(id)}/page`).catch((error) => {
      if (error.status !== 404) throw error;
    });
  }

  async url(path) {
    return this.base + path;
  }
}
