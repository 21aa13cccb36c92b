// Below: the whole recording as a line, its halves and time steps.

/** Stretches of moments with one phase, and with one phase and time step. */
function stretches(same) {
  const answer = [];
  moments.forEach((_, m) => {
    const { frame } = leading(m);
    const latest = answer.at(-1);
    if (latest && same(leading(latest.from).frame, frame)) latest.to = m;
    else answer.push({ from: m, to: m, phase: frame.phase, t: frame.t });
  });
  return answer;
}

function drawTimeline() {
  const seek = byId("seek");
  seek.max = last;
  byId("number").max = last;
  byId("count").textContent = `of ${last}`;
  const place = (m) => `${(100 * m) / Math.max(1, last)}%`;
  const halves = byId("halves"), labelled = new Set();
  const phases = stretches((a, b) => a.phase === b.phase);
  for (const { from, to, phase } of phases) {
    const bar = element("span", { className: phase });
    bar.style.left = place(from);
    bar.style.width = place(Math.min(to + 1, last) - from);
    halves.append(bar);
    const longest = phases.filter((other) => other.phase === phase).sort((a, b) => b.to - b.from - a.to + a.from)[0];
    if (longest.from === from && !labelled.has(phase)) {
      labelled.add(phase);
      const text = element("b", { className: phase, textContent: phase });
      text.style.left = place(from);
      halves.append(text);
    }
  }
  const steps = byId("steps");
  const timed = stretches((a, b) => a.phase === b.phase && a.t === b.t).filter(({ t }) => t !== null);
  if (!timed.length) steps.hidden = true;
  for (const { from, to, phase, t } of timed) {
    const button = element("button", { type: "button", className: phase, textContent: timed.length > 60 ? "" : t, title: `t = ${t}, ${phase}` });
    button.setAttribute("aria-label", `t = ${t}, ${phase}`);
    button.style.left = place(from);
    button.style.width = `calc(${place(to + 1 - from)} - 3px)`;
    button.dataset.from = from;
    button.dataset.to = to;
    button.addEventListener("click", () => go(from));
    steps.append(button);
  }
  seek.addEventListener("input", () => go(Number(seek.value)));
  byId("number").addEventListener("change", (event) => go(Number(event.target.value) || 0));
}

function showTimeline(moment) {
  const { frame } = leading(moment);
  byId("seek").value = moment;
  byId("seek").setAttribute("aria-valuetext", `line ${moment} of ${last}`);
  if (document.activeElement !== byId("number")) byId("number").value = moment;
  byId("place").textContent = `${frame.phase}${frame.t === null ? "" : `, t = ${frame.t}`}`;
  for (const button of byId("steps").children) {
    const now = Number(button.dataset.from) <= moment && moment <= Number(button.dataset.to);
    button.setAttribute("aria-current", now);
  }
  const link = byId("link");
  link.textContent = link.href = `#frame=${moment}`;
  for (const [name, target] of Object.entries(targets(moment))) {
    const button = document.querySelector(`[data-go="${name}"]`);
    button.disabled = target === null;
  }
}
