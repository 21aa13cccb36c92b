// Right: what the line read and wrote, as heat maps.

const ROWS = 24, COLUMNS = 48, BLOCKS = 12;
const HOLDS_NUMBERS = { number: 3.5, whole: 1.6 }; // rem that a cell needs to show its number
const LARGER = 1.35; // where the arrays have the room to themselves

function showArrays(moment) {
  const panel = byId("values");
  const frames = runs.map((run, which) => run.frames[moments[moment][which]] || null);
  const frame = frames.find(Boolean);
  const written = Object.keys(frame.changed);
  const read = frame.read.filter((name) => !written.includes(name) && name in frame.locals);
  const rest = Object.keys(frame.locals).filter((name) => !written.includes(name) && !read.includes(name));
  const { height, left } = { height: panel.scrollTop, left: panel.scrollLeft };
  const parts = [];
  if (read.length) parts.push(...group("Read by this line", read, frames));
  if (written.length) parts.push(...group(frame.event === "call" ? "Arguments" : "Written by this line", written, frames, true));
  if (!parts.length) parts.push(element("p", { className: "more", textContent: "This line reads and writes no arrays." }));
  if (rest.length) parts.push(others(rest, frames));
  panel.replaceChildren(...parts);
  panel.scrollTop = height;
  panel.scrollLeft = left;
}

function group(title, names, frames, written = false) {
  const box = element("div", { className: "some" });
  for (const name of names) box.append(arrayOf(name, frames, written));
  return [element("h3", { textContent: title }), box];
}

/** The other variables in sight: at once where there is room, else when asked for. */
function others(names, frames) {
  const box = element("div", { className: "some" });
  const whole = element("details", { open: byId("values").classList.contains("wide") || others.open },
    element("summary", { textContent: `Also in sight: ${names.join(", ")}` }), box);
  const fill = () => {
    if (!whole.open || box.childElementCount) return;
    for (const name of names) box.append(arrayOf(name, frames, false));
  };
  whole.addEventListener("toggle", () => {
    others.open = whole.open;
    fill();
  });
  fill();
  return whole;
}

function arrayOf(name, frames, written) {
  const box = element("div", { className: "array" });
  box.dataset.name = name;
  const values = frames.map((frame, which) => (frame && name in frame.locals ? runs[which].values[frame.locals[name]] : null));
  const first = values.find(Boolean);
  const which = values.indexOf(first);
  const gradient = runs[which].gradients.includes(name);
  const heading = element("h4", {}, element("b", { textContent: name, className: gradient ? "gradient" : "" }));
  if (first.shape.length) heading.append(element("span", { textContent: described(first) }));
  if (written) heading.append(badge(runs[which], frames[which], name));
  const owner = first.view_of;
  if (owner) heading.append(element("span", { textContent: `a view of ${owner.name}${owner.slice ?? ""}` }));
  box.append(heading);
  values.forEach((value, k) => {
    if (!value) return;
    const earlier = written && before(runs[k], frames[k], name);
    const other = beside ? values[1 - k] : earlier;
    const labelled = element("div", {}, ...(beside ? [element("p", { className: "more", textContent: k ? "second run" : "first run" })] : []));
    labelled.append(shown(value, name, gradient ? "gradient" : "value", other, largestOf(values)));
    box.append(labelled);
  });
  return box;
}

function largestOf(values) {
  return Math.max(...values.filter(Boolean).map((value) => largest(flat(value))));
}

function described(value) {
  const sizes = value.shape.map((size, k) => (value.axes ? `${value.axes[k]} ${size}` : size));
  return `${sizes.join(" × ")}, largest ${short(largest(flat(value)), isWhole(value))}`;
}

function badge(run, frame, name) {
  return element("span", { className: "badge", textContent: before(run, frame, name) ? "changed" : "new" });
}

/** What a variable was before the line; null if this is its first value in this call. */
function before(run, frame, name) {
  for (let i = frame.i - 1; i >= 0; i--) {
    if (run.frames[i].call === frame.call) {
      const id = run.frames[i].locals[name];
      return id === undefined ? null : run.values[id];
    }
  }
  return null;
}

function shown(value, name, scale, other, most) {
  const numbers = flat(value);
  if (!value.shape.length) return element("span", { className: "number", textContent: exact(numbers[0]) });
  const columns = value.shape.at(-1), rows = value.shape.at(-2) ?? 1;
  const blocks = rows * columns ? numbers.length / (rows * columns) : 0;
  let same = other && other.shape.join() === value.shape.join() ? flat(other) : null;
  if (same && !beside && numbers.every((x, k) => x !== same[k])) same = null; // all of it is new
  const answer = element("div", { className: "grids" });
  for (let block = 0; block < Math.min(blocks, BLOCKS); block++) {
    answer.append(grid({ value, name, scale, same, most, block, rows, columns }));
  }
  const hidden = [];
  if (blocks > BLOCKS) hidden.push(`${BLOCKS} of ${blocks} blocks`);
  if (rows > ROWS) hidden.push(`${ROWS} of ${rows} rows`);
  if (columns > COLUMNS) hidden.push(`${COLUMNS} of ${columns} columns`);
  if (hidden.length) answer.append(element("p", { className: "more", textContent: `Shown: the first ${hidden.join(", ")}.` }));
  if (!numbers.length) answer.append(element("p", { className: "more", textContent: "Empty." }));
  return answer;
}

