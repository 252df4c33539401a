// The review of tracks. What is shown comes from Python, what is asked for goes there: no decision is kept here.

const KEYS = [
  ["← → ↑ ↓", "go from face to face; Home, End, Page Up, Page Down"],
  ["Enter c", "confirm the name"],
  ["n", "give another name"],
  ["u", "unknown: nobody of the cast"],
  ["x", "not a face"],
  ["Space", "mark for a decision about several; with Shift up to here"],
  ["m", "merge the groups of the marked faces"],
  ["s", "split the marked faces off their group"],
  ["z", "undo"],
  ["g", "faces one by one, or in groups"],
  ["r", "sort anew; what is decided goes out of the way"],
  ["Esc", "mark none"],
  ["?", "these keys"],
];

const FILTERS = [
  ["undecided", "not yet decided"],
  ["unsure", "unsure"],
  ["unknown", "unknown people"],
  ["decided", "decided"],
  ["all", "all"],
];

const ACTIONS = [
  ["confirm", "Confirm", "Enter"],
  ["name", "Name…", "n"],
  ["unknown", "Unknown", "u"],
  ["not a face", "Not a face", "x"],
  ["merge", "Merge", "m"],
  ["split", "Split", "s"],
  ["undo", "Undo", "z"],
];

const LETTERS = { Enter: "confirm", c: "confirm", n: "name", u: "unknown", x: "not a face", m: "merge", s: "split", z: "undo" };

