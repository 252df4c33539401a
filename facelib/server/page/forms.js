// Parts of forms: fields with labels, buttons, and a place for what was done or went wrong.
import { make } from "../modules/elements.js";
import { isolated } from "../modules/isolated.js";

let fields = 0;

// A labelled field that must be filled in; `kind` is the input's type.
export function field(text, { kind = "text", value = "", ...properties } = {}, attributes = {}) {
  fields += 1;
  const input = make("input", { type: kind, value, id: `facelib-field-${fields}`, ...properties, attributes: { required: "", ...attributes } });
  return { input, element: make("div", { className: "field" }, make("label", { htmlFor: input.id }, text), input) };
}

export function choice(text, options, value = "") {
  fields += 1;
  const select = make("select", { id: `facelib-field-${fields}` }, ...options.map(([one, shown]) => make("option", { value: one, selected: one === value }, shown)));
  return { input: select, element: make("div", { className: "field" }, make("label", { htmlFor: select.id }, text), select) };
}

export function button(text, onclick, properties = {}) {
  return make("button", { type: "button", onclick, ...properties }, text);
}

// A picture of a face; where it cannot be read, a dash stands in its place.
export function picture(className, src, alt = "") {
  const image = make("img", { className, src, alt, loading: "lazy" });
  image.addEventListener("error", () => image.replaceWith(make("span", { className: `face ${className} letters`, title: alt }, "–")));
  return image;
}

const WAIT = "One moment …";
const PATIENCE = 500; // milliseconds without an answer, after which that is said

// A line that tells what was done, or what went wrong, to eyes and ears.
export class Status {
  constructor() {
    this.element = make("p", { className: "status", attributes: { role: "status" } });
  }

  say(text) {
    this.element.classList.remove("failed");
    this.element.textContent = isolated(text);
  }

  fail(error) {
    this.element.classList.add("failed");
    this.element.textContent = isolated(error.message);
  }

  // Do something that may take a while and may fail; returns what it does, or undefined when it failed.
  async doing(act) {
    const late = setTimeout(() => this.element.textContent || this.say(WAIT), PATIENCE);
    try {
      return await act();
    } catch (error) {
      this.fail(error);
      return undefined;
    } finally {
      clearTimeout(late);
      if (this.element.textContent === WAIT) this.say("");
    }
  }
}

export function head(title, text, ...more) {
  return make("header", { className: "view-head" }, make("h1", { tabIndex: -1 }, title), make("p", { className: "facts" }, text), ...more);
}

// A form whose submission does something instead of leaving the page.
export function form(label, onsubmit, ...content) {
  const element = make("form", { className: "form card", attributes: { "aria-label": label } }, ...content);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    onsubmit();
  });
  return element;
}

// Put other elements into a list; whoever stood on a control with an id stands on it again.
export function refill(list, elements) {
  const stood = list.contains(document.activeElement) ? document.activeElement.id : "";
  list.replaceChildren(...elements);
  if (stood) document.getElementById(stood)?.focus();
}
