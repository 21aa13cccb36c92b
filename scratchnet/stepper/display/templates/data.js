// The recording, and what is read off it once: calls, moments, values.

const page = JSON.parse(document.getElementById("recording").textContent);
const runs = page.runs;
const beside = runs.length > 1;

/** For each moment the frame of each run; null where a run has no such line. */
const moments = page.moments || runs[0].frames.map((frame) => [frame.i]);
const last = moments.length - 1;

function byId(id) {
  return document.getElementById(id);
}

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function svgElement(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The run and frame whose line is shown at a moment. */
function leading(moment) {
  const which = moments[moment].findIndex((i) => i !== null);
  return { run: runs[which], frame: runs[which].frames[moments[moment][which]], which };
}

/** How far a run has come at a moment: its latest frame, -1 before the first. */
const reached = runs.map((_, which) => {
  let latest = -1;
  return moments.map((frames) => (latest = frames[which] ?? latest));
});

/** The moment at which a run's frame is shown. */
const momentOf = runs.map((_, which) => new Map(moments.map((frames, m) => [frames[which], m])));

function lineOf(run, frame) {
  const file = run.files[run.functions[frame.function].file];
  return { file, html: file.lines[frame.line - file.first] || "", equation: file.equations[frame.line] };
}

/** An array's numbers in one list, with NaN and infinity in their places. */
function flat(value) {
  if (!value.flat) {
    value.flat = value.shape.length ? value.data.flat(Infinity) : [value.data];
    for (const [place, name] of Object.entries(value.special || {})) {
      value.flat[place] = { nan: NaN, inf: Infinity, "-inf": -Infinity }[name];
    }
    value.flat = value.flat.map(Number);
  }
  return value.flat;
}

function largest(numbers) {
  let found = 0;
  for (const x of numbers) if (Number.isFinite(x)) found = Math.max(found, Math.abs(x));
  return found;
}

/** A number with few digits; the exact one is shown on hover and focus. */
function short(x, whole = false) {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (whole || (Number.isInteger(x) && Math.abs(x) < 1e4)) return String(x).replace("-", "−");
  const size = Math.abs(x);
  const said = size < 5e-4 || size >= 1e4 ? x.toExponential(0) : x.toFixed(size < 100 ? 3 : 1);
  return said.replace("-", "−");
}

function isWhole(value) {
  return /^(u?int|bool)/.test(value.dtype);
}

/** The value that a series has at a frame: its last entry that is not later. */
function at(series, frame) {
  let found = null;
  for (const [i, value] of series || []) {
    if (i > frame) break;
    found = value;
  }
  return found;
}
