// What is shown now, and everything that moves it: buttons, keys, links, the clock.

let moment = -1;
let clock = null;
let written = null;
let drawings = [];

const TABS = [
  ["step", "Step"],
  ...(page.where ? [["where", "Where does dL/dh come from?"]] : []),
  ...(page.vanishing ? [["vanish", "Why do gradients vanish?"]] : []),
];

function current() {
  return moment;
}

/** Show a moment. */
function go(to) {
  to = Math.max(0, Math.min(last, Math.trunc(to)));
  if (to === moment) return;
  moment = to;
  show();
  clearTimeout(written);
  written = setTimeout(() => {
    if (location.protocol !== "about:") history.replaceState(null, "", `#frame=${moment}`);
  }, 150);
}

function show() {
  hideTip();
  showSource(moment);
  drawings.forEach((draw, which) => draw?.(reached[which][moment]));
  showArrays(moment);
  showTimeline(moment);
  if (clock === null) byId("said").textContent = spoken(moment);
}

function spoken(at) {
  const { run, frame } = leading(at);
  const { equation, html } = lineOf(run, frame);
  const code = new DOMParser().parseFromString(html, "text/html").body.textContent.trim();
  const parts = [`Line ${at} of ${last}`, frame.phase];
  if (frame.t !== null) parts.push(`t = ${frame.t}`);
  parts.push(`${run.functions[frame.function].name}, line ${frame.line}: ${code}`);
  if (equation) parts.push(equation.plain);
  const written = Object.keys(frame.changed);
  if (written.length) parts.push(`wrote ${written.join(", ")}`);
  return parts.join(". ");
}

/** Where each button leads from a moment; null where it leads nowhere. */
function targets(from) {
  const { depth } = leading(from).frame;
  const along = (way, wanted) => {
    for (let m = from + way; m >= 0 && m <= last; m += way) if (wanted(leading(m))) return m;
    return null;
  };
  const stop = byId("equations").checked ? ({ run, frame }) => Boolean(lineOf(run, frame).equation) : () => true;
  return {
    first: from > 0 ? 0 : null,
    back: along(-1, stop),
    into: along(1, stop),
    over: along(1, (at) => at.frame.depth <= depth && stop(at)),
    out: along(1, ({ frame }) => frame.depth < depth),
    last: from < last ? last : null,
  };
}

function act(name) {
  if (name === "play") return play(clock === null);
  play(false);
  const target = targets(moment)[name];
  if (target !== null) go(target);
}

function play(on) {
  clearTimeout(clock);
  clock = null;
  const button = document.querySelector('[data-go="play"]');
  button.textContent = on ? "❚❚ Pause" : "▶ Play";
  if (!on) {
    byId("said").textContent = spoken(moment);
    return;
  }
  if (moment === last) go(0);
  const tick = () => {
    const next = targets(moment).into;
    if (next === null) return play(false);
    go(next);
    clock = setTimeout(tick, Number(byId("speed").value));
  };
  clock = setTimeout(tick, Number(byId("speed").value));
}

const KEYS = { ArrowLeft: "back", ArrowRight: "into", ArrowDown: "over", ArrowUp: "out", Home: "first", End: "last", " ": "play" };

document.addEventListener("keydown", (event) => {
  const name = KEYS[event.key];
  if (!name || event.ctrlKey || event.metaKey || event.altKey || byId("step").hidden) return;
  const target = event.target;
  if (target.closest("select, input[type=number], [role=tab]")) return;
  if (event.key === " " && target.closest("button, a, summary, input[type=checkbox]")) return;
  event.preventDefault();
  act(name);
});

function select(id) {
  if (id !== "step") play(false);
  for (const [other] of TABS) {
    byId(other).hidden = other !== id;
    const tab = byId(`tab-${other}`);
    tab.setAttribute("aria-selected", other === id);
    tab.tabIndex = other === id ? 0 : -1;
  }
  document.querySelector("footer").hidden = id !== "step";
  if (id === "where") showWhere();
  if (id === "vanish") showVanishing();
}

function drawTabs() {
  const host = byId("tabs");
  host.hidden = TABS.length < 2;
  for (const [id, name] of TABS) {
    const tab = element("button", { type: "button", id: `tab-${id}`, role: "tab", textContent: name, "aria-controls": id });
    tab.addEventListener("click", () => select(id));
    host.append(tab);
  }
  host.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    const tabs = [...host.children];
    const next = tabs[(tabs.indexOf(document.activeElement) + way + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
}

function drawNetworks() {
  const host = byId("drawing");
  host.replaceChildren();
  const bare = !runs.some(hasDrawing);
  byId("step").classList.toggle("bare", bare);
  byId("network").hidden = bare;
  byId("values").classList.toggle("wide", bare);
  drawLegend(); // before what takes the rest of the room
  drawings = runs.map((run, which) => {
    if (!hasDrawing(run)) return null;
    const box = element("div", {}, ...(beside ? [element("h3", { textContent: which ? "Second run" : "First run" })] : []));
    host.append(box);
    return (run.drawing.kind === "unrolled" ? unrolled : layered)(run, box);
  });
}

function hasDrawing(run) {
  return Boolean(run.drawing) && run.drawing.layers?.length !== 0;
}

function drawLegend() {
  const run = runs.find(hasDrawing);
  if (!run) return;
  const ranges = run.drawing.kind === "unrolled" ? { value: ends(run, "values"), gradient: ends(run, "gradients") } : layeredEnds(run);
  const bars = [scaleBar("value", run.drawing.kind === "unrolled" ? "values (x apart)" : "values", ranges.value)];
  if (ranges.gradient > LEAST) bars.push(scaleBar("gradient", "gradients", ranges.gradient));
  const part = run.drawing.kind === "unrolled" ? tilesShown(run) : exampleShown(run);
  if (part) bars.push(element("span", { textContent: `shown: ${part}` }));
  byId("legend").replaceChildren(...bars);
}

function setTheme(to) {
  theme = to;
  document.documentElement.dataset.theme = to;
  const button = byId("theme");
  button.textContent = "Dark";
  button.setAttribute("aria-pressed", to === "dark");
  drawNetworks();
  if (moment >= 0) show();
  for (const [id] of TABS) if (!byId(id).hidden) select(id);
}

function fromLink(link) {
  const match = /#frame=(\d+)$/.exec(link);
  return match ? Number(match[1]) : 0;
}

function begin() {
  drawTabs();
  drawTimeline();
  setTheme(theme);
  select("step");
  go(fromLink(location.href));
  addEventListener("hashchange", (event) => go(fromLink(event.newURL)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
  byId("theme").addEventListener("click", () => setTheme(theme === "dark" ? "light" : "dark"));
  addEventListener("resize", () => {
    drawNetworks();
    show();
  });
  byId("equations").addEventListener("change", () => showTimeline(moment));
  for (const button of document.querySelectorAll("[data-go]")) {
    button.addEventListener("click", () => act(button.dataset.go));
  }
  byId("copy").addEventListener("click", async () => {
    const link = new URL(`#frame=${moment}`, location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      byId("copy").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(byId("link"));
      byId("copy").textContent = "Press Ctrl+C";
    }
    setTimeout(() => (byId("copy").textContent = "Copy link"), 1500);
  });
}

if (moments.length) {
  begin();
} else { // the notice says why
  document.documentElement.dataset.theme = theme;
  for (const part of [byId("step"), byId("theme"), document.querySelector("footer")]) part.hidden = true;
}
