// What the widgets' pages are made with; it stands before each one's own script.

function make(kind, properties = {}, ...children) {
  const { attributes = {}, ...rest } = properties;
  for (const seen of ["textContent", "title"]) if (seen in rest) rest[seen] = isolated(rest[seen]);
  const element = Object.assign(document.createElement(kind), rest);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.map(isolated));
  return element;
}

// A text whose names of files break where their parts end, not within the last letters.
function breakable(text) {
  return text.split(/(?<=[_/])/).flatMap((part) => [part, make("wbr")]);
}

// A table of keys and what they do; "…" stands between two keys.
function tableOfKeys(rows) {
  const cap = (key) => (key === "…" ? " … " : make("kbd", { textContent: key }));
  return make("table", {}, ...rows.map(([keys, text]) => make("tr", {}, make("td", {}, ...keys.map(cap)), make("td", { textContent: text }))));
}

// Put the focus into a dialog, and show all of it, its title too, wherever the page is scrolled to.
function enterDialog(dialog, element) {
  element.focus({ preventScroll: true });
  dialog.scrollIntoView({ block: "nearest" });
}
