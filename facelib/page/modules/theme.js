// Light or dark: as JupyterLab is where the page stands in it, else as the system says, until the user says otherwise.
import { iconButton } from "./icons.js";

const KEY = "facelib-theme";

export class Theme {
  constructor(root, changed) {
    Object.assign(this, { root, changed });
    this.system = globalThis.matchMedia("(prefers-color-scheme: dark)");
    this.system.addEventListener("change", () => this.apply());
    new MutationObserver(() => this.apply()).observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
    this.chosen = this.remembered();
    this.button = iconButton("light", "Light or dark", () => this.choose(this.dark ? "light" : "dark"));
    this.apply(false);
  }

  get dark() {
    if (this.chosen) return this.chosen === "dark";
    const lab = document.body.dataset.jpThemeLight;
    return lab ? lab === "false" : this.system.matches;
  }

  choose(theme) {
    this.chosen = theme;
    try {
      globalThis.localStorage.setItem(KEY, theme);
    } catch {
      // Without a place to remember it, the choice holds for this visit.
    }
    this.apply();
  }

  remembered() {
    try {
      return globalThis.localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }

  apply(tell = true) {
    this.root.dataset.theme = this.dark ? "dark" : "light";
    this.button.setAttribute("aria-label", this.dark ? "Light colours" : "Dark colours");
    this.button.title = this.dark ? "Light colours" : "Dark colours";
    if (tell) this.changed();
  }
}
