// Left: the calls, the source of the function that runs, the line and its equation.

let shownFunction = null;

/** For each run and frame the calls around it, outermost first, as [function, call]. */
const stacks = runs.map((run) => {
  const stack = [];
  return run.frames.map((frame) => {
    while (stack.length > frame.depth + 1) stack.pop();
    if (stack.length === frame.depth + 1 && stack.at(-1)[1] !== frame.call) stack.pop();
    stack.push(...(stack.length <= frame.depth ? [[frame.function, frame.call]] : []));
    return stack.slice();
  });
});

function showSource(moment) {
  const { run, frame, which } = leading(moment);
  showCalls(run, frame, which);
  const key = `${which} ${frame.function}`;
  if (key !== shownFunction) {
    shownFunction = key;
    showFunction(run, frame.function);
  }
  showLine(run, frame);
  showEquation(run, frame);
}

function showCalls(run, frame, which) {
  const calls = byId("calls");
  const around = stacks[which][frame.i];
  const parts = around.slice(0, -1).map(([number, call]) => {
    const name = run.functions[number].name;
    const button = element("button", { type: "button", textContent: name, title: `To the line that ${name} is at` });
    button.addEventListener("click", () => {
      const next = run.frames.find((other) => other.i > frame.i && other.call === call);
      if (next) go(momentOf[which].get(next.i));
    });
    return button;
  });
  parts.push(element("b", { textContent: run.functions[frame.function].name }));
  calls.replaceChildren(...parts.flatMap((part, k) => (k ? [element("span", { textContent: "›" }), part] : [part])));
}

function showFunction(run, number) {
  const { file, first, last: end } = run.functions[number];
  const { lines, first: offset, name } = run.files[file];
  const list = element("ol", { "aria-label": `${run.functions[number].name} in ${name}` });
  for (let line = first; line <= end; line++) {
    const item = element("li", { id: `line-${line}` }, element("i", { textContent: line }));
    const code = element("span");
    code.innerHTML = lines[line - offset] || "";
    const indent = /^ */.exec(code.textContent)[0].length;
    code.style.paddingLeft = `${indent + 4}ch`; // a line that is too long goes on further in
    code.style.textIndent = `-${indent + 4}ch`;
    if (/^<span class="s">[^<]*<\/span>$/.test(code.innerHTML.trim())) item.className = "text";
    item.append(code);
    list.append(item);
  }
  byId("source-title").textContent = name;
  byId("lines").replaceChildren(list);
}

function showLine(run, frame) {
  const { file } = run.functions[frame.function];
  const end = frame.event === "call" ? frame.line : run.files[file].ends[frame.line] || frame.line;
  for (const before of document.querySelectorAll("#lines .now")) {
    before.classList.remove("now");
    before.removeAttribute("aria-current");
  }
  for (let line = frame.line; line <= end; line++) {
    const item = byId(`line-${line}`);
    if (!item) continue;
    item.classList.add("now");
    if (line === frame.line) item.setAttribute("aria-current", "step");
  }
  const [box, item] = [byId("lines"), byId(`line-${frame.line}`)];
  if (!item) return;
  const top = item.offsetTop;
  if (top < box.scrollTop + 20 || top > box.scrollTop + box.clientHeight - 60) {
    box.scrollTop = top - box.clientHeight / 2;
  }
}

function showEquation(run, frame) {
  const box = byId("equation");
  const { equation } = lineOf(run, frame);
  const { doc, name } = run.functions[frame.function];
  box.classList.toggle("doc", !equation?.mathml);
  if (equation) {
    box.innerHTML = equation.mathml || "";
    if (!equation.mathml) box.append(element("p", { textContent: equation.plain }));
  } else if (doc) {
    box.innerHTML = doc;
  } else {
    box.replaceChildren(element("p", { textContent: `No equation is given for this line of ${name}.` }));
  }
  box.scrollTop = 0;
}
