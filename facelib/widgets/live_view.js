// A camera, a stream or a film, live. What is shown comes from Python, what is asked for goes there.

const KEYS = [
  [["Space"], "start; stop"],
  [["p"], "keep the picture as a snapshot"],
  [["r"], "record; once more ends the recording"],
  [["1", "…", "9"], "say who the face with this number is"],
  [["u"], "say who the first unknown face is"],
  [["Esc"], "close what is open"],
  [["?"], "these keys"],
];

const WORDS = {
  connecting: "connecting",
  playing: "live",
  waiting: "lost, trying again",
  ended: "ended",
  stopped: "stopped",
  failed: "failed",
};

const RUNNING = ["connecting", "playing", "waiting"];

function render({ model, el }) {
  const boxes = new Map(); // by track
  const tiles = new Map(); // by track
  let dialog = null;
  let opener = null; // where the focus goes back to
  let latest = 0; // number of the newest picture that came

  const alertLine = make("div", { attributes: { role: "alert" } });
  const statusLine = make("div", { className: "line", attributes: { role: "status", "aria-live": "polite" } });
  const root = make("div", {
    className: "facelib-panel facelib-live",
    // JupyterLab's own single keys (x cuts a cell!) stay out of here.
    attributes: { role: "region", "aria-label": "Live picture with names", "data-lm-suppress-shortcuts": "true" },
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

  // ---- what is asked of Python

  function set(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  function ask(action, more = {}) {
    const open = model.get("requests").filter((request) => request.number > model.get("handled"));
    const number = Math.max(model.get("handled"), ...open.map((request) => request.number)) + 1;
    set("requests", [...open, { number, action, ...more }]);
  }

  const running = () => RUNNING.includes(model.get("state"));
  const startOrStop = () => ask(running() ? "stop" : "start");
  const record = () => ask(model.get("recording") ? "stop recording" : "record");

  // ---- keys

  root.addEventListener(
    "keydown",
    guarded((event) => {
      event.stopPropagation();
      if (event.key === "Escape") return closeDialog();
      if (dialog || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.tagName === "BUTTON" && (event.key === "Enter" || event.key === " ")) return;
      if (handleKey(event.key)) event.preventDefault();
    }),
  );

  function handleKey(key) {
    const keyed = (test) => model.get("seen").find(test);
    const actions = { " ": startOrStop, p: () => ask("snapshot"), r: record, "?": openHelp };
    if (key in actions) actions[key]();
    else if (/^[1-9]$/.test(key)) openName(keyed((face) => face.digit === Number(key))?.track);
    else if (key === "u") openName((keyed((face) => !face.known && face.now) ?? keyed((face) => !face.known))?.track);
    else return false;
    return true;
  }

  // ---- dialogs

  function openDialog(title, ...children) {
    closeDialog();
    opener = root.contains(document.activeElement) ? document.activeElement : stage;
    dialog = make("div", { className: "dialog", attributes: { role: "dialog", "aria-label": title } });
    dialog.append(make("h4", { textContent: title }), ...children);
    root.append(dialog);
  }

  function closeDialog() {
    if (!dialog) return;
    dialog.remove();
    dialog = null;
    (opener?.isConnected ? opener : stage).focus({ preventScroll: true });
  }

  function openHelp() {
    const button = make("button", { textContent: "Close", className: "main", onclick: guarded(closeDialog) });
    openDialog("Keys", tableOfKeys(KEYS), make("div", { className: "buttons" }, button));
    enterDialog(dialog, button);
  }

  function openName(track, { typed = "", near = [], same = false } = {}) {
    if (track === undefined) return;
    const face = model.get("seen").find((other) => other.track === track);
    const take = (person, isNew) => {
      closeDialog();
      ask("enrol", { track, person, new: isNew && near.length > 0 });
    };
    const field = nameField({ known: () => model.get("people"), allowNew: !(near.length && same), take, guarded, near, typed });
    const bytes = model.get("thumbnails")[String(track)];
    const enrol = make("button", { textContent: "Enrol", className: "main", onclick: guarded(field.submit) });
    openDialog(
      near.length ? `Is '${typed}' one of these?` : "Enrol this face as …",
      make("div", { className: "who" }, ...(bytes ? [picture(bytes, { alt: face?.label ?? "the face" })] : []), make("div", {}, field.input, field.list)),
      make("div", { className: "buttons" }, make("button", { textContent: "Cancel", onclick: guarded(closeDialog) }), enrol),
    );
    dialog.addEventListener("keydown", field.onKey);
    enterDialog(dialog, field.input);
  }

  // A name that is nearly a known one comes back as a question.
  model.on("change:asked", guarded(() => {
    const { track, person, near, same } = model.get("asked");
    if (near?.length) openName(track, { typed: person, near, same });
  }));

  // ---- the bar

  function button(text, key, handle, properties = {}) {
    const made = make("button", { onclick: guarded(handle), ...properties });
    made.append(make("span", { textContent: text }), make("kbd", { textContent: key, attributes: { "aria-hidden": "true" } }));
    return made;
  }

  const start = button("Start", "Space", () => ask("start"), { className: "main" });
  const stop = button("Stop", "Space", () => ask("stop"));
  const snap = button("Snapshot", "p", () => ask("snapshot"));
  const tape = button("Record", "r", record, { className: "record" });
  const help = button("Keys", "?", openHelp);
  const bar = make("div", { className: "bar", attributes: { role: "toolbar", "aria-label": "Player" } });
  bar.append(start, stop, snap, tape, make("span", { className: "space" }), help);

  const lamp = make("span", { className: "lamp" });
  const source = make("span", { className: "source" });
  const speed = make("span", { className: "speed" });
  const facts = make("div", { className: "facts" }, lamp, source, make("span", { className: "space" }), speed);

  function drawBar() {
    const state = model.get("state");
    const held = document.activeElement;
    root.dataset.state = state;
    start.hidden = running();
    stop.hidden = !running();
    start.firstChild.textContent = state === "ended" || state === "failed" ? "Start again" : "Start";
    snap.disabled = !model.get("picture").byteLength;
    tape.disabled = !running();
    tape.firstChild.textContent = model.get("recording") ? "End recording" : "Record";
    tape.setAttribute("aria-pressed", String(Boolean(model.get("recording"))));
    if (bar.contains(held) && (held.hidden || held.disabled)) (running() ? stop : start).focus({ preventScroll: true });
    lamp.textContent = WORDS[state] ?? state;
    source.title = model.get("source");
    source.textContent = source.title.includes("://") ? source.title : source.title.split(/[\\/]/).at(-1);
    const pictured = model.get("picture").byteLength > 0;
    hint.textContent = isolated(model.get("message")) || (pictured ? "" : "Waiting for the first picture …");
    hint.hidden = !hint.textContent;
  }

  function drawFacts() {
    const facts = model.get("facts");
    speed.replaceChildren(
      ...Object.entries(facts).map(([what, value]) =>
        make("span", { title: what, attributes: { "data-fact": what } }, make("b", { textContent: value }), ` ${what}`),
      ),
    );
  }

  // ---- the picture, its boxes drawn in the moment it is

  const canvas = make("canvas", { width: 16, height: 9, attributes: { role: "img", "aria-label": "No picture yet" } });
  const layer = make("div", { className: "layer" });
  const hint = make("div", { className: "hint" });
  const stage = make("div", { className: "stage", tabIndex: 0, attributes: { "aria-label": "Picture" } }, canvas, layer, hint);

  async function drawPicture() {
    const [number, bytes, faces] = [model.get("number"), model.get("picture"), model.get("faces")];
    latest = number;
    try {
      if (!bytes.byteLength) return showNothing(number);
      const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
      if (number < latest) return bitmap.close(); // a newer one came meanwhile
      [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      bitmap.close();
      drawBoxes(faces);
      answer(number);
    } catch (error) {
      complain(error);
    }
  }

  // The next picture is sent when this one has been seen.
  function answer(number) {
    if (running()) set("shown", number);
  }

  function showNothing(number) {
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    drawBoxes([]);
    answer(number);
  }

  // Whoever has the focus when it goes hands it to the picture: else the next key would go to the notebook.
  function removeOthers(elements, tracks) {
    for (const [track, element] of elements) {
      if (tracks.has(track)) continue;
      if (element === document.activeElement) stage.focus({ preventScroll: true });
      element.remove();
      elements.delete(track);
    }
  }

  function drawBoxes(faces) {
    const tracks = new Set(faces.map((face) => face.track));
    removeOthers(boxes, tracks);
    for (const face of faces) {
      if (!boxes.has(face.track)) {
        const box = make("button", { className: "box", onclick: guarded(() => openName(face.track)) }, make("span"));
        box.dataset.track = face.track;
        boxes.set(face.track, box);
        layer.append(box);
      }
      const box = boxes.get(face.track);
      const [left, top, width, height] = face.place.map((share) => `${100 * share}%`);
      Object.assign(box.style, { left, top, width, height });
      box.style.setProperty("--colour", face.colour);
      box.style.setProperty("--text", face.dark ? "#fff" : "#000");
      box.classList.toggle("unknown", !face.known);
      box.firstChild.textContent = isolated(face.digit ? `${face.digit} ${face.label}` : face.label);
      box.setAttribute("aria-label", `${face.label}: enrol this face`);
    }
    placeLabels(faces);
    canvas.setAttribute("aria-label", faces.length ? `In the picture: ${faces.map((face) => face.label).join(", ")}` : "Nobody in the picture");
  }

  function placeLabels(faces) {
    const [width, height] = [layer.clientWidth, layer.clientHeight];
    const rooms = faces.map(({ place: [x, y, w, h] }) => ({ x: x * width, y: y * height, w: w * width, h: h * height }));
    const taken = [...rooms];
    faces.forEach((face, i) => {
      const label = boxes.get(face.track).firstChild;
      const place = freePlace(rooms[i], label.offsetWidth, label.offsetHeight, taken, width, height, 0);
      taken.push(place);
      label.style.translate = `${place.x - rooms[i].x}px ${place.y - rooms[i].y}px`;
    });
  }

  // ---- who was seen, and what changed

  const list = make("div", { className: "seen", attributes: { role: "group", "aria-label": "Faces seen" } });
  const nobody = make("p", { className: "soft", textContent: "Faces appear here; choose one to say who it is." });
  const log = make("ol", { className: "log", tabIndex: 0, attributes: { "aria-label": "What changed" } });
  const side = make("div", { className: "side" }, make("h4", { textContent: "Faces" }), nobody, list, make("h4", { textContent: "What changed" }), log);

  function drawSeen() {
    const seen = model.get("seen");
    const tracks = new Set(seen.map((face) => face.track));
    removeOthers(tiles, tracks);
    for (const [index, face] of seen.entries()) {
      if (!tiles.has(face.track)) {
        const tile = make("button", { className: "tile", onclick: guarded(() => openName(face.track)) });
        tile.append(make("span", { className: "face" }), make("span", { className: "text" }, make("b"), make("span", { className: "soft" })), make("kbd"));
        tile.dataset.track = face.track;
        tiles.set(face.track, tile);
      }
      const tile = tiles.get(face.track);
      // Moved only where its place has changed: a button that is moved loses the focus.
      if (list.children[index] !== tile) list.insertBefore(tile, list.children[index] ?? null);
      const [, text, key] = tile.children;
      tile.style.setProperty("--colour", face.colour);
      tile.classList.toggle("gone", !face.now);
      tile.classList.toggle("unknown", !face.known);
      text.firstChild.textContent = isolated(face.label);
      text.lastChild.textContent = face.now ? "in the picture" : `gone, last at ${face.last}`;
      key.textContent = face.digit;
      tile.title = face.known ? isolated(`${face.label}: enrol another picture, or correct the name`) : "Say who this is";
    }
    nobody.hidden = seen.length > 0;
    drawThumbnails();
  }

  function drawThumbnails() {
    const thumbnails = model.get("thumbnails");
    for (const [track, tile] of tiles) {
      const bytes = thumbnails[String(track)];
      if (!bytes || tile.bytes === bytes) continue;
      tile.bytes = bytes;
      tile.firstChild.replaceChildren(picture(bytes, { alt: "" }));
    }
  }

  function picture(bytes, properties) {
    const url = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    const done = () => URL.revokeObjectURL(url);
    return make("img", { ...properties, src: url, onload: done, onerror: done });
  }

  function drawLog() {
    const rows = model.get("events").map(({ time, text, kind }) => {
      return make("li", { className: kind }, make("time", { textContent: time }), make("span", { textContent: text }));
    });
    log.replaceChildren(...rows);
  }

  function drawLines() {
    statusLine.textContent = isolated(model.get("status"));
    alertLine.textContent = isolated(model.get("error"));
  }

  // ---- following Python

  const following = [
    ["number", () => (drawPicture(), drawBar())],
    ["facts", drawFacts],
    ["seen", drawSeen],
    ["thumbnails", drawThumbnails],
    ["events", drawLog],
    ...["state", "message", "recording", "source"].map((name) => [name, drawBar]),
    ...["status", "error"].map((name) => [name, drawLines]),
  ].map(([name, handle]) => [`change:${name}`, guarded(handle)]);
  for (const [name, handle] of following) model.on(name, handle);

  const watcher = new ResizeObserver(() => root.classList.toggle("narrow", root.clientWidth < 760));
  watcher.observe(root);
  root.append(bar, facts, make("div", { className: "parts" }, stage, side), statusLine, alertLine);
  el.append(root);
  guarded(() => {
    drawPicture();
    drawBar();
    drawFacts();
    drawSeen();
    drawLog();
    drawLines();
  })();

  return () => {
    for (const [name, handle] of following) model.off(name, handle);
    watcher.disconnect();
    if (running()) set("shown", -1); // no longer on this page; whoever still shows it goes on answering
  };
}

export default { render };
