// A small card beside the pointer.
import { make } from "./elements.js";

export class Hint {
  constructor(root) {
    this.element = make("div", { className: "hint", hidden: true, attributes: { "aria-hidden": "true" } });
    root.append(this.element);
  }

  // `key` says what the card is about: for the same key only its place changes.
  show(key, event, build) {
    if (this.key !== key) {
      this.key = key;
      this.element.replaceChildren(...build());
    }
    this.element.hidden = false;
    const { offsetWidth: w, offsetHeight: h } = this.element;
    const page = this.element.offsetParent.getBoundingClientRect();
    const right = Math.min(innerWidth, page.right);
    const x = event.clientX + 16 + w > right ? event.clientX - w - 12 : event.clientX + 16;
    const y = event.clientY + 18 + h > innerHeight ? event.clientY - h - 12 : event.clientY + 18;
    Object.assign(this.element.style, { left: `${Math.max(4, x - page.left)}px`, top: `${Math.max(4, y - page.top)}px` });
  }

  hide() {
    this.element.hidden = true;
  }
}

// One face of a sheet of faces as an element of its own; the sheet is fetched when the face is first shown.
export function sheetFace(source, { sheet, column, row, tile, columns, address }, size = tile) {
  const element = make("span", { className: "face sheet", attributes: { "aria-hidden": "true" } });
  const factor = size / tile;
  Object.assign(element.style, {
    width: `${size}px`,
    height: `${size}px`,
    backgroundSize: `${tile * columns * factor}px auto`,
    backgroundPosition: `${-column * size}px ${-row * size}px`,
  });
  source.url(address(sheet)).then((url) => {
    element.style.backgroundImage = `url("${url.replace(/["\\\n]/g, encodeURIComponent)}")`;
  }, () => {});
  return element;
}
