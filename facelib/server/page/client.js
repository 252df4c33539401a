// Questions to the server's API. What goes wrong is an ApiError with the problem document that the server answered.

// Where the server stands below its host: nothing, or the path that a proxy gives it. This module is at ROOT/assets/server.
export const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
export const API = `${ROOT}/api/v1`;

export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `the server answered ${status}`);
    Object.assign(this, { status, problem });
  }
}

export class Client {
  // `onstranger` is called when the log-in has ended meanwhile: after its time, or in another tab.
  constructor() {
    Object.assign(this, { csrf: "", onstranger: () => {} });
    this.get = (address) => this.ask("GET", address);
  }

  // Who is logged in; null for nobody.
  async session() {
    try {
      const session = await this.get("/session");
      this.csrf = session.csrf ?? "";
      return session;
    } catch (error) {
      if (error.status === 401) return null;
      throw error;
    }
  }

  async logIn(words) {
    const session = await this.ask("POST", "/session", words);
    this.csrf = session.csrf ?? "";
    return session;
  }

  // An address is one of the API, as it stands behind /api/v1, or whole.
  async ask(method, address, body, signal) {
    const isForm = body instanceof FormData;
    const headers = { Accept: "application/json" };
    if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
    if (method !== "GET") headers["X-CSRF-Token"] = this.csrf;
    const sent = body === undefined || isForm ? body : JSON.stringify(body);
    const answer = await this.fetch(address.startsWith(API) ? address : API + address, { method, headers, body: sent, signal, credentials: "same-origin" });
    if (answer.status === 204) return null;
    const document = await answer.json().catch(() => ({}));
    if (answer.status === 401 && (address !== "/session" || method === "DELETE")) this.onstranger();
    if (!answer.ok) throw new ApiError(answer.status, document);
    return document;
  }

  async fetch(address, options) {
    try {
      return await fetch(address, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(0, { detail: "The server does not answer; is it running?" });
    }
  }

  // All items of a list that comes in pages.
  async all(address) {
    const items = [];
    for (let offset = 0; offset !== null; ) {
      const page = await this.get(`${address}${address.includes("?") ? "&" : "?"}offset=${offset}&limit=500`);
      items.push(...page.items);
      offset = page.next_offset;
    }
    return items;
  }
}

export function projectAddress(name) {
  return `/projects/${encodeURIComponent(name)}`;
}
