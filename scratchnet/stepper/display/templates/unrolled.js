// Middle, recurrent: time across, gates down; gradients come from the right in a second scale.

const CELL = { width: 64, height: 35, across: 88, down: 46, gap: 12, left: 60, top: 30 };
const LEAST = 1e-300; // the end of a scale where there is nothing to show
const TILES = { rows: 4, columns: 16 };

/** Draw the unrolled network of one run; returns how to show a frame in it. */
function unrolled(run, host) {
  const { rows, columns, lit } = run.drawing;
  const scales = { value: ends(run, "values"), input: ends(run, "values", true), gradient: ends(run, "gradients") };
  const width = CELL.left + columns.length * CELL.across + 4;
  fill(host, width, rows.length);
  const height = CELL.top + rows.length * CELL.down + 6;
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.style.minWidth = `${width * 0.72}px`;
  svg.style.maxHeight = "100%";
  rows.forEach((row, k) => {
    const y = CELL.top + k * CELL.down;
    svg.append(label(row.name, 2, y + CELL.height * 0.25 + 4, ""), label(row.gradient, 2, y + CELL.height * 0.75 + 4, "backward"));
  });
  const shades = columns.map((_, t) => svg.appendChild(svgElement("rect", { class: "column", x: CELL.left + t * CELL.across - 7, y: 3, width: CELL.width + 14, height: height - 6, rx: 8 })));
  const wires = columns.slice(1).map((_, t) => wiresBetween(svg, rows, t));
  const drawn = columns.map((_, t) => column(svg, run, t));
  host.append(svg);
  return (frame) => {
    const now = lit[frame];
    drawn.forEach((each, t) => {
      shades[t].classList.toggle("now", now?.[0] === t);
      each.cells.forEach((one, row) => {
        one.group.classList.toggle("lit", now?.[0] === t && now[1].includes(row));
        tiles(run, one.value, at(columns[t].values[row], frame), row ? scales.value : scales.input, "value", rows[row].name, t);
        tiles(run, one.gradient, at(columns[t].gradients[row], frame), scales.gradient, "gradient", rows[row].gradient, t);
      });
    });
    wires.forEach((each, t) => {
      for (const [state, parts] of Object.entries(each)) {
        const row = rows.findIndex((one) => one.name === state);
        const sent = at(columns[t].values[row], frame) !== null;
        const returned = at(columns[t + 1].earlier[state], frame) !== null;
        for (const part of parts.there) part.classList.toggle("on", sent);
        for (const part of parts.back) part.classList.toggle("on", returned);
      }
    });
    svg.setAttribute("aria-label", summary(run, frame, now));
    if (now) follow(host.closest(".scroll"), drawn[now[0]].group);
  };
}

/** Make the cells as high as the room allows. */
function fill(host, width, rows) {
  const box = host.closest(".scroll");
  const shape = Math.max(0.5, (box.clientHeight / runs.length - 20) / Math.max(1, box.clientWidth - 12));
  CELL.down = Math.max(40, Math.min(92, (width * shape - CELL.top - 8) / rows));
  CELL.height = CELL.down - CELL.gap;
}

/** The end of a scale: of all rows but the input, or of the input; of all gradients. */
function ends(run, which, input = false) {
  const used = run.drawing.columns.flatMap((column) => column[which].flatMap((series, row) => (which === "values" && (row === 0) !== input ? [] : series)));
  return Math.max(LEAST, ...used.map(([, id]) => largest(flat(run.values[id]))));
}

function label(text, x, y, className, size = 12) {
  return svgElement("text", { x, y, class: className, "font-size": size }, text);
}

function column(svg, run, t) {
  const { rows } = run.drawing;
  const x = CELL.left + t * CELL.across;
  const group = svgElement("g", {});
  group.append(label(`t = ${t}`, x + 12, 20, "", 13));
  group.append(svgElement("path", { class: "wire", d: `M${x + CELL.width / 2} ${CELL.top} V${CELL.top + (rows.length - 1) * CELL.down}` }));
  const cells = rows.map((row, k) => {
    const y = CELL.top + k * CELL.down;
    const one = svgElement("g", { class: "node" });
    one.append(svgElement("rect", { class: "halo", x: x - 5, y: y - 4, width: CELL.width + 10, height: CELL.height + 8, rx: 6 }));
    one.append(svgElement("rect", { class: "box", x, y, width: CELL.width, height: CELL.height, rx: 3 }));
    const value = svgElement("g", { transform: `translate(${x + 1.5} ${y + 1.5})` });
    const gradient = svgElement("g", { transform: `translate(${x + 1.5} ${y + CELL.height / 2 + 0.75})` });
    one.append(value, gradient);
    one.addEventListener("click", () => jumpTo(run, t, k));
    group.append(one);
    return { group: one, value, gradient };
  });
  svg.append(group);
  return { group, cells };
}