function make(kind, properties = {}, ...children) {
  const { attributes = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(kind), rest);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function render({ model, el }) {
  const tiles = new Map(); // by the track's number
  let dialog = null;
  let toFocus = null; // where the focus goes once the next page has come
  let anchor = null; // where a marking with Shift begins

  const alertLine = make("div", { attributes: { role: "alert" } });
  const statusLine = make("div", { className: "line", attributes: { role: "status", "aria-live": "polite" } });
  const warningLine = make("div", { className: "warnings", attributes: { role: "note" } });
  const grid = make("div", {
    className: "grid",
    attributes: { role: "listbox", "aria-multiselectable": "true", "aria-label": "Tracks" },
  });
  const side = make("div", { className: "side", attributes: { role: "region", "aria-label": "The track in focus" } });
  const root = make("div", {
    className: "facelib-review",
    // JupyterLab's own single keys (x cuts a cell!) stay out of here.
    attributes: { role: "region", "aria-label": "Review of tracks", "data-lm-suppress-shortcuts": "true" },
  });

  // An error of the page itself is shown like one of Python, not only in the browser's console.
  const guarded = (handle) => (event) => {
    try {
      return handle(event);
    } catch (error) {
      alertLine.textContent = `${error.name}: ${error.message}`;
    }
  };

  // ---- what is asked of Python

  function set(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  function ask(action, tracks = [], more = {}) {
    const open = model.get("requests").filter((request) => request.number > model.get("handled"));
    const number = Math.max(model.get("handled"), ...open.map((request) => request.number)) + 1;
    set("requests", [...open, { number, action, tracks, ...more }]);
  }

  function targets() {
    const marked = model.get("marked");
    const here = current();
    return marked.length ? [...marked] : here === null ? [] : [here];
  }

  function act(action) {
    if (action === "undo") return ask("undo");
    const tracks = targets();
    if (action === "name") return openName(tracks);
    ask(action, tracks);
    if (action !== "merge" && action !== "split") goOn(tracks);
  }

  // ---- focus

  const ids = () => model.get("items").map((item) => item.id);

  function current() {
    const focused = model.get("focused");
    return tiles.has(focused) ? focused : (ids()[0] ?? null);
  }

  function focus(id) {
    if (!tiles.has(id)) return;
    for (const [other, tile] of tiles) {
      tile.tabIndex = other === id ? 0 : -1;
      tile.classList.toggle("here", other === id);
    }
    tiles.get(id).focus();
    tiles.get(id).scrollIntoView({ block: "nearest" });
    if (model.get("focused") !== id) set("focused", id);
  }

  // Go to the first face after these that still needs an answer, on the next page where there is none on this one.
  function goOn(tracks) {
    const items = model.get("items");
    const last = Math.max(...tracks.map((id) => items.findIndex((item) => item.id === id)), -1);
    const next = items.slice(last + 1).find((item) => !item.decided && !tracks.includes(item.id));
    if (next) return focus(next.id);
    if (model.get("page") + 1 < model.get("pages")) return turn(model.get("page") + 1, "first");
    if (items.length) focus(items[Math.min(last + 1, items.length - 1)].id);
  }

  function turn(page, where) {
    if (page < 0 || page >= model.get("pages")) return;
    toFocus = where;
    set("page", page);
  }

  function columns() {
    const row = [...tiles.values()].filter((tile, _, all) => tile.offsetTop === all[0].offsetTop);
    return Math.max(1, row.length);
  }

  // Up and down go by what is seen, since headings break the rows.
  function vertical(id, direction) {
    const from = tiles.get(id).getBoundingClientRect();
    let best = null;
    let least = Infinity;
    for (const [other, tile] of tiles) {
      const to = tile.getBoundingClientRect();
      const down = (to.top - from.top) * direction;
      if (down < 5) continue;
      const far = down * 1000 + Math.abs(to.left - from.left);
      if (far < least) [best, least] = [other, far];
    }
    return best;
  }

  function move(key) {
    const all = ids();
    const here = current();
    if (here === null) return;
    const at = all.indexOf(here);
    const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 };
    if (key in steps) {
      if (steps[key] < 0) return turn(model.get("page") - 1, "last");
      if (steps[key] >= all.length) return turn(model.get("page") + 1, "first");
      return focus(all[steps[key]]);
    }
    const down = key === "ArrowDown";
    const found = vertical(here, down ? 1 : -1);
    if (found !== null) return focus(found);
    if (at + (down ? columns() : -columns()) >= 0 || !down) turn(model.get("page") + (down ? 1 : -1), down ? "first" : "last");
  }

  function toggle(id, upToHere = false) {
    const marked = new Set(model.get("marked"));
    const all = ids();
    if (upToHere && anchor !== null && all.includes(anchor)) {
      const [from, to] = [all.indexOf(anchor), all.indexOf(id)].sort((a, b) => a - b);
      for (const other of all.slice(from, to + 1)) marked.add(other);
    } else if (!marked.delete(id)) {
      marked.add(id);
    }
    anchor = id;
    set("marked", [...marked]);
  }

  // ---- keys

  root.addEventListener(
    "keydown",
    guarded((event) => {
      event.stopPropagation();
      if (dialog && event.key === "Escape") return closeDialog();
      if (dialog || event.ctrlKey || event.metaKey || event.altKey) return;
      const kind = event.target.tagName;
      if (kind === "SELECT" || kind === "INPUT") return;
      if (kind === "BUTTON" && (event.key === "Enter" || event.key === " ")) return;
      if (!handleKey(event)) return;
      event.preventDefault();
    }),
  );

  function handleKey(event) {
    const { key } = event;
    if (key.startsWith("Arrow") || key === "Home" || key === "End") move(key);
    else if (key === "PageDown") turn(model.get("page") + 1, "first");
    else if (key === "PageUp") turn(model.get("page") - 1, "first");
    else if (key === " ") current() === null || toggle(current(), event.shiftKey);
    else if (key === "Escape") set("marked", []);
    else if (key === "?") openHelp();
    else if (key === "g") set("view", model.get("view") === "tracks" ? "groups" : "tracks");
    else if (key === "r") sortAnew();
    else if (key in LETTERS) act(LETTERS[key]);
    else return false;
    return true;
  }

  function sortAnew() {
    toFocus = "first";
    ask("sort");
  }

  // ---- dialogs

  function openDialog(title, ...children) {
    closeDialog();
    dialog = make("div", { className: "dialog", attributes: { role: "dialog", "aria-label": title } });
    dialog.append(make("h4", { textContent: title }), ...children);
    root.append(dialog);
  }

  function closeDialog() {
    if (!dialog) return;
    dialog.remove();
    dialog = null;
    focus(current());
  }

  function openHelp() {
    const rows = KEYS.map(([keys, text]) => {
      const caps = keys.split(" ").map((key) => make("kbd", { textContent: key }));
      return make("tr", {}, make("td", {}, ...caps), make("td", { textContent: text }));
    });
    const button = make("button", { textContent: "Close", className: "main", onclick: closeDialog });
    openDialog("Keys", make("table", {}, ...rows), make("div", { className: "buttons" }, button));
    button.focus();
  }

  function openName(tracks) {
    if (!tracks.length) return;
    const one = model.get("items").find((item) => item.id === tracks[0]);
    const list = make("ul", { id: `names-${Math.random().toString(36).slice(2)}`, attributes: { role: "listbox", "aria-label": "Known names" } });
    const input = make("input", {
      type: "text",
      placeholder: "a name; ↓ for the known ones",
      attributes: { role: "combobox", "aria-label": "Name", "aria-autocomplete": "list", "aria-expanded": "true", "aria-controls": list.id, autocomplete: "off", spellcheck: "false" },
    });
    const group = make("input", { type: "checkbox", checked: true });
    const offer = tracks.length === 1 && one && one.size > 1;
    let at = -1;
    let found = [];

    const show = () => {
      const typed = input.value.trim().toLowerCase();
      found = model.get("people").filter((name) => name.toLowerCase().includes(typed)).slice(0, 50);
      // Only a name typed in full is taken for a known one: Ann may be somebody else than Anna.
      at = found.findIndex((name) => name.toLowerCase() === typed);
      draw();
    };
    const draw = () => {
      list.replaceChildren(
        ...found.map((name, index) =>
          make("li", {
            textContent: name,
            id: `${list.id}-${index}`,
            attributes: { role: "option", "aria-selected": String(index === at) },
            onmousedown: guarded((event) => (event.preventDefault(), (input.value = name), submit(name))),
          }),
        ),
      );
      if (at >= 0) input.setAttribute("aria-activedescendant", `${list.id}-${at}`);
      else input.removeAttribute("aria-activedescendant");
      list.children[at]?.scrollIntoView({ block: "nearest" });
    };
    const submit = (chosen) => {
      const name = (chosen ?? (at >= 0 ? found[at] : input.value)).trim();
      if (!name) return;
      closeDialog();
      ask("name", tracks, { name, whole_group: Boolean(offer && group.checked) });
      goOn(tracks);
    };
    input.addEventListener("input", show);
    const onKey = guarded((event) => {
      if (event.key === "Enter" && event.target.tagName !== "BUTTON") {
        event.preventDefault();
        submit();
      } else if (event.target === input && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
        event.preventDefault();
        at = Math.max(-1, Math.min(found.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)));
        draw();
      }
    });
    const title = tracks.length === 1 ? `Who is this? (${one ? one.label : "1 track"})` : `Who are these ${tracks.length} tracks?`;
    openDialog(
      title,
      input,
      list,
      ...(offer ? [make("label", {}, group, make("span", { textContent: `all ${one.size} tracks of ${one.label}, in all films` }))] : []),
      make(
        "div",
        { className: "buttons" },
        make("button", { textContent: "Cancel", onclick: closeDialog }),
        make("button", { textContent: "Name", className: "main", onclick: guarded(() => submit()) }),
      ),
    );
    dialog.addEventListener("keydown", onKey);
    show();
    input.focus();
  }

  // ---- bars

  const filter = make("select", { attributes: { "aria-label": "Which tracks" } });
  filter.onchange = guarded(() => {
    const [kind, ...rest] = filter.value.split(":");
    toFocus = "keep";
    model.set(kind === "label" ? { shown: "all", person: rest.join(":") } : { shown: kind, person: "" });
    model.save_changes();
  });
  const views = ["tracks", "groups"].map((view) =>
    make("button", { textContent: view === "tracks" ? "One by one" : "In groups", onclick: guarded(() => set("view", view)) }),
  );
  const before = make("button", { textContent: "‹", attributes: { "aria-label": "Page before" }, onclick: guarded(() => turn(model.get("page") - 1, "first")) });
  const after = make("button", { textContent: "›", attributes: { "aria-label": "Next page" }, onclick: guarded(() => turn(model.get("page") + 1, "first")) });
  const pageText = make("span");
  const leftText = make("span");
  const help = make("button", { attributes: { "aria-label": "Keys" }, textContent: "Keys", onclick: guarded(openHelp) });
  help.append(make("kbd", { textContent: "?" }));
  const anew = make("button", { textContent: "Sort anew", onclick: guarded(sortAnew) });
  anew.append(make("kbd", { textContent: "r" }));
  const top = make("div", { className: "bar" }, filter, ...views, anew, leftText, make("span", { className: "space" }), before, pageText, after, help);
  const buttons = ACTIONS.map(([action, text, key]) => {
    const button = make("button", { textContent: text, onclick: guarded(() => act(action)) });
    if (action === "confirm") button.className = "main";
    button.append(make("kbd", { textContent: key }));
    return button;
  });
  const markedText = make("span");
  const actions = make("div", { className: "bar", attributes: { role: "toolbar", "aria-label": "Decisions" } }, ...buttons, markedText);

  function drawBars() {
    const { shown, person } = { shown: model.get("shown"), person: model.get("person") };
    const options = FILTERS.map(([value, text]) => make("option", { value, textContent: text }));
    const names = model.get("labels").map(({ label, size }) => make("option", { value: `label:${label}`, textContent: `${label} (${size})` }));
    filter.replaceChildren(...options, make("optgroup", { label: "called" }, ...names));
    filter.value = person ? `label:${person}` : shown;
    views.forEach((button, index) => button.setAttribute("aria-pressed", String(model.get("view") === ["tracks", "groups"][index])));
    views.forEach((button) => button.classList.toggle("main", button.getAttribute("aria-pressed") === "true"));
    const [page, pages, total] = [model.get("page"), model.get("pages"), model.get("total")];
    pageText.textContent = `page ${page + 1} of ${pages} · ${total} track${total === 1 ? "" : "s"}`;
    leftText.textContent = `${model.get("left")} to decide`;
    before.disabled = page === 0;
    after.disabled = page + 1 >= pages;
  }

  // ---- the grid

  function drawGrid() {
    const items = model.get("items");
    const same = items.length === tiles.size && items.every((item, index) => [...tiles.keys()][index] === item.id);
    if (!same) rebuild(items);
    for (const item of items) fill(tiles.get(item.id), item);
    drawMarks();
  }

  function rebuild(items) {
    const hadFocus = grid.contains(document.activeElement) || toFocus !== null;
    tiles.clear();
    const parts = [];
    let section = null;
    for (const item of items) {
      if (model.get("view") === "groups" && item.section !== section) parts.push(heading((section = item.section), item));
      const tile = makeTile(item);
      tiles.set(item.id, tile);
      parts.push(tile);
    }
    if (!items.length) parts.push(make("div", { className: "empty", textContent: "Nothing here: choose other tracks above." }));
    grid.replaceChildren(...parts);
    grid.scrollTop = 0;
    drawPictures();
    const start = toFocus === "last" ? items.at(-1) : items[0];
    const wanted = toFocus !== "keep" && hadFocus && !dialog;
    toFocus = null;
    if (!start) return side.replaceChildren(make("p", { className: "soft", textContent: "No track." }));
    tiles.get(start.id).tabIndex = 0;
    if (wanted) focus(start.id);
    else {
      tiles.get(start.id).classList.add("here");
      if (model.get("focused") !== start.id) set("focused", start.id);
    }
  }

  function heading(label, item) {
    const mark = make("button", { textContent: "mark all", onclick: guarded(() => ask("mark group", [], { name: label })) });
    const size = model.get("items").filter((other) => other.section === label).length;
    const text = make("span", { textContent: label });
    const count = make("span", { textContent: item.size > 1 ? `${item.size} tracks` : `${size} here`, className: "small" });
    return make("div", { className: "heading", attributes: { role: "presentation" } }, text, count, mark);
  }

  function makeTile(item) {
    const tile = make("div", { className: "tile", tabIndex: -1, attributes: { role: "option", "data-track": item.id } });
    tile.append(
      make("div", { className: "face none", textContent: "no picture" }),
      make("span", { className: "tick", textContent: "✓ decided" }),
      make("span", { className: "box", textContent: "✓", attributes: { "aria-hidden": "true" } }),
      make("div", { className: "text" }, make("div", { className: "name" }), make("div", { className: "small" }), make("div", { className: "sure" }, make("span")), make("div", { className: "small" })),
    );
    tile.addEventListener(
      "click",
      guarded((event) => {
        focus(item.id);
        if (event.shiftKey || event.ctrlKey || event.metaKey || event.target.className === "box") toggle(item.id, event.shiftKey);
      }),
    );
    tile.addEventListener("dblclick", guarded((event) => event.target.className === "box" || openName(targets())));
    return tile;
  }

  function fill(tile, item) {
    const [name, when, sure, last] = tile.querySelector(".text").children;
    name.textContent = item.size > 1 ? `${item.label} (${item.size})` : item.label;
    name.title = item.label;
    name.classList.toggle("other", item.kind === "other");
    when.textContent = `${item.time.replace(/^00:/, "")} · shot ${item.shot}`;
    when.title = item.video;
    sure.firstChild.style.width = `${Math.round(100 * item.confidence)}%`;
    sure.classList.toggle("high", item.confidence >= 0.9);
    const sureness = item.decided ? "decided" : `${item.confidence.toFixed(2)} sure`;
    last.textContent = `${sureness} · ${item.seconds} s`;
    tile.classList.toggle("decided", item.decided);
    tile.querySelector(".tick").hidden = !item.decided;
    tile.setAttribute("aria-label", `${item.label}, ${item.time}, shot ${item.shot} of ${item.video}, ${item.decided ? "decided" : `confidence ${item.confidence}`}`);
  }

  function drawMarks() {
    const marked = new Set(model.get("marked"));
    for (const [id, tile] of tiles) {
      tile.setAttribute("aria-selected", String(marked.has(id)));
      tile.querySelector(".box").style.color = marked.has(id) ? "#fff" : "transparent";
    }
    markedText.textContent = marked.size ? `${marked.size} marked` : "";
  }

  function picture(bytes, properties) {
    const url = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    const done = () => URL.revokeObjectURL(url);
    return make("img", { ...properties, src: url, onload: done, onerror: done });
  }

  function drawPictures() {
    const pictures = model.get("pictures");
    for (const [id, tile] of tiles) {
      const bytes = pictures[String(id)];
      if (!bytes) continue;
      tile.querySelector(".face").replaceWith(picture(bytes, { className: "face", alt: "", draggable: false }));
    }
  }

  function drawDetail() {
    const detail = model.get("detail");
    if (detail.id === undefined) return;
    const faces = detail.pictures.map((bytes) => picture(bytes, { alt: `face of track ${detail.id}` }));
    const parts = [
      make("h4", { textContent: detail.label }),
      make("div", { className: "faces" }, ...faces),
      make("p", { textContent: detail.reason }),
    ];
    if (detail.automatic) parts.push(make("p", { className: "soft", textContent: `without the decision: ${detail.automatic}` }));
    if (detail.evidence.byteLength) {
      const evidence = picture(detail.evidence, { className: "evidence", alt: detail.evidence_name });
      parts.push(make("p", { className: "soft" }, `most like ${detail.evidence_name}`, evidence));
    }
    parts.push(make("p", { className: "soft", textContent: detail.place }));
    side.replaceChildren(...parts);
  }

  function drawLines() {
    statusLine.textContent = model.get("status");
    alertLine.textContent = model.get("error");
    const warnings = model.get("warnings");
    const more = warnings.length > 3 ? ` … and ${warnings.length - 3} more.` : "";
    warningLine.textContent = warnings.length ? `${warnings.slice(0, 3).join("; ")}.${more}` : "";
  }

  // ---- following Python

  const following = [
    ["items", () => (drawGrid(), drawBars())],
    ["pictures", drawPictures],
    ["marked", drawMarks],
    ["detail", drawDetail],
    ["jump", () => focus(model.get("jump")[1])],
    ...["shown", "person", "view", "page", "pages", "total", "labels", "left"].map((name) => [name, drawBars]),
    ...["status", "error", "warnings"].map((name) => [name, drawLines]),
  ].map(([name, handle]) => [`change:${name}`, guarded(handle)]);
  for (const [name, handle] of following) model.on(name, handle);

  const watcher = new ResizeObserver(() => root.classList.toggle("narrow", root.clientWidth < 720));
  watcher.observe(root);
  root.append(top, actions, statusLine, alertLine, warningLine, make("div", { className: "parts" }, grid, side));
  el.append(root);
  guarded(() => {
    drawBars();
    drawGrid();
    drawPictures();
    drawDetail();
    drawLines();
  })();

  return () => {
    for (const [name, handle] of following) model.off(name, handle);
    watcher.disconnect();
  };
}

export default { render };
