// Numbers and times as people read them.

// 12.34 is "0:12.3"; 3725 is "1:02:05.0". `digits` are those behind the point.
export function clockTime(seconds, digits = 1) {
  const unit = 10 ** digits;
  const whole = Math.floor(Math.max(0, seconds) * unit + 1e-6);
  const full = Math.floor(whole / unit);
  const [hours, minutes, rest] = [Math.floor(full / 3600), Math.floor(full / 60) % 60, full % 60];
  const fraction = digits ? `.${String(whole % unit).padStart(digits, "0")}` : "";
  const start = hours ? `${hours}:${String(minutes).padStart(2, "0")}` : `${minutes}`;
  return `${start}:${String(rest).padStart(2, "0")}${fraction}`;
}

// A length of time: "4.2 s", "12 min 5 s", "1 h 2 min".
export function lengthOfTime(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

// Rounded down: only what is certain is 100 %.
export function percent(share) {
  return `${Math.floor(100 * share + 1e-4)} %`;
}
