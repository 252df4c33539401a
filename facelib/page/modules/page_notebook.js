// The page as a widget of a notebook.
import { App } from "./app.js";
import { make } from "./elements.js";
import { MemoryRouter } from "./routes.js";
import { KernelSource } from "./source_notebook.js";

export function renderPage({ model, el }) {
  const root = make("div", { className: "facelib-page" });
  root.dataset.lmSuppressShortcuts = "true"; // keys pressed here are not JupyterLab's
  el.append(root);
  const source = new KernelSource(model);
  const film = model.get("film");
  const app = new App(root, source, new MemoryRouter(film ? { film } : {}));
  root.app = app;
  app.start();
  return () => {
    app.view?.close();
    source.close();
  };
}
