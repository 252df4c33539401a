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
  let latest = 0; // number of the newest picture that came

  const statusLine = make("div", { className: "line", attributes: { role: "status", "aria-live": "polite" } });
  const panel = makePanel({
    model,
    el,
    className: "facelib-live",
    label: "Live picture with names",
    narrow: 760,
    back: (opener) => (opener?.isConnected ? opener : stage).focus({ preventScroll: true }),
    handleKey,
  });
  const { root, alertLine, complain, guarded, set, ask } = panel;

  const running = () => RUNNING.includes(model.get("state"));
  const startOrStop = () => ask(running() ? "stop" : "start");
  const record = () => ask(model.get("recording") ? "stop recording" : "record");

  // ---- keys

  function handleKey({ key }) {
    const keyed = (test) => model.get("seen").find(test);
    const actions = { " ": startOrStop, p: () => ask("snapshot"), r: record, "?": openHelp };
    if (key in actions) actions[key]();
    else if (/^[1-9]$/.test(key)) openName(keyed((face) => face.digit === Number(key))?.track);
    else if (key === "u") openName((keyed((face) => !face.known && face.now) ?? keyed((face) => !face.known))?.track);
    else return false;
    return true;
  }

  // ---- dialogs

  const openHelp = () => panel.openHelp(KEYS);

  function openName(track, { typed = "", ...asked } = {}) {
    if (track === undefined) return;
    const face = model.get("seen").find((other) => other.track === track);
    const bytes = model.get("thumbnails")[String(track)];
    const who = bytes ? [picture(bytes, { alt: face?.label ?? "the face" })] : [];
    panel.openName("Enrol this face as …", {
      verb: "Enrol",
      allowNew: true,
      typed,
      ...asked,
      take: (person, isNew) => ask("enrol", { track, person, new: isNew }),
      parts: (field) => [make("div", { className: "who" }, ...who, make("div", {}, field.input, field.list))],
    });
  }

  // A name that is nearly a known one comes back as a question, and one that is refused with the reason.
  function askAgain() {
    const { track, person, near, same, problem } = model.get("asked");
    if (near?.length || problem) openName(track, { typed: person, near, same, problem });
  }

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

  const shownBy = [
    ["number", () => (drawPicture(), drawBar())],
    ["facts", drawFacts],
    ["seen", drawSeen],
    ["thumbnails", drawThumbnails],
    ["events", drawLog],
    ["asked", askAgain],
    ...["state", "message", "recording", "source"].map((name) => [name, drawBar]),
    ...["status", "error"].map((name) => [name, drawLines]),
  ];
  const draw = () => {
    drawPicture();
    drawBar();
    drawFacts();
    drawSeen();
    drawLog();
    drawLines();
  };
  const end = panel.show([bar, facts, make("div", { className: "parts" }, stage, side), statusLine, alertLine], draw, shownBy);
  return () => {
    end();
    if (running()) set("shown", -1); // no longer on this page; whoever still shows it goes on answering
  };
}

export default { render };
