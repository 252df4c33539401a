// A board of faces to decide about. What is shown comes from Python, what is asked for goes there.

const MOVES = [
  [["←", "→", "↑", "↓"], "go from face to face; Home, End, Page Up, Page Down"],
  [["Space"], "mark for a decision about several; with Shift up to here"],
  [["Esc"], "mark none"],
  [["?"], "these keys"],
];

// Put values in the place of their names in braces.
function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// A text whose names of files break where their parts end, not within the last letters.
function breakable(text) {
  return text.split(/(?<=[_/])/).flatMap((part) => [part, make("wbr")]);
}

function render({ model, el }) {
  const tiles = new Map(); // by the face's number
  let toFocus = null; // where the focus goes once the next page has come
  let anchor = null; // where a marking with Shift begins
  let laidOut = null; // which faces the grid holds, under which headings

  const actions = model.get("actions");
  const noun = model.get("noun");
  const counted = (number) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const whole = model.get("scope") === "all";
  const statusLine = make("span", { attributes: { role: "status", "aria-live": "polite" } });
  const warningLine = make("div", { className: "warnings", attributes: { role: "note" } });
  const grid = make("div", { className: "grid" });
  const side = make("div", { className: "side", attributes: { role: "region", "aria-label": `The ${noun} in focus` } });
  const panel = makePanel({
    model,
    el,
    className: "facelib-board",
    label: model.get("label"),
    narrow: 720,
    back: () => current() !== null && focus(current()),
    handleKey,
  });
  const { alertLine, guarded, set } = panel;

  // ---- what is asked of Python

  const ask = (action, faces = [], more = {}) => panel.ask(action, { faces, ...more });
  const ids = () => model.get("items").map((item) => item.id);

  function targets() {
    const marked = model.get("marked");
    const here = current();
    if (marked.length) return [...marked];
    if (whole) return model.get("everything");
    return here === null ? [] : [here];
  }

  function act(action) {
    if (action.about === "nothing") return ask(action.name);
    const faces = targets();
    if (action.about === "person") return openName(action, faces);
    ask(action.name, faces);
    if (action.about === "next") goOn(faces);
  }

  // ---- focus

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
  function goOn(faces) {
    const items = model.get("items");
    const last = Math.max(...faces.map((id) => items.findIndex((item) => item.id === id)), -1);
    const next = items.slice(last + 1).find((item) => !item.badge && !faces.includes(item.id));
    if (next) return focus(next.id);
    if (model.get("page") + 1 < model.get("pages")) return turn(model.get("page") + 1, "first");
    if (items.length) focus(items[Math.min(last + 1, items.length - 1)].id);
  }

  function turn(page, where) {
    if (page < 0 || page >= model.get("pages")) return;
    toFocus = where;
    set("page", page);
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
    turn(model.get("page") + (down ? 1 : -1), down ? "first" : "last");
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

  function handleKey(event) {
    const { key } = event;
    const action = actions.find((one) => one.keys.includes(key));
    if (action) act(action);
    else if (key.startsWith("Arrow") || key === "Home" || key === "End") move(key);
    else if (key === "PageDown") turn(model.get("page") + 1, "first");
    else if (key === "PageUp") turn(model.get("page") - 1, "first");
    else if (key === " ") current() === null || toggle(current(), event.shiftKey);
    else if (key === "Escape") set("marked", []);
    else if (key === "?") openHelp();
    else return false;
    return true;
  }

  // ---- dialogs

  const openHelp = () => panel.openHelp([...actions.map(({ keys, help }) => [keys, help]), ...MOVES]);

  function openName(action, faces, { typed = "", ...asked } = {}) {
    if (!faces.length) return ask(action.name);
    const items = model.get("items").filter((item) => faces.includes(item.id));
    const one = faces.length === 1 ? { title: counted(1), size: 1, ...items[0] } : null;
    const group = make("input", { type: "checkbox", checked: true });
    const offered = Boolean(action.offer && one?.size > 1);
    const proposed = new Set(items.map((item) => item.fits));
    const given = items.length === faces.length && proposed.size === 1 ? (items[0].fits ?? "") : "";
    const [ofOne, ofSeveral] = action.question;
    const input = panel.openName(one ? filled(ofOne, one) : filled(ofSeveral, { count: faces.length }), {
      verb: action.label.replace("…", ""),
      allowNew: action.new_people,
      typed: typed || given,
      ...asked,
      take: (person, isNew) => {
        ask(action.name, faces, { person, whole_group: offered && group.checked, new: isNew });
        goOn(faces);
      },
      parts: (field) => [field.input, field.list, ...(offered ? [make("label", {}, group, filled(action.offer, one))] : [])],
    });
    input.select();
  }

  // A name that is nearly a known one comes back as a question, and one that is refused with the reason.
  function askAgain() {
    const { action, faces, person, near, same, problem } = model.get("asked");
    const again = { typed: person, near, same, problem };
    if (near?.length || problem) openName(actions.find((one) => one.name === action), faces, again);
  }

  // ---- bars

  const filter = make("select", { attributes: { "aria-label": `Which ${noun}s` } });
  filter.onchange = guarded(() => {
    toFocus = "keep";
    set("shown", filter.value);
  });
  const views = model.get("views").map(([value, text]) => make("button", { value, textContent: text, onclick: guarded(() => set("view", value)) }));
  const before = make("button", { textContent: "‹", attributes: { "aria-label": "Page before" }, onclick: guarded(() => turn(model.get("page") - 1, "first")) });
  const after = make("button", { textContent: "›", attributes: { "aria-label": "Next page" }, onclick: guarded(() => turn(model.get("page") + 1, "first")) });
  const pageText = make("span");
  const leftText = make("span");
  const help = make("button", { attributes: { "aria-label": "Keys" }, textContent: "Keys", onclick: guarded(openHelp) });
  help.append(make("kbd", { textContent: "?" }));
  const withButton = actions.filter((action) => action.label);
  const buttons = withButton.map((action) => {
    const button = make("button", { textContent: action.label, title: action.help, onclick: guarded(() => act(action)) });
    if (action.main) button.className = "main";
    button.append(make("kbd", { textContent: action.keys[0] }));
    return button;
  });
  const markedText = make("span", { className: "soft" });
  const pager = make("span", { className: "pager" }, before, pageText, after);
  const top = make("div", { className: "bar" }, filter, ...views, leftText);
  const lines = make("div", { className: "line" }, markedText, statusLine);
  const decide = make("div", { className: "bar", attributes: { role: "toolbar", "aria-label": "Decisions" } }, ...buttons);
  const toolbar = make("div", { className: "bar both" }, decide);
  (model.get("filters").length ? top : toolbar).append(make("span", { className: "space" }), pager, help);

  function options() {
    const parts = [];
    for (const [value, text, group] of model.get("filters")) {
      if (group && parts.at(-1)?.label !== group) parts.push(make("optgroup", { label: group }));
      const option = make("option", { value, textContent: text });
      if (group) parts.at(-1).append(option);
      else parts.push(option);
    }
    return parts;
  }

  function drawBars() {
    top.hidden = !model.get("filters").length;
    filter.replaceChildren(...options());
    filter.value = model.get("shown");
    for (const button of views) {
      const chosen = button.value === model.get("view");
      button.setAttribute("aria-pressed", String(chosen));
      button.classList.toggle("main", chosen);
    }
    const [page, pages, total] = [model.get("page"), model.get("pages"), model.get("total")];
    pageText.textContent = `${pages > 1 ? `${page + 1} of ${pages} · ` : ""}${counted(total)}`;
    before.hidden = after.hidden = pages < 2;
    leftText.textContent = model.get("left");
    before.disabled = page === 0;
    after.disabled = page + 1 >= pages;
    buttons.forEach((button, index) => (button.disabled = !total && withButton[index].about !== "nothing"));
  }

  // ---- the grid

  function drawGrid() {
    const items = model.get("items");
    const layout = JSON.stringify(items.map((item) => [item.id, item.section]));
    if (layout !== laidOut) rebuild(items);
    laidOut = layout;
    for (const item of items) fill(tiles.get(item.id), item);
    drawMarks();
  }

  function rebuild(items) {
    const hadFocus = grid.contains(document.activeElement) || toFocus !== null;
    tiles.clear();
    const parts = [];
    let section = null;
    let row = null;
    for (const item of items) {
      if (item.section !== section) {
        section = item.section;
        row = make("div", { className: "tiles", attributes: { role: "listbox", "aria-multiselectable": "true", "aria-label": section || model.get("label") } });
        parts.push(group(section, row));
      }
      const tile = makeTile(item);
      tiles.set(item.id, tile);
      row.append(tile);
    }
    if (!items.length) parts.push(make("div", { className: "empty", textContent: model.get("empty") }));
    grid.replaceChildren(...parts);
    grid.scrollTop = 0;
    side.hidden = !items.length;
    drawPictures();
    const start = toFocus === "last" ? items.at(-1) : items[0];
    const wanted = toFocus !== "keep" && hadFocus && !panel.isAsking();
    toFocus = null;
    if (!start) return;
    tiles.get(start.id).tabIndex = 0;
    if (wanted) focus(start.id);
    else {
      tiles.get(start.id).classList.add("here");
      if (model.get("focused") !== start.id) set("focused", start.id);
    }
  }

  // Small groups stand side by side.
  function group(section, row) {
    return make("div", { className: "group" }, ...(section ? [heading(section)] : []), row);
  }

  function heading(section) {
    const mark = make("button", { textContent: "mark all", attributes: { "aria-label": `mark all: ${section}` }, onclick: guarded(() => ask("mark section", [], { section })) });
    const here = model.get("items").filter((item) => item.section === section);
    const { size } = here[0]; // of the whole group, also where it is not on the page
    const count = make("span", { className: "soft", textContent: size > 1 ? counted(size) : `${here.length} here`, hidden: !size });
    return make("div", { className: "heading" }, make("span", { textContent: section }), count, mark);
  }

  function makeTile(item) {
    const tile = make("div", { className: "tile", tabIndex: -1, attributes: { role: "option", "data-face": item.id } });
    tile.append(
      make("div", { className: "face none", textContent: "no picture" }),
      make("span", { className: "tick" }),
      make("span", { className: "box", textContent: "✓", attributes: { "aria-hidden": "true" } }),
      make("div", { className: "text" }),
    );
    tile.addEventListener(
      "click",
      guarded((event) => {
        focus(item.id);
        if (event.shiftKey || event.ctrlKey || event.metaKey || event.target.className === "box") toggle(item.id, event.shiftKey);
      }),
    );
    tile.addEventListener("dblclick", guarded((event) => event.target.className === "box" || handleKey({ key: "double click" })));
    return tile;
  }

  function fill(tile, item) {
    const name = make("div", { className: "name", textContent: item.size > 1 ? `${item.title} (${item.size})` : item.title, title: item.title });
    name.classList.toggle("other", Boolean(item.other));
    const lines = item.lines.map((text) => make("div", { className: "small", title: item.tip ?? text }, ...breakable(text)));
    tile.querySelector(".text").replaceChildren(name, ...(item.sure === undefined ? [] : [bar(item.sure)]), ...lines);
    const tick = tile.querySelector(".tick");
    tick.hidden = !item.badge;
    tick.textContent = item.badge;
    tile.dataset.state = item.badge;
    tile.classList.toggle("decided", Boolean(item.badge));
    tile.classList.toggle("out", Boolean(item.out));
    tile.setAttribute("aria-label", [item.section, item.title, ...item.lines, item.tip, item.badge].filter(Boolean).join(", "));
  }

  function bar(sure) {
    const filling = make("span", { style: `width: ${Math.round(100 * sure)}%` });
    return make("div", { className: sure >= 0.9 ? "sure high" : "sure" }, filling);
  }

  function drawMarks() {
    const marked = new Set(model.get("marked"));
    for (const [id, tile] of tiles) {
      tile.setAttribute("aria-selected", String(marked.has(id)));
      tile.querySelector(".box").style.color = marked.has(id) ? "#fff" : "transparent";
    }
    const total = model.get("total");
    markedText.textContent = marked.size ? `${marked.size} marked` : whole && total ? `for all ${total}, or mark some` : "";
  }

  function drawPictures() {
    const pictures = model.get("pictures");
    for (const [id, tile] of tiles) {
      const bytes = pictures[String(id)];
      if (!bytes?.byteLength) continue;
      tile.querySelector(".face").replaceWith(picture(bytes, { className: "face", alt: "", draggable: false }));
    }
  }

  function strip(pictures, alt) {
    return make("div", { className: "faces" }, ...pictures.filter((bytes) => bytes.byteLength).map((bytes) => picture(bytes, { alt })));
  }

  function drawDetail() {
    const detail = model.get("detail");
    if (detail.id === undefined) return side.replaceChildren();
    const parts = [make("h4", { textContent: detail.title })];
    if (detail.picture.byteLength) parts.push(picture(detail.picture, { className: "large", alt: detail.title }));
    if (detail.more?.length) parts.push(strip(detail.more, detail.title));
    for (const line of detail.lines) parts.push(make("p", {}, ...breakable(line)));
    for (const row of detail.rows) parts.push(make("p", { className: "soft" }, ...breakable(row.caption)), strip(row.pictures, row.caption));
    parts.push(make("p", { className: "soft" }, ...breakable(detail.place)));
    side.replaceChildren(...parts);
  }

  function drawLines() {
    statusLine.textContent = isolated(model.get("status"));
    alertLine.textContent = isolated(model.get("error"));
    const warnings = model.get("warnings");
    const more = warnings.length > 3 ? ` … and ${warnings.length - 3} more.` : "";
    warningLine.textContent = warnings.length ? isolated(`${warnings.slice(0, 3).join("; ")}.${more}`) : "";
  }

  // ---- following Python

  const shownBy = [
    ["items", () => (drawGrid(), drawBars())],
    ["pictures", drawPictures],
    ["marked", drawMarks],
    ["detail", drawDetail],
    ["jump", () => focus(model.get("jump")[1])],
    ["asked", askAgain],
    ...["shown", "filters", "view", "page", "pages", "total", "left"].map((name) => [name, () => (drawBars(), drawMarks())]),
    ...["status", "error", "warnings"].map((name) => [name, drawLines]),
  ];
  const draw = () => {
    drawGrid();
    drawBars();
    drawDetail();
    drawLines();
  };
  return panel.show([top, toolbar, lines, alertLine, warningLine, make("div", { className: "parts" }, grid, side)], draw, shownBy);
}

export default { render };
