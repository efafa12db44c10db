"use strict";

// Draws extensions.plan of the query in the editor: what was asked of which source, why, and what it took.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const BOX = 384;
  const GAP = 28;
  const PAD = 14;
  const CALLS = 222;
  const LINE = 17;
  const MARGIN = 24;
  const COLOURS = ["#1d6fa5", "#b3541e", "#3c7d3c", "#7a4fa3", "#a8325e", "#5f6b1c", "#006b6b", "#7d5a3c"];
  const AROUND = new Set(["nodes", "edges", "node"]);

  const button = document.getElementById("explain");
  const dialog = document.getElementById("plan");
  const summary = document.getElementById("plan-summary");
  const picture = document.getElementById("plan-picture");
  const measure = document.createElement("canvas").getContext("2d");

  const words = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
  const listed = (names) => (names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const milliseconds = (number) => `${number < 10 ? number.toFixed(1) : Math.round(number)} ms`;

  function typed(selector, index = 0) {
    const editor = document.querySelectorAll(`${selector} .CodeMirror`)[index];
    return editor ? editor.CodeMirror.getValue() : "";
  }

  async function explain() {
    summary.replaceChildren("Running the query …");
    picture.replaceChildren();
    dialog.showModal();
    try {
      const variables = typed(".graphiql-editor-tool");
      const own = typed(".graphiql-editor-tool", 1);
      const response = await fetch(document.getElementById("graphiql").dataset.endpoint, {
        method: "POST",
        headers: { ...(own.trim() ? JSON.parse(own) : {}), "Content-Type": "application/json", "X-Explain": "analyze" },
        body: JSON.stringify({
          query: typed(".graphiql-query-editor"),
          variables: variables.trim() ? JSON.parse(variables) : {},
        }),
      });
      const answer = await response.json();
      const plan = answer.extensions && answer.extensions.plan;
      const wrong = (answer.errors || []).map((error) => paragraph(error.message, "wrong"));
      if (!plan || !plan.actual) {
        summary.replaceChildren(paragraph("The query was not run, so there is nothing to show."), ...wrong);
        return;
      }
      summary.replaceChildren(...introduction(plan), ...wrong);
      draw(plan);
    } catch (problem) {
      summary.replaceChildren(paragraph(`This did not work: ${problem.message}`, "wrong"));
    }
  }

  function paragraph(text, kind) {
    const made = document.createElement("p");
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  function introduction(plan) {
    const { actual, estimate } = plan;
    const asked = Object.values(actual.sources).filter((source) => source.calls).length;
    const calls = actual.calls
      ? `To answer this query, ${words(asked, "system")} were asked in ${words(actual.calls, "call")}` +
        `${estimate ? ` (${estimate.calls} were foreseen)` : ""}, in ${words(actual.rounds, "round")}.`
      : "This query was answered from what the gateway had kept: no system was called.";
    return [
      paragraph(
        `${calls} ${capital(words(actual.rows, "record"))} were read; all together it took ${milliseconds(actual.milliseconds)}.`,
        "lead",
      ),
      paragraph(
        "Each box is one step: some fields of the query, and the systems that were asked for them. The steps of a round go " +
          "out at the same time. A round waits for the one before, because it needs what that one found. Lines lead from " +
          "a step to those that start from its records.",
      ),
    ];
  }

  // The picture

  function element(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function width(text, font) {
    measure.font = font;
    return measure.measureText(text).width;
  }

  const SMALL = "12px system-ui, sans-serif";
  const BOLD = "bold 14px system-ui, sans-serif";

  function wrapped(text, font, room) {
    const lines = [];
    let line = "";
    for (const word of text.split(" ")) {
      const longer = line ? `${line} ${word}` : word;
      if (line && width(longer, font) > room) {
        lines.push(line);
        line = word;
      } else {
        line = longer;
      }
    }
    return line ? [...lines, line] : lines;
  }

  function colours(plan) {
    const names = [...new Set(plan.steps.flatMap((step) => step.fetches.map((fetch) => fetch.source)))];
    return new Map(names.map((name, index) => [name, COLOURS[index % COLOURS.length]]));
  }

  function sections(plan) {
    const rounds = new Map();
    const memory = [];
    const spared = [];
    for (const step of plan.steps) {
      const made = step.fetches.filter((fetch) => fetch.actual && fetch.actual.calls);
      if (made.length) {
        const round = Math.min(...made.flatMap((fetch) => fetch.actual.rounds));
        rounds.set(round, [...(rounds.get(round) || []), step]);
      } else {
        (step.fetches.some((fetch) => fetch.actual) || !step.sharedWith ? memory : spared).push(step);
      }
    }
    const found = [];
    for (let round = 1; round <= plan.actual.rounds; round++) {
      const steps = rounds.get(round) || [];
      found.push({ round, title: `Round ${round}`, about: aboutRound(round, steps, plan), steps });
    }
    const kept = memory.filter((step) => step.fetches.some((fetch) => fetch.actual));
    const unneeded = [...memory.filter((step) => !kept.includes(step)), ...spared];
    if (kept.length) {
      found.push({ title: "No call", about: "the gateway had kept the answers from an earlier question", steps: kept });
    }
    if (unneeded.length) {
      const about = "foreseen, but nothing was left to ask: other steps had brought these records, or there are none";
      found.push({ title: "No call", about, steps: unneeded });
    }
    return found;
  }

  function aboutRound(round, steps, plan) {
    const late = plan.steps.filter(
      (step) => !steps.includes(step) && step.fetches.some((fetch) => fetch.actual && fetch.actual.calls && fetch.actual.rounds.includes(round)),
    );
    const rest = late.length ? `the rest of ${late.length === 1 ? "step" : "steps"} ${listed(late.map((step) => step.number))}` : "";
    const start = round === 1 ? "nothing needs to be known before" : "starts from what was found before";
    return steps.length ? [words(steps.length, "step"), rest, start].filter(Boolean).join(", ") : rest;
  }

  function draw(plan) {
    const colour = colours(plan);
    const room = Math.max(picture.clientWidth - 2 * MARGIN, BOX);
    const columns = Math.max(1, Math.floor((room + GAP) / (BOX + GAP)));
    const svg = element("svg", { role: "img", "aria-label": "The steps of the query" });
    const lines = svg.appendChild(element("g", { class: "lines" }));
    const boxes = svg.appendChild(element("g", {}));
    const places = new Map();
    let top = legend(plan, colour, boxes);
    for (const section of sections(plan)) {
      boxes.appendChild(element("text", { x: MARGIN, y: top + 16, class: "round" }, section.title));
      const after = MARGIN + width(section.title, "bold 16px system-ui, sans-serif") + 12;
      boxes.appendChild(element("text", { x: after, y: top + 16, class: "quiet" }, section.about));
      boxes.appendChild(element("line", { x1: MARGIN, x2: MARGIN + room, y1: top + 26, y2: top + 26, class: "rule" }));
      const heights = new Array(columns).fill(top + 44);
      for (const step of section.steps) {
        const column = heights.indexOf(Math.min(...heights));
        const x = MARGIN + column * (BOX + GAP);
        const box = boxOf(step, colour, section.round);
        box.group.setAttribute("transform", `translate(${x} ${heights[column]})`);
        boxes.appendChild(box.group);
        places.set(step.number, { x, y: heights[column], height: box.height, group: box.group, step });
        heights[column] += box.height + GAP;
      }
      top = Math.max(...heights) + 12;
    }
    connect(places, lines);
    svg.setAttribute("width", String(room + 2 * MARGIN));
    svg.setAttribute("height", String(top));
    picture.replaceChildren(svg);
  }

  function legend(plan, colour, boxes) {
    let x = MARGIN;
    for (const [name, fill] of colour) {
      const told = plan.actual.sources[name] || { calls: 0 };
      const text = `${name}: ${told.calls ? words(told.calls, "call") : "no call"}`;
      boxes.appendChild(element("rect", { x, y: MARGIN, width: 12, height: 12, rx: 2, fill }));
      boxes.appendChild(element("text", { x: x + 18, y: MARGIN + 11 }, text));
      x += 18 + width(text, SMALL) + 24;
    }
    return MARGIN + 34;
  }

  function connect(places, lines) {
    for (const place of places.values()) {
      const above = places.get(place.step.after);
      if (!above) continue;
      const x1 = above.x + BOX / 2;
      const y1 = above.y + above.height;
      const x2 = place.x + BOX / 2;
      const y2 = place.y;
      const middle = (y1 + y2) / 2;
      const path = element("path", { d: `M${x1} ${y1} C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}` });
      lines.appendChild(path);
      const mark = (on) => {
        for (const each of [path, above.group, place.group]) each.classList.toggle("marked", on);
      };
      place.group.addEventListener("mouseenter", () => mark(true));
      place.group.addEventListener("mouseleave", () => mark(false));
    }
  }

  function boxOf(step, colour, round) {
    const group = element("g", { class: "step" });
    const frame = group.appendChild(element("rect", { width: BOX, rx: 6, class: "box" }));
    let y = PAD + 12;
    const put = (text, kind, x = PAD, more = {}) =>
      group.appendChild(element("text", { x, y, class: kind, ...more }, text));

    group.appendChild(element("circle", { cx: PAD + 10, cy: y - 5, r: 11, class: "badge" }));
    put(String(step.number), "number", PAD + 10, { "text-anchor": "middle", y: y - 1 });
    const names = step.field.split(".").filter((name) => !AROUND.has(name));
    const shown = names.length > 2 ? `… › ${names.slice(-2).join(" › ")}` : names.join(" › ") || "the whole query";
    const heading = wrapped(shown, BOLD, BOX - PAD - 110);
    for (const line of heading) {
      put(line, "name", PAD + 28);
      y += LINE;
    }
    put(step.after === null ? "" : `after step ${step.after}`, "quiet", BOX - PAD, { "text-anchor": "end", y: PAD + 12 });
    group.appendChild(element("title", {}, step.field));
    for (const line of wrapped(capital(step.title), SMALL, BOX - 2 * PAD)) {
      put(line, "about");
      y += LINE;
    }
    if (step.columns && step.columns.length) {
      for (const line of wrapped(`For ${step.columns.join(", ")}`, SMALL, BOX - 2 * PAD)) {
        put(line, "quiet");
        y += LINE;
      }
    }
    for (const [reason, fetches] of alike(step, round)) {
      y += 7;
      for (const line of wrapped(reason, SMALL, BOX - 2 * PAD)) {
        put(line, "why");
        y += LINE;
      }
      const spared = fetches.filter((fetch) => !fetch.actual).map((fetch) => fetch.source);
      for (const fetch of fetches.filter((each) => each.actual)) {
        group.appendChild(element("rect", { x: PAD, y: y - 10, width: 10, height: 10, rx: 2, fill: colour.get(fetch.source) }));
        put(fetch.source, "source", PAD + 16);
        const told = toldOf(fetch);
        put(told.calls, told.kind, CALLS, { "text-anchor": "end" });
        put(told.rest, "quiet", BOX - PAD, { "text-anchor": "end" });
        y += LINE;
      }
      for (const line of spared.length ? wrapped(`No call was needed to ${listed(spared)}.`, SMALL, BOX - 2 * PAD) : []) {
        put(line, "kept");
        y += LINE;
      }
    }
    if (step.sharedWith && step.sharedWith.length) {
      y += 7;
      const others = `${step.sharedWith.length === 1 ? "step" : "steps"} ${step.sharedWith.join(", ")}`;
      for (const line of wrapped(`Some records came in the same calls as those of ${others}.`, SMALL, BOX - 2 * PAD)) {
        put(line, "quiet");
        y += LINE;
      }
    }
    const height = y + PAD - LINE + 6;
    frame.setAttribute("height", String(height));
    return { group, height };
  }

  function alike(step, round) {
    const found = new Map();
    for (const fetch of step.fetches) {
      const later = fetch.actual && fetch.actual.calls && !fetch.actual.rounds.includes(round);
      const when = later ? `in round ${listed(fetch.actual.rounds)}, asked` : "asked";
      const of = fetch.resource === step.resource ? capital(when) : `${capital(fetch.records)}: ${when}`;
      const reason = `${of} ${fetch.way}, because ${fetch.why}.`;
      found.set(reason, [...(found.get(reason) || []), fetch]);
    }
    return found;
  }

  function toldOf(fetch) {
    const { actual, estimate } = fetch;
    const foreseen = estimate.calls === actual.calls ? "" : ` (${estimate.calls} foreseen)`;
    const calls = actual.calls ? `${words(actual.calls, "call")}${foreseen}` : "from memory";
    if (actual.failed) return { calls, rest: "failed", kind: "wrong" };
    if (!actual.calls) return { calls, rest: words(actual.rows, "record"), kind: "kept" };
    const rest = [words(actual.rows, "record")];
    if (actual.cacheHits) rest.push(`${actual.cacheHits} kept`);
    rest.push(milliseconds(actual.milliseconds));
    return { calls, rest: rest.join(", "), kind: "calls" };
  }

  button.addEventListener("click", explain);
  document.getElementById("plan-close").addEventListener("click", () => dialog.close());
})();
