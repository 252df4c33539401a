// Moments as a table for spreadsheets and other programs, made by the browser: it needs no server.
import { make } from "./elements.js";

const timecode = (seconds) => {
  const thousandths = Math.round(seconds * 1000);
  const parts = [Math.floor(thousandths / 3600000), Math.floor(thousandths / 60000) % 60, Math.floor(thousandths / 1000) % 60];
  return `${parts.map((part) => String(part).padStart(2, "0")).join(":")}.${String(thousandths % 1000).padStart(3, "0")}`;
};

// As facelib/project/spreadsheets.py: what begins like a formula stands behind an apostrophe.
const field = (text) => {
  const safe = /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

// Return the table: a line for each moment, { film, start, end }, with who is on screen.
export function momentsTable(people, moments) {
  const who = people.join("; ");
  const rows = moments.map(({ film, start, end }) => [film.title, who, start.toFixed(3), end.toFixed(3), timecode(start), timecode(end)]);
  const lines = [["film", "people", "start", "end", "start_timecode", "end_timecode"], ...rows];
  return lines.map((line) => `${line.map(field).join(",")}\n`).join("");
}

// Return a button that saves the table of `found()` as a file named after the people.
export function tableButton(people, found) {
  const save = () => {
    const text = momentsTable(people(), found());
    const href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" })); // the mark tells Excel that it is UTF-8
    make("a", { href, download: `${people().join(", ").replace(/[\\/:*?"<>|]/g, "_")}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60000); // a browser may ask first where to save it
  };
  return make("button", { type: "button", title: "A line for each moment, for spreadsheets", onclick: save }, "Save as table");
}
