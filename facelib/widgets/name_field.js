// A field for a person's name, the same in every widget: known names are completed as one types, Enter takes the
// highlighted one, and a new person is a row of its own, which has to be chosen.

const plainName = (name) => name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim().replace(/\s+/g, " ");

// The known names of which a word begins as typed, then those that hold it.
function completedNames(typed, known) {
  const text = plainName(typed);
  const rank = (name) => (plainName(name).startsWith(text) ? 0 : ` ${plainName(name)}`.includes(` ${text}`) ? 1 : 2);
  return known.filter((name) => plainName(name).includes(text)).sort((one, other) => rank(one) - rank(other));
}

// `take(name, isNew)` is called with the choice. `near`: names that may be meant; then nothing is typed.
function nameField({ known, allowNew, take, guarded, near = [], typed = "" }) {
  const list = make("ul", { id: `names-${Math.random().toString(36).slice(2)}`, className: "names", attributes: { role: "listbox", "aria-label": "Known names" } });
  const input = make("input", {
    type: "text",
    value: typed,
    readOnly: near.length > 0,
    placeholder: "a name; ↓ for the known ones",
    attributes: { role: "combobox", "aria-label": "Name", "aria-autocomplete": "list", "aria-expanded": "true", "aria-controls": list.id, autocomplete: "off", spellcheck: "false" },
  });
  let at = -1;
  let rows = [];

  const show = () => {
    const name = input.value.trim();
    const found = near.length ? near : completedNames(name, known()).slice(0, 50);
    rows = found.map((person) => ({ person, isNew: false, text: person }));
    if (allowNew && name && !known().includes(name)) rows.push({ person: name, isNew: true, text: `New person '${name}'` });
    at = name && found.length ? 0 : -1;
    draw();
  };
  const draw = () => {
    list.replaceChildren(
      ...rows.map((row, index) =>
        make("li", {
          textContent: row.text,
          id: `${list.id}-${index}`,
          className: row.isNew ? "new" : "",
          attributes: { role: "option", "aria-selected": String(index === at) },
          onmousedown: guarded((event) => (event.preventDefault(), take(row.person, row.isNew))),
        }),
      ),
      ...(rows.length || !input.value.trim() ? [] : [make("li", { textContent: "No known name is like this.", className: "none", attributes: { role: "option", "aria-disabled": "true", "aria-selected": "false" } })]),
    );
    if (at >= 0) input.setAttribute("aria-activedescendant", `${list.id}-${at}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  // Without a highlighted row Enter only goes to the first one: nobody new is made by typing alone.
  const submit = () => {
    if (at >= 0) take(rows[at].person, rows[at].isNew);
    else if (rows.length && input.value.trim()) (at = 0), draw();
    input.focus();
  };
  const onKey = guarded((event) => {
    if (event.key === "Enter" && event.target.tagName !== "BUTTON") submit();
    else if (event.target === input && (event.key === "ArrowDown" || event.key === "ArrowUp"))
      (at = Math.max(-1, Math.min(rows.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))), draw();
    else return;
    event.preventDefault();
  });
  input.addEventListener("input", guarded(show));
  show();
  return { input, list, submit, onKey };
}
