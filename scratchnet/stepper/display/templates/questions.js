// The two views that answer questions: where dL/dh comes from, and why gradients vanish.

const MARKS = [
  ["#0072b2", "#56b4e9", "", "●"], ["#a84300", "#ff9d5c", "", "■"], ["#00664a", "#5fd0a8", "", "▲"],
  ["#a84300", "#ff9d5c", "6 4", "□"], ["#00664a", "#5fd0a8", "6 4", "△"],
];

function showWhere() {
  const steps = page.where;
  if (!steps) return;
  const host = byId("where");
  const norm = (rows) => Math.hypot(...rows.flat(Infinity));
  const most = Math.max(...steps.flatMap((step) => ["output", "later", "total"].map((part) => largest(step[part].flat(Infinity)))));
  const parts = [["output", "from this step’s output"], ["later", "from step t + 1"], ["total", "dL/dh"]];
  const table = element("table", { className: "flow" });
  table.append(element("thead", {}, element("tr", {}, ...["t", parts[0][1], "", parts[1][1], "", "dL/dh at t", ""].map((text) => (text ? element("th", { scope: "col", textContent: text }) : element("td"))))));
  const body = element("tbody");
  for (const step of steps) {
    const row = element("tr", {}, element("th", { scope: "row", textContent: `t = ${step.t}` }));
    parts.forEach(([part, label], k) => {
      if (k) row.append(element("td", { className: "sign", textContent: k === 1 ? "+" : "=" }));
      const value = { shape: [step[part].length, step[part][0].length], dtype: "float64", data: step[part], axes: ["B", "H"] };
      row.append(element("td", {}, shown(value, `${label} at t = ${step.t}`, "gradient", null, most)));
    });
    const button = element("button", { type: "button", textContent: "Show the line", "aria-label": `Show the line of t = ${step.t}` });
    button.addEventListener("click", () => {
      select("step");
      go(momentOf[0].get(step.frame));
    });
    row.append(element("td", {}, button));
    body.append(row);
  }
  table.append(body);
  const latest = Math.max(...steps.map((step) => step.t));
  const ordered = steps.toSorted((a, b) => a.t - b.t);
  host.replaceChildren(
    element("h2", { textContent: "Where does dL/dh at step t come from?" }),
    element("p", { textContent: "The hidden state h of step t is used twice: it is that step’s output, and step t + 1 starts from it. So its gradient is the sum of two parts. Backward reads from the last step to the first; step t + 1 hands its dh_prev to step t." }),
    element("p", { textContent: `After the last step, t = ${latest}, nothing comes: there the second part is zero.` }),
    element("div", { className: "chart-box" }, barChart(ordered.map((step) => ({ t: step.t, output: norm(step.output), later: norm(step.later), total: norm(step.total) })))),
    element("p", {}, scaleBar("gradient", "gradient", most)),
    element("div", {}, table),
  );
}

/** Two bars a time step, and a mark for the norm of their sum. */
function barChart(steps) {
  const [width, height, left, base] = [Math.max(520, 90 * steps.length + 70), 210, 56, 170];
  const most = Math.max(...steps.flatMap((step) => [step.output, step.later, step.total])) || 1;
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": "Norms of the two parts of dL/dh for every t; the numbers are in the table below" });
  svg.style.maxWidth = `${width * 1.2}px`;
  svg.style.minWidth = `${width * 0.8}px`;
  svg.style.marginInline = "0";
  const y = (norm) => base - (norm / most) * 130;
  const across = (width - left - 10) / steps.length;
  [["from this step’s output", "var(--forward)", 0], ["from step t + 1", "var(--backward)", 220], ["norm of the sum", "var(--ink)", 380]].forEach(([text, fill, x]) => {
    svg.append(svgElement("rect", { x: left + x, y: 6, width: 12, height: x === 380 ? 3 : 12, fill, transform: x === 380 ? "translate(0 5)" : "" }), label(text, left + x + 18, 17, "", 13));
  });
  svg.append(svgElement("path", { class: "axis", d: `M${left} 34 V${base} H${width - 8}` }), label(short(most), 6, y(most) + 5, "soft"), label("0", 40, base + 4, "soft"));
  steps.forEach((step, k) => {
    const x = left + across * (k + 0.5);
    const bar = (from, norm, fill, name) => {
      const made = svgElement("rect", { x: from, y: y(norm), width: 26, height: base - y(norm), fill });
      made.dataset.tip = `t = ${step.t}, ${name}\nnorm ${exact(norm)}`;
      svg.append(made);
    };
    bar(x - 28, step.output, "var(--forward)", "from this step’s output");
    bar(x + 2, step.later, "var(--backward)", "from step t + 1");
    svg.append(svgElement("rect", { x: x - 31, y: y(step.total) - 1.5, width: 62, height: 3, fill: "var(--ink)" }));
    svg.append(label(`t = ${step.t}`, x - 16, base + 20, "", 13));
  });
  return svg;
}

