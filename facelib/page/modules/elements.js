// Elements of the page. Text from users is always set as text, never as markup.

import { isolated } from "./isolated.js";

// make("button", { className: "main", attributes: { "aria-pressed": "true" }, onclick }, "Play")
export function make(kind, properties = {}, ...children) {
  const { attributes = {}, ...rest } = properties;
  for (const seen of ["textContent", "title"]) if (seen in rest) rest[seen] = isolated(rest[seen]);
  const element = Object.assign(document.createElement(kind), rest);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined).map(isolated));
  return element;
}
