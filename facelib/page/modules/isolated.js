// Names in Hebrew or Arabic letters, beside text in others.

const LETTERS = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]";
const WORDS_FROM_THE_RIGHT = new RegExp(`${LETTERS}+(?:[ .'\u2019\u200c\u200d-]+${LETTERS}+)*`, "gu");

// The same as `isolated` of facelib/project/wording.py: browsers would read the numbers behind such a name along with it.
export function isolated(text) {
  return typeof text === "string" ? text.replace(WORDS_FROM_THE_RIGHT, "\u2068$&\u2069") : text;
}
