// Tells Python how wide the column is, and what the pointer does on the plotly figure that stands below.

function render({ model, el }) {
  el.style.cssText = "width: 100%; height: 0; margin: 0; padding: 0; overflow: hidden;";
  const observer = new ResizeObserver(() => {
    const width = Math.floor(el.getBoundingClientRect().width);
    if (width < 1 || width === model.get("width")) return; // hidden, or nothing new
    model.set("width", width);
    model.save_changes();
  });
  observer.observe(el);

  // Each in a trait of its own: Jupyter sends only the last of several values of one trait while the kernel is busy,
  // and the pointer, moving on, would overwrite what the lasso has caught.
  let number = 0;
  const tell = (name) => (event) => {
    const rows = (event?.points ?? []).map((point) => point.customdata).filter((row) => Number.isInteger(row));
    number = Math.max(number, model.get(name).number ?? 0) + 1;
    model.set(name, { number, rows });
    model.save_changes();
  };
  const heard = new Set();
  const listen = (figure) => {
    if (heard.has(figure) || !figure?.on || !el.closest(".facelib-pointed")?.contains(figure)) return;
    heard.add(figure);
    figure.on("plotly_hover", tell("hovered"));
    figure.on("plotly_click", tell("clicked"));
    // Without points it was a click that plotly takes for an empty loop, or the end of a loop being changed.
    figure.on("plotly_selected", (event) => event && tell("caught")(event));
    figure.on("plotly_deselect", tell("caught"));
  };
  const drawn = (event) => listen(event.detail.element);
  document.addEventListener("plotlywidget-after-render", drawn);
  // The figure may have been there first, and this line not yet in the page.
  let tries = 0;
  const timer = setInterval(() => {
    listen(el.closest(".facelib-pointed")?.querySelector(".js-plotly-plot"));
    tries += 1;
    if (heard.size || tries > 600) clearInterval(timer);
  }, 100);

  return () => {
    observer.disconnect();
    clearInterval(timer);
    document.removeEventListener("plotlywidget-after-render", drawn);
  };
}

export default { render };