function exact(x) {
  return Number.isFinite(x) ? String(x).replace("-", "−") : short(x);
}

/** One matrix as a table, its cells reached by the arrow keys. */
function grid({ value, name, scale, same, most, block, rows, columns }) {
  const numbers = flat(value), whole = isWhole(value), parts = partsOf(value);
  const wide = (byId("values").clientWidth || 420) / (byId("values").classList.contains("wide") ? LARGER : 1) / parseFloat(getComputedStyle(document.documentElement).fontSize) - 4;
  const withNumbers = Math.min(columns, COLUMNS) * (whole ? HOLDS_NUMBERS.whole : HOLDS_NUMBERS.number) <= wide;
  const table = element("table", { className: withNumbers ? "heat" : "heat tight", role: "grid", "aria-label": `${name}, ${value.shape.join(" by ")}` });
  const lead = leadingIndex(value, block);
  if (value.shape.length > 2) table.append(element("caption", { className: "more", textContent: leadLabel(value, lead) }));
  table.append(headings(columns, parts, value));
  const body = element("tbody");
  for (let r = 0; r < Math.min(rows, ROWS); r++) {
    const row = element("tr", {}, element("th", { scope: "row", textContent: value.shape.length > 1 ? r : "" }));
    for (let c = 0; c < Math.min(columns, COLUMNS); c++) {
      const k = (block * rows + r) * columns + c;
      row.append(cell(numbers[k], { whole, withNumbers, most, scale }, place(name, value, lead, r, c)));
      if (parts && c && c % parts.size === 0) row.lastChild.classList.add("part");
      if (same && !Object.is(same[k], numbers[k])) row.lastChild.classList.add("was");
    }
    body.append(row);
  }
  table.append(body);
  table.querySelector("td")?.setAttribute("tabindex", "0");
  return element("div", {}, table);
}

function cell(x, { whole, withNumbers, most, scale }, where) {
  const { paper, ink } = colour(x, most, scale);
  const made = element("td", { tabIndex: -1, textContent: withNumbers ? short(x, whole) : "" });
  made.dataset.tip = `${where}\n${exact(x)}`;
  made.setAttribute("aria-label", `${where}: ${exact(x)}`);
  made.setAttribute("role", "gridcell");
  made.style.background = paper;
  made.style.color = ink;
  return made;
}

function headings(columns, parts, value) {
  const head = element("thead");
  const corner = () => element("td", { role: "presentation" });
  if (parts) {
    const row = element("tr", {}, element("th", { scope: "col", textContent: value.axes.at(-1) }));
    parts.names.forEach((gate, k) => row.append(element("th", { colSpan: parts.size, scope: "colgroup", textContent: gate, className: k ? "part" : "" })));
    head.append(row);
  }
  const label = value.axes ? value.axes.slice(-2).join(" ╲ ") : "";
  const row = element("tr", {}, parts ? element("th", { scope: "col", textContent: value.axes.at(-2) ?? "" }) : element("th", { scope: "col", textContent: label }));
  for (let c = 0; c < Math.min(columns, COLUMNS); c++) row.append(element("th", { scope: "col", textContent: parts ? c % parts.size : c }));
  head.append(row);
  return head;
}

/** How a last axis such as 4H divides among the gates. */
function partsOf(value) {
  const gates = runs[0].network?.gates || [];
  const match = /^(\d)[A-Z]$/.exec(value.axes?.at(-1) ?? "");
  if (!match || Number(match[1]) !== gates.length || value.shape.at(-1) > COLUMNS) return null;
  return { names: gates, size: value.shape.at(-1) / gates.length };
}

function leadingIndex(value, block) {
  const answer = [];
  for (const size of value.shape.slice(0, -2).reverse()) {
    answer.unshift(block % size);
    block = Math.floor(block / size);
  }
  return answer;
}

function leadLabel(value, lead) {
  return lead.map((k, axis) => `${value.axes?.[axis] ?? "axis " + axis} = ${k}`).join(", ");
}

function place(name, value, lead, r, c) {
  const index = [...lead, ...(value.shape.length > 1 ? [r] : []), c];
  return `${name}[${index.join(", ")}]`;
}

document.addEventListener("keydown", (event) => {
  const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const from = event.target.closest?.(".heat td");
  if (!from || !move || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const row = from.parentElement;
  const rows = [...row.parentElement.children];
  const to = rows[rows.indexOf(row) + move[0]]?.children[[...row.children].indexOf(from) + move[1]];
  if (to?.tagName !== "TD") return;
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
});