/** To the line that computed a cell: its gradient in the backward pass, its value before. */
function jumpTo(run, t, row) {
  const { values, gradients } = run.drawing.columns[t];
  const which = runs.indexOf(run);
  const back = leading(current()).frame.phase === "backward";
  const [frame] = (back && gradients[row].at(-1)) || values[row].at(-1) || gradients[row].at(-1) || [];
  if (frame !== undefined) go(momentOf[which].get(frame));
}

/** A small map of an array: examples down, units across. */
function tiles(run, host, id, most, scale, name, t) {
  const key = `${id} ${theme}`;
  if (host.dataset.shown === key) return;
  host.dataset.shown = key;
  host.replaceChildren();
  if (id === null) return;
  const value = run.values[id], numbers = flat(value);
  const columns = value.shape.at(-1) ?? 1, rows = columns ? numbers.length / columns : 0;
  const [across, down] = [Math.min(columns, TILES.columns), Math.min(rows, TILES.rows)];
  const width = (CELL.width - 3) / across, height = (CELL.height / 2 - 2.25) / down;
  for (let r = 0; r < down; r++) {
    for (let c = 0; c < across; c++) {
      const x = numbers[r * columns + c];
      const tile = svgElement("rect", { x: c * width, y: r * height, width: width - 0.6, height: height - 0.6, fill: colour(x, most, scale).paper });
      tile.dataset.tip = `${name} at t = ${t}: example ${r}, unit ${c}\n${exact(x)}`;
      host.append(tile);
    }
  }
}

/** How much of the hidden state the tiles have room for; nothing where it is all of it. */
function tilesShown(run) {
  const [, id] = run.drawing.columns.flatMap((column) => column.values.at(-1))[0] ?? [];
  if (id === undefined) return "";
  const { shape } = run.values[id];
  const parts = [[shape.at(-1) ?? 1, TILES.columns, "units"], [shape.at(-2) ?? 1, TILES.rows, "examples"]];
  return parts.filter(([count, most]) => count > most).map(([count, most, what]) => `${most} of ${count} ${what}`).join(", ");
}

/** The states' wires from one column to the next, and back. */
function wiresBetween(svg, rows, t) {
  const from = CELL.left + t * CELL.across + CELL.width, to = CELL.left + (t + 1) * CELL.across;
  const middle = (row) => CELL.top + row * CELL.down + CELL.height / 2;
  const answer = {};
  const rowOf = (name) => rows.findIndex((row) => row.name === name);
  if (rowOf("c") >= 0) {
    const y = middle(rowOf("c"));
    answer.c = {
      there: wire(svg, `M${from} ${y - 5} H${to - 5}`, [to, y - 5, 1], ""),
      back: wire(svg, `M${to} ${y + 7} H${from + 5}`, [from, y + 7, -1], "back"),
    };
  }
  const [low, high, gap] = [middle(rows.length - 1), middle(1), (from + to) / 2];
  answer.h = {
    there: wire(svg, `M${from} ${low - 5} H${gap - 3} V${high - 5} H${to - 5}`, [to, high - 5, 1], ""),
    back: wire(svg, `M${to} ${high + 7} H${gap + 4} V${low + 7} H${from + 5}`, [from, low + 7, -1], "back"),
  };
  return answer;
}

function wire(svg, path, [x, y, way], kind) {
  const line = svgElement("path", { class: `wire ${kind}`, d: path });
  const head = svgElement("path", { class: `head ${kind}`, d: `M${x} ${y} l${-7 * way} -3.5 v7 z` });
  svg.append(line, head);
  return [line, head];
}

function summary(run, frame, now) {
  const kind = run.network.kind.toUpperCase().replace("_", " ");
  if (!now) return `${kind} over ${run.network.T} time steps`;
  const key = now[2] ? "gradient" : "name";
  const names = now[1].map((row) => run.drawing.rows[row][key]).join(", ");
  return `${kind}, ${now[2] ? "backward" : "forward"}, time step ${now[0]}${names ? ": computing " + names : ""}`;
}

/** Keep the column that is being computed in sight. */
function follow(box, group) {
  if (box.scrollWidth <= box.clientWidth) return;
  const [at, around] = [group.getBoundingClientRect(), box.getBoundingClientRect()];
  if (at.left < around.left || at.right > around.right) box.scrollLeft += at.left - around.left - around.width / 2;
}
