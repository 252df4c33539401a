// A plotly figure as wide as its column. The library comes from Python, once for all figures of the page.

const CONFIG = { displaylogo: false };

// What all figures of the page share, whichever notebooks they stand in.
const page = (globalThis.facelibFigures ??= makePage());

function makePage() {
  const made = { waiting: [], come: false };
  made.library = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

// In each notebook the first figure that waits asks for the library: what another notebook asked may have ended.
function ask() {
  for (const figure of page.waiting) {
    const notebook = figure.model.widget_manager;
    if (page.waiting.some((other) => other.asked && other.model.widget_manager === notebook)) continue;
    figure.asked = true;
    try {
      figure.model.send({ wanted: "plotly.js" });
    } catch {
      // Its kernel has ended; the figures of its notebook are about to go.
    }
  }
}

// Returns a function that waits for the library no more.
function awaitPlotly(model) {
  const figure = { model, asked: false };
  const leave = () => {
    page.waiting = page.waiting.filter((other) => other !== figure);
    ask();
  };
  model.on("msg:custom", async (content, buffers) => {
    if (page.come) return;
    page.come = true;
    page.waiting = [];
    try {
      // As a CommonJS module, whatever loader the page has, and without leaving anything behind in it.
      const parts = ["const module = {exports: {}}, exports = module.exports, define = undefined;\n", buffers[0],
        "\nexport default module.exports;"];
      const address = URL.createObjectURL(new Blob(parts, { type: "text/javascript" }));
      page.resolve((await import(address)).default);
      URL.revokeObjectURL(address);
    } catch (error) {
      page.reject(error);
    }
  });
  if (!page.come) page.waiting.push(figure);
  ask();
  return leave;
}

function put(target, path, value) {
  const names = path.split(".");
  const last = names.pop();
  let place = target;
  for (const name of names) place = place[name] ??= {};
  place[last] = value;
}

function initialize({ model }) {
  // The model holds the state for all its views: a change is put in once, and a view made later has it.
  const apply = () => {
    const { traces = {}, layout = {} } = model.get("change");
    const data = model.get("data");
    for (const [number, values] of Object.entries(traces)) data[number] = { ...data[number], ...values };
    for (const [path, value] of Object.entries(layout)) put(model.get("figure_layout"), path, value);
  };
  model.on("change:change", apply);
  apply(); // a change that came while this module was being loaded
}

// Tells Python what the pointer does, each event in a trait of its own: Jupyter sends only the last of several values
// of one trait while the kernel is busy, and the pointer, moving on, would overwrite what the lasso has caught.
function listen(plot, model) {
  let number = 0;
  const tell = (name) => (event) => {
    const rows = (event?.points ?? []).map((point) => point.customdata).filter((row) => Number.isInteger(row));
    number = Math.max(number, model.get(name).number ?? 0) + 1;
    model.set(name, { number, rows });
    model.save_changes();
  };
  plot.on("plotly_hover", tell("hovered"));
  plot.on("plotly_click", tell("clicked"));
  // Without points it was a click that plotly takes for an empty loop, or the end of a loop being changed.
  plot.on("plotly_selected", (event) => event && tell("caught")(event));
  plot.on("plotly_deselect", tell("caught"));
}

function render({ model, el }) {
  const plot = document.createElement("div");
  plot.className = "facelib-figure";
  el.style.cssText = "width: 100%; min-width: 0; overflow: hidden;";
  plot.style.height = `${model.get("figure_layout").height}px`; // nothing below jumps when the figure comes
  el.append(plot);

  let plotly = null;
  let drawn = null; // the state of the model that is on the page
  let waiting = false;

  // However fast changes come, a figure is drawn no more often than the page.
  function draw() {
    if (waiting || plotly === null) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const width = Math.floor(el.getBoundingClientRect().width);
      if (width < 1) return; // hidden: the observer calls again
      const layout = { ...model.get("figure_layout"), width: Math.max(width, 200) };
      const first = drawn === null;
      nameSliders();
      drawn = show(layout).then(() => show(withRoomForLegend(layout))).catch(fail);
      if (first && model.get("pointed")) drawn.then(() => plot.on && listen(plot, model));
    });
  }

  function show(layout) {
    if (layout === null) return null;
    plot.style.height = `${layout.height}px`;
    return plotly.react(plot, model.get("data"), layout, CONFIG);
  }

  // In a narrow column a legend below the plot has fewer columns: the figure grows, or the legend would scroll.
  function withRoomForLegend(layout) {
    const legend = plot._fullLayout?.legend;
    const missing = Math.ceil((legend?._height ?? 0) - (legend?._effHeight ?? 0));
    if (!(missing > 0 && layout.legend?.maxheight)) return null;
    const [margin, wider] = [{ ...layout.margin }, { ...layout.legend }];
    margin.b += missing;
    wider.maxheight += missing;
    return { ...layout, height: layout.height + missing, margin, legend: wider };
  }

  // The handle of an ipywidgets slider, such as those beside a figure, has no name for a screen reader.
  function nameSliders() {
    for (const slider of document.querySelectorAll(".widget-slider")) {
      const label = slider.querySelector(".widget-label")?.textContent;
      for (const handle of slider.querySelectorAll(".noUi-handle")) handle.setAttribute("aria-label", label ?? "");
    }
  }

  function fail(error) {
    plot.setAttribute("role", "alert");
    plot.textContent = `${error.name}: ${error.message}`;
  }

  const observer = new ResizeObserver(draw);
  observer.observe(el);
  model.on("change:change", draw);
  const leave = awaitPlotly(model);
  page.library.then((library) => {
    plotly = library;
    draw();
  }, fail);
  return () => {
    observer.disconnect();
    model.off("change:change", draw);
    if (plotly && drawn) plotly.purge(plot);
    leave();
  };
}

export default { initialize, render };