function showVanishing() {
  if (!page.vanishing) return;
  const { time, depth, sizes } = page.vanishing;
  const columns = element("div", { className: "pair" });
  columns.append(
    element("div", {},
      element("h2", { textContent: "Through time" }),
      element("p", { textContent: `The loss depends on the output of the last of ${sizes.T} steps alone. Every step back multiplies the gradient once more: by the recurrent weights and the slope of tanh in a SimpleRNN; by the forget gate along the cell of an LSTM; by about z along the state of a GRU. A new LSTM’s forget gate is near 0.73, a new GRU’s z near 0.5; “open” adds ${sizes.open} to that gate’s bias, as training can.` }),
      lineChart(time, 0, "time step t", "norm of dL/dh"), numbersTable(time, 0, "t")),
    element("div", {},
      element("h2", { textContent: "Through depth" }),
      element("p", { textContent: `${sizes.depth} dense layers, from the same weights. Every layer down multiplies the gradient by its weights and by the slope of its activation: a sigmoid’s is at most 1/4, relu’s is 1 wherever a unit is on.` }),
      lineChart(depth, 1, "layer, 1 nearest to the input", "share of the gradient"), numbersTable(depth, 1, "layer")),
  );
  byId("vanish").replaceChildren(
    element("h2", { textContent: "Why do gradients vanish?" }),
    element("p", { textContent: `Three layers as they start, with the same data: ${sizes.H} units, ${sizes.D} features, batch ${sizes.B}. Both scales are logarithmic.` }),
    columns,
  );
}

/** Lines on a logarithmic scale, told apart by colour, dashes and marks. */
function lineChart(series, first, xLabel, yLabel) {
  const [width, height, left, right, top, base] = [560, 360, 62, 122, 16, 310];
  const all = Object.values(series).flat().filter((y) => y > 0).map(Math.log10);
  const [low, high] = [Math.floor(Math.min(...all)), Math.ceil(Math.max(...all))];
  const count = Object.values(series)[0].length;
  const x = (k) => left + ((width - left - right) * k) / Math.max(1, count - 1);
  const y = (value) => base - ((Math.log10(value) - low) / Math.max(1, high - low)) * (base - top);
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": `${yLabel} over ${xLabel}; the numbers are in the table below` });
  const every = Math.ceil((high - low) / 6);
  for (let power = low; power <= high; power += every) {
    svg.append(svgElement("path", { class: "tick", d: `M${left} ${y(10 ** power)} H${width - right}` }), label(`10${superscript(power)}`, 16, y(10 ** power) + 4, "soft", 13));
  }
  for (let k = 0; k < count; k += Math.ceil(count / 10)) svg.append(label(k + first, x(k) - 4, base + 20, "soft", 13));
  svg.append(svgElement("path", { class: "axis", d: `M${left} ${top} V${base} H${width - right}` }));
  svg.append(label(xLabel, (left + width - right) / 2 - 60, height - 8, "", 13), label(yLabel, left + 6, top + 4, "", 13));
  const names = [];
  Object.entries(series).forEach(([name, values], s) => {
    const [light, dark, dashes, mark] = MARKS[s];
    const stroke = theme === "dark" ? dark : light;
    const path = values.map((value, k) => (value > 0 ? `${k ? "L" : "M"}${x(k).toFixed(1)} ${y(value).toFixed(1)}` : "")).join("");
    svg.append(svgElement("path", { d: path, fill: "none", stroke, "stroke-width": 2.4, "stroke-dasharray": dashes }));
    values.forEach((value, k) => {
      if (count > 12 && k % 5) return;
      const made = label(mark, x(k) - 5, y(value) + 4, "", 12);
      made.style.fill = stroke;
      made.dataset.tip = `${name}, ${k + first}\n${exact(value)}`;
      svg.append(made);
    });
    names.push({ name: `${mark} ${name}`, y: y(values[first ? 0 : count - 1]), stroke, end: y(values[0]) });
  });
  names.sort((a, b) => a.end - b.end).forEach((one, k) => {
    const text = label(one.name, width - right + 10, top + 14 + 20 * k, "", 13);
    text.style.fill = one.stroke;
    svg.append(text);
  });
  return svg;
}

function superscript(n) {
  return String(n).replace(/[-0-9]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
}

function numbersTable(series, first, label) {
  const names = Object.keys(series);
  const table = element("table", { className: "numbers" });
  table.append(element("thead", {}, element("tr", {}, ...[label, ...names].map((text) => element("th", { scope: "col", textContent: text })))));
  const body = element("tbody");
  Object.values(series)[0].forEach((_, k) => {
    body.append(element("tr", {}, element("th", { scope: "row", textContent: k + first }), ...names.map((name) => element("td", { textContent: series[name][k].toExponential(3) }))));
  });
  table.append(body);
  return element("details", {}, element("summary", { textContent: "The numbers" }), table);
}
