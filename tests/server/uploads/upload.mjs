// Sends a film by tus-js-client, or goes on with one: ENDPOINT TOKEN FILE STORE PIECE [BYTES].
// It ends itself behind so many bytes.
import fs from "node:fs";
import * as tus from "tus-js-client";

const [endpoint, token, path, store, piece, most] = process.argv.slice(2);
const upload = new tus.Upload(fs.createReadStream(path), {
  endpoint,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: "film.mp4" },
  uploadSize: fs.statSync(path).size,
  chunkSize: Number(piece),
  retryDelays: Array(600).fill(500),
  urlStorage: new tus.FileUrlStorage(store),
  fingerprint: async () => path,
  onChunkComplete: (_, sent) => {
    console.log(sent);
    if (sent > Number(most ?? Infinity)) process.exit(9);
  },
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
});
const [previous] = await upload.findPreviousUploads();
if (previous) upload.resumeFromPreviousUpload(previous);
upload.start();
