// A file sent by the tus protocol, piece by piece. A piece that was lost is sent again from where the server is, and a
// file that was begun before the page was closed continues where it stopped.
import { API, ApiError } from "./client.js";

const PIECE = 4 * 2 ** 20;
const ATTEMPTS = 9; // without a single byte more; some two minutes
const LONGEST_PAUSE = 30_000;
const TUS = { "Tus-Resumable": "1.0.0" };

// `told(share)` is called with how much of the file is there, from 0 to 1; returns the upload's address in the API.
export async function uploadFile(client, base, file, told) {
  if (!file.size) throw new Error("expected a film, got an empty file");
  const kept = `facelib upload ${base} ${file.size} ${file.lastModified} ${file.name}`;
  let place = remembered(kept);
  let [offset, failures] = [place ? undefined : 0, 0];
  while (offset !== file.size) {
    try {
      if (!place) {
        place = await begin(client, base, file);
        remember(kept, place);
      }
      offset ??= await offsetOf(client, place);
      told(offset / file.size);
      if (offset < file.size) offset = await sendPiece(client, place, file, offset);
      failures = 0;
    } catch (error) {
      if (isForgotten(error) && offset === undefined && place) {
        [place, offset] = [null, 0]; // of an upload that is over: start again
        remember(kept, null);
        continue;
      }
      failures += 1;
      if (isFinal(error) || failures >= ATTEMPTS) {
        if (isFinal(error) && error.status !== 401) remember(kept, null); // after a new log-in it goes on
        throw error;
      }
      await new Promise((resolve) => { setTimeout(resolve, Math.min(LONGEST_PAUSE, 250 * 2 ** failures)); });
      if (place) offset = undefined;
    }
  }
  told(1);
  remember(kept, null);
  return place;
}

async function begin(client, base, file) {
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const made = await send(client, `${API}${base}/uploads`, { method: "POST", headers: { "Upload-Length": file.size, "Upload-Metadata": `filename ${name}` } });
  return new URL(made.headers.get("Location"), globalThis.location.href).pathname;
}

async function offsetOf(client, place) {
  return Number((await send(client, place, { method: "HEAD" })).headers.get("Upload-Offset"));
}

async function sendPiece(client, place, file, offset) {
  const headers = { "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" };
  const answer = await send(client, place, { method: "PATCH", body: file.slice(offset, offset + PIECE), headers });
  return Number(answer.headers.get("Upload-Offset"));
}

// 409 is a piece that the server still receives from the connection that broke; 423 and 429 ask for patience.
function isFinal({ status }) {
  return status >= 400 && status < 500 && ![408, 409, 423, 429].includes(status);
}

function isForgotten({ status }) {
  return status === 404 || status === 410;
}

async function send(client, address, { headers, ...options }) {
  let answer;
  try {
    answer = await fetch(address, { credentials: "same-origin", headers: { ...TUS, "X-CSRF-Token": client.csrf, ...headers }, ...options });
  } catch {
    throw new ApiError(0, { detail: "The connection broke." });
  }
  if (!answer.ok) throw new ApiError(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

function remembered(name) {
  try {
    return globalThis.localStorage.getItem(name);
  } catch { // a browser that keeps nothing
    return null;
  }
}

function remember(name, place) {
  try {
    if (place) globalThis.localStorage.setItem(name, place);
    else globalThis.localStorage.removeItem(name);
  } catch { // the upload goes on, for as long as the page is open
  }
}
