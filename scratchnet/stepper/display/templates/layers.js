// Middle, dense: units as circles, weights as lines; gradients beside them in the second scale.

const UNIT = { most: 10, across: 180, radius: 29 };

/** Draw the layers of one run; returns how to show a frame in them. */
function layered(run, host) {
  const { layers, neuron } = run.drawing;
  const units = [unitsOf(run, layers[0].x), ...layers.map((layer) => unitsOf(run, layer.a))];
  const sizes = units.map((count) => Math.min(UNIT.most, count));
  const tallest = Math.max(...sizes);
  const width = UNIT.across * sizes.length;
  const box = host.closest(".scroll");
  const down = Math.max(84, Math.min(190, (width * ((box.clientHeight - 20) / Math.max(1, box.clientWidth)) - 46) / tallest / (beside ? 2 : 1)));
  const height = 46 + down * tallest + (units.some((count, column) => count > sizes[column]) ? 20 : 0);
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.style.maxHeight = `${Math.max(box.clientHeight / runs.length - 30, 0.75 * height)}px`; // else it scrolls
  svg.style.minWidth = `${width * 0.55}px`;
  const centre = (column, k) => [UNIT.across * (column + 0.5), 46 + down * (k + 0.5 + (tallest - sizes[column]) / 2)];
  const edges = layers.map((_, l) => edgesOf(svg, sizes, centre, l));
  const nodes = sizes.map((size, column) => Array.from({ length: size }, (_, k) => unit(svg, ...centre(column, k))));
  const titles = sizes.map((_, column) => svg.appendChild(svgElement("text", { x: UNIT.across * (column + 0.5), y: 20, "text-anchor": "middle", "font-size": 14 })));
  const gradientTitles = sizes.map((_, column) => svg.appendChild(svgElement("text", { x: UNIT.across * (column + 0.5), y: 37, "text-anchor": "middle", "font-size": 13, class: "backward" })));
  units.forEach((count, column) => {
    if (count > sizes[column]) svg.append(svgElement("text", { x: UNIT.across * (column + 0.5), y: height - 6, "text-anchor": "middle", "font-size": 12, class: "soft" }, `${sizes[column]} of ${count} units`));
  });
  host.append(svg);
  const most = layeredEnds(run);
  return (frame) => {
    const active = layers.findIndex((layer) => layer.spans.some(([from, to]) => from <= frame && frame <= to));
    layers.forEach((layer, l) => {
      const W = at(layer.W, frame), dW = at(layer.dW, frame);
      paintEdges(run, edges[l], W, dW, sizes, l, most, active === l);
    });
    sizes.forEach((_, column) => {
      const { name, id, gradient, gradientName } = unitsAt(run, column, frame);
      titles[column].textContent = name;
      gradientTitles[column].textContent = gradient === null ? "" : gradientName;
      nodes[column].forEach((node, k) => paintUnit(run, node, { name, id, gradient, gradientName, k, most, lit: column > 0 && active === column - 1 }));
    });
    svg.setAttribute("aria-label", `${neuron ? "One neuron" : `${layers.length} dense layers`}${active >= 0 ? `, computing layer ${active + 1}` : ""}`);
  };
}

function unitsOf(run, series) {
  const shape = series?.length ? run.values[series[0][1]].shape : [];
  return shape.at(-1) ?? 1;
}

/** What a column of units shows: the input, or a layer's sum and then its output. */
function unitsAt(run, column, frame) {
  const { layers } = run.drawing;
  const [before, after] = [layers[column - 1], layers[column]];
  if (!before) return { name: after.names.x, id: at(after.x, frame), gradient: at(after.dx, frame), gradientName: `d${after.names.x}` };
  const a = before.a?.findLast(([i]) => i <= frame), y = before.y?.findLast(([i]) => i <= frame);
  const output = y && (!a || y[0] >= a[0]);
  const da = at(before.da, frame), dy = after ? at(after.dx, frame) : null;
  const [sum, out] = [before.names.a ?? "a", before.names.y];
  return {
    name: output ? out : sum,
    id: output ? y[1] : a?.[1] ?? null,
    gradient: da ?? dy,
    gradientName: da === null ? `d${out ?? sum}` : `d${sum}`,
  };
}

/** Which example of the batch is drawn; nothing where there is one alone. */
function exampleShown(run) {
  const { shape } = run.values[run.drawing.layers[0].x[0][1]];
  return shape.length > 1 && shape[0] > 1 ? `example 0 of ${shape[0]}` : "";
}

