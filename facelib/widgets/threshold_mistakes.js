// Faces that a setting takes for somebody else, or for nobody. Python sends which; their pictures come when asked for,
// a few at a time, so that the sliders never wait for a file.

const MORE = 12; // pairs that come with each press of a button

function render({ model, el }) {
  const addresses = new Map(); // by the face's id, of every picture that has come
  let open = false; // whether an answer is still to come

  const root = make("section", { className: "facelib-mistakes", attributes: { "aria-label": "Mistakes" } });
  const alertLine = make("div", { attributes: { role: "alert" } });
  const order = make("select", { attributes: { "aria-label": "Order of the faces" } },
    make("option", { value: "closest", textContent: "closest to the threshold first" }),
    make("option", { value: "worst", textContent: "worst first" }));
  order.value = model.get("order");
  order.addEventListener("change", () => {
    model.set("order", order.value);
    model.save_changes();
  });
  const groups = make("div");
  root.append(make("label", { className: "order" }, "Order: ", order), alertLine, groups);
  el.append(root);

  function picture(face) {
    const frame = make("div", { className: "frame" });
    const failed = model.get("failed")[face.id];
    if (addresses.has(face.id)) {
      frame.append(make("img", { src: addresses.get(face.id), alt: `${face.person}, ${face.name}` }));
    } else {
      frame.dataset.missing = face.id;
      frame.textContent = failed || "";
    }
    return make("figure", { title: face.name }, frame, make("figcaption", { textContent: face.person }));
  }

  function draw() {
    const focused = groups.contains(document.activeElement) ? document.activeElement.dataset.group : null;
    groups.replaceChildren(...model.get("groups").map((group) => {
      const pairs = group.pairs.map((pair) => make("li", { className: "pair" },
        make("div", { className: "faces" }, picture(pair.probe), picture(pair.shown)),
        make("div", { className: "distance", textContent: pair.text })));
      const rest = group.total - group.pairs.length;
      const label = rest > MORE ? `Show ${MORE} more of the ${rest} left` : `Show ${rest} more`;
      const more = rest > 0 ? [make("button", { textContent: label, attributes: { "data-group": group.id } })] : [];
      for (const button of more) {
        button.addEventListener("click", () => {
          model.set("most", { ...model.get("most"), [group.id]: group.pairs.length + MORE });
          model.save_changes();
        });
      }
      return make("section", { className: group.id },
        make("h4", {}, `${group.title} (`, make("span", { textContent: String(group.total) }), ")"),
        make("p", { textContent: group.total ? group.note : "None at this setting." }),
        make("ul", {}, ...pairs), ...more);
    }));
    if (focused) groups.querySelector(`[data-group="${focused}"]`)?.focus();
    ask();
  }

  function ask() {
    if (open) return;
    const failed = model.get("failed");
    const ids = [...groups.querySelectorAll("[data-missing]")].map((frame) => frame.dataset.missing);
    const wanted = [...new Set(ids)].filter((id) => !(id in failed)).slice(0, 16);
    if (!wanted.length) return;
    open = true;
    model.set("wanted", { ids: wanted, nonce: Math.random() }); // or the same faces could not be asked for again
    model.save_changes();
  }

  function arrived() {
    for (const [id, bytes] of Object.entries(model.get("pictures"))) {
      if (!addresses.has(id)) addresses.set(id, URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" })));
    }
    const failed = model.get("failed");
    for (const frame of groups.querySelectorAll("[data-missing]")) {
      const id = frame.dataset.missing;
      if (addresses.has(id)) {
        frame.replaceChildren(make("img", { src: addresses.get(id), alt: frame.parentElement.title }));
        delete frame.dataset.missing;
      } else if (id in failed) {
        frame.textContent = failed[id];
      }
    }
  }

  function answered() {
    open = false;
    arrived();
    ask();
  }

  function showError() {
    alertLine.textContent = model.get("error");
  }

  model.on("change:groups", draw);
  model.on("change:pictures", arrived);
  model.on("change:answered", answered);
  model.on("change:error", showError);
  model.on("change:order", () => (order.value = model.get("order")));
  arrived();
  draw();
  showError();
  return () => {
    for (const address of addresses.values()) URL.revokeObjectURL(address);
  };
}

export default { render };
