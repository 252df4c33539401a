// A file sent by the tus protocol, piece by piece: a piece that was lost is sent again from where the server is.
import { API, ApiError } from "./client.js";

const PIECE = 4 * 2 ** 20;
const ATTEMPTS = 5;

export async function uploadFile(client, base, file, told) {
  const headers = { "Tus-Resumable": "1.0.0", "X-CSRF-Token": client.csrf };
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const made = await send(`${API}${base}/uploads`, { method: "POST", headers: { ...headers, "Upload-Length": file.size, "Upload-Metadata": `filename ${name}` } });
  const place = new URL(made.headers.get("Location"), globalThis.location.href);
  let [offset, failed] = [0, 0];
  while (offset < file.size) {
    const piece = file.slice(offset, offset + PIECE);
    try {
      const answer = await send(place, { method: "PATCH", body: piece, headers: { ...headers, "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" } });
      offset = Number(answer.headers.get("Upload-Offset"));
      failed = 0;
    } catch (error) {
      failed += 1;
      if (failed >= ATTEMPTS || (error.status >= 400 && error.status < 500 && error.status !== 409)) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 500 * 2 ** failed); });
      const head = await send(place, { method: "HEAD", headers });
      offset = Number(head.headers.get("Upload-Offset"));
    }
    told(offset / file.size);
  }
}

async function send(address, options) {
  let answer;
  try {
    answer = await fetch(address, { credentials: "same-origin", ...options });
  } catch {
    throw new ApiError(0, { detail: "The connection broke." });
  }
  if (!answer.ok) throw new ApiError(answer.status, await answer.json().catch(() => ({})));
  return answer;
}
