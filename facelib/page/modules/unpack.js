// Arrays as the library packs them: the kind of the numbers, and their bytes as base64.

const KINDS = { int16: Int16Array, int32: Int32Array, uint32: Uint32Array, float32: Float32Array, float64: Float64Array };

export function unpack({ kind, data }) {
  return new KINDS[kind](bytesOf(data).buffer);
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
  return bytes;
}
