// The page as a file on the disk.
import { App } from "./app.js";
import { HashRouter } from "./routes.js";
import { FileSource } from "./source_files.js";

const root = document.getElementById("facelib-page");
const app = new App(root, new FileSource(), new HashRouter());
const ownTitle = document.title;
app.ontitle = (title) => { document.title = title && title !== ownTitle ? `${title} – ${ownTitle}` : ownTitle; };
// For the console and for tests.
root.app = app;
app.start();
