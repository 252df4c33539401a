// The panel of a widget that is worked with by keys: what it asks of Python, its dialogs, and how it follows Python.
// `back(opener)` puts the focus where it belongs once a dialog has been closed, `handleKey(event)` says whether it took
// a key.

function makePanel({ model, el, className, label, narrow, back, handleKey }) {
  let dialog = null;
  let opener = null; // where the focus was when the dialog came
  const alertLine = make("div", { attributes: { role: "alert" } });
  const root = make("div", {
    className: `facelib-panel ${className}`,
    // JupyterLab's own single keys (x cuts a cell!) stay out of here.
    attributes: { role: "region", "aria-label": label, "data-lm-suppress-shortcuts": "true" },
  });

  // An error of the page itself is shown like one of Python, not only in the browser's console.
  const complain = (error) => (alertLine.textContent = `${error.name}: ${error.message}`);
  const guarded = (handle) => (event) => {
    try {
      return handle(event);
    } catch (error) {
      complain(error);
    }
  };

  function set(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  function ask(action, more = {}) {
    const open = model.get("requests").filter((request) => request.number > model.get("handled"));
    const number = Math.max(model.get("handled"), ...open.map((request) => request.number)) + 1;
    set("requests", [...open, { number, action, ...more }]);
  }

  root.addEventListener(
    "keydown",
    guarded((event) => {
      event.stopPropagation();
      if (dialog && event.key === "Escape") return closeDialog();
      if (dialog || event.ctrlKey || event.metaKey || event.altKey) return;
      const kind = event.target.tagName;
      if (kind === "SELECT" || kind === "INPUT") return;
      if (kind === "BUTTON" && (event.key === "Enter" || event.key === " ")) return;
      if (handleKey(event)) event.preventDefault();
    }),
  );

  function openDialog(title, ...children) {
    closeDialog();
    opener = root.contains(document.activeElement) ? document.activeElement : null;
    dialog = make("div", { className: "dialog", attributes: { role: "dialog", "aria-label": title } });
    dialog.append(make("h4", { textContent: title }), ...children);
    root.append(dialog);
  }

  function closeDialog() {
    if (!dialog) return;
    dialog.remove();
    dialog = null;
    back(opener);
  }

  // Put the focus into the dialog, and show all of it, its title too, wherever the page is scrolled to.
  function enterDialog(element) {
    element.focus({ preventScroll: true });
    dialog.scrollIntoView({ block: "nearest" });
  }

  // Show the keys and what they do; "…" stands between two keys.
  function openHelp(rows) {
    const cap = (key) => (key === "…" ? " … " : make("kbd", { textContent: key }));
    const row = ([keys, text]) => make("tr", {}, make("td", {}, ...keys.map(cap)), make("td", { textContent: text }));
    const button = make("button", { textContent: "Close", className: "main", onclick: guarded(closeDialog) });
    openDialog("Keys", make("table", {}, ...rows.map(row)), make("div", { className: "buttons" }, button));
    enterDialog(button);
  }

  // Ask for a person; returns the field. `near`: known names that may be meant by the one that was typed; `same`: one of
  // them is the one. `problem`: why the name that was typed was refused. `take(name, isNew)` is called with the answer;
  // `isNew`: it is none of those near.
  function openName(title, { verb, allowNew, typed, near = [], same = false, problem = "", take, parts }) {
    const chosen = (person, isNew) => {
      closeDialog();
      take(person, isNew && near.length > 0);
    };
    const field = nameField({ known: () => model.get("people"), allowNew: allowNew && !(near.length && same), take: chosen, guarded, near, typed });
    const cancel = make("button", { textContent: "Cancel", onclick: guarded(closeDialog) });
    const submit = make("button", { textContent: verb, className: "main", onclick: guarded(field.submit) });
    const refusal = problem ? [make("p", { textContent: isolated(problem), attributes: { role: "alert" } })] : [];
    openDialog(near.length ? `Is '${typed}' one of these?` : title, ...refusal, ...parts(field), make("div", { className: "buttons" }, cancel, submit));
    dialog.addEventListener("keydown", field.onKey);
    enterDialog(field.input);
    return field.input;
  }

  // Put the parts on the page, call `draw` once, and from now on what each value that changes is shown by; returns what
  // ends that.
  function show(parts, draw, shownBy) {
    const following = shownBy.map(([name, handle]) => [`change:${name}`, guarded(handle)]);
    for (const [name, handle] of following) model.on(name, handle);
    const watcher = new ResizeObserver(() => root.classList.toggle("narrow", root.clientWidth < narrow));
    watcher.observe(root);
    root.append(...parts);
    el.append(root);
    guarded(draw)();
    return () => {
      for (const [name, handle] of following) model.off(name, handle);
      watcher.disconnect();
    };
  }

  return { root, alertLine, complain, guarded, set, ask, openHelp, openName, show, isAsking: () => dialog !== null };
}

// A picture from its bytes.
function picture(bytes, properties) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  const done = () => URL.revokeObjectURL(url);
  return make("img", { ...properties, src: url, onload: done, onerror: done });
}