function layeredEnds(run) {
  const end = (...keys) => Math.max(LEAST, ...run.drawing.layers.flatMap((layer) => keys.flatMap((key) => (layer[key] || []).map(([, id]) => largest(flat(run.values[id]))))));
  return { value: end("x", "a", "y", "W"), gradient: end("da", "dx", "dW") };
}

function edgesOf(svg, sizes, centre, l) {
  const answer = [];
  for (let i = 0; i < sizes[l]; i++) {
    for (let j = 0; j < sizes[l + 1]; j++) {
      const [[x1, y1], [x2, y2]] = [centre(l, i), centre(l + 1, j)];
      const line = (shift) => svgElement("line", { x1, y1: y1 + shift, x2, y2: y2 + shift, "stroke-linecap": "round" });
      const [weight, gradient] = [line(-2), line(4)];
      const share = sizes[l + 1] > 1 ? 0.3 + 0.12 * (j % 3) : 0.4; // so that labels keep apart
      const x = x1 + (x2 - x1) * share, y = y1 + (y2 - y1) * share;
      const text = svgElement("text", { x, y: y - 5, "text-anchor": "middle", "font-size": 11, class: "edge" });
      svg.append(weight, gradient);
      answer.push({ i, j, weight, gradient, text });
    }
  }
  if (answer.length <= 6) for (const each of answer) svg.append(each.text);
  return answer;
}

function paintEdges(run, edges, W, dW, sizes, l, most, active) {
  for (const { i, j, weight, gradient, text } of edges) {
    const [w, dw] = [W, dW].map((id) => (id === null ? null : entry(run.values[id], i, j)));
    weight.setAttribute("stroke", w === null ? "var(--rule)" : colour(w, most.value, "value").paper);
    weight.setAttribute("stroke-width", active ? 4 : 2.5);
    gradient.setAttribute("stroke", dw === null ? "none" : colour(dw, most.gradient, "gradient").paper);
    gradient.setAttribute("stroke-width", 3);
    text.textContent = w === null ? "" : short(w);
    if (w !== null) text.dataset.tip = weight.dataset.tip = `weight ${i} → ${j}\n${exact(w)}${dw === null ? "" : `\ngradient ${exact(dw)}`}`;
  }
}

/** Entry (i, j) of a weight; of a neuron's weights, which are one axis, entry i. */
function entry(value, i, j) {
  return value.shape.length > 1 ? flat(value)[i * value.shape[1] + j] : flat(value)[i];
}

function unit(svg, x, y) {
  const r = UNIT.radius;
  const group = svgElement("g", { class: "unit" });
  const ring = svgElement("circle", { cx: x, cy: y, r: r + 5, class: "halo" });
  const disc = svgElement("circle", { cx: x, cy: y, r, class: "box" });
  const text = svgElement("text", { x, y: y + 5, "text-anchor": "middle", "font-size": 13 });
  const chip = svgElement("rect", { x: x - r, y: y + r - 6, width: 2 * r, height: 18, rx: 9 });
  const under = svgElement("text", { x, y: y + r + 7, "text-anchor": "middle", "font-size": 11 });
  group.append(ring, disc, text, chip, under);
  svg.append(group);
  return { group, disc, text, chip, under };
}

function paintUnit(run, { group, disc, text, chip, under }, { name, id, gradient, gradientName, k, most, lit }) {
  const [x, dx] = [id, gradient].map((one) => (one === null ? null : flat(run.values[one])[k]));
  group.classList.toggle("lit", lit);
  const face = x === null ? null : colour(x, most.value, "value");
  disc.style.fill = face ? face.paper : "";
  text.style.fill = face ? face.ink : "";
  text.textContent = x === null ? "" : short(x);
  const badgeFace = dx === null ? null : colour(dx, most.gradient, "gradient");
  chip.style.fill = badgeFace ? badgeFace.paper : "none";
  chip.style.stroke = badgeFace ? "var(--soft)" : "none";
  under.style.fill = badgeFace ? badgeFace.ink : "";
  under.textContent = dx === null ? "" : short(dx);
  if (x !== null) group.dataset.tip = `${name}, unit ${k}\n${exact(x)}${dx === null ? "" : `\n${gradientName} ${exact(dx)}`}`;
}
