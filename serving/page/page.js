// The page: sends a log, shows the verdict. Text of transcripts only ever becomes a text node.
"use strict";

const $ = (id) => document.getElementById(id);
const state = { reply: null, only: null, at: -1 };

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function headers() {
  const found = { "content-type": "application/json" };
  const key = $("key").value.trim();
  if (key) found.authorization = `Bearer ${key}`;
  return found;
}

function payload() {
  const text = $("log").value;
  const format = $("format").value;
  if (format === "plain") return JSON.stringify({ format, data: text });
  if (!format) return text;
  // The text is put in as it stands; the server says what is wrong with it.
  return `{"format": ${JSON.stringify(format)}, "data": ${text}}`;
}

function showProblem(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

async function judge() {
  showProblem("");
  $("judge").disabled = true;
  try {
    const reply = await fetch("/v1/explain", { method: "POST", headers: headers(), body: payload() });
    const body = await reply.json();
    if (!reply.ok) throw new Error(body.error ? body.error.message : `status ${reply.status}`);
    state.reply = body;
    state.only = null;
    show();
  } catch (error) {
    $("result").hidden = true;
    showProblem(error.message);
  } finally {
    $("judge").disabled = false;
    status();
  }
}

function gauge(name, label) {
  const stage = element("span", { className: `stage ${label.stage}`, textContent: label.stage });
  const made = element(
    "button", { type: "button", className: `gauge ${name}` },
    element("strong", {}, stage, name.replaceAll("_", " ")),
  );
  for (const question of ["reasoning", "action"]) {
    const value = label[question];
    made.append(
      element("span", { className: "quiet", textContent: `${question} ${value.toFixed(2)}` }),
      element("meter", { min: 0, max: 1, value, title: `${question} ${value}` }),
    );
  }
  made.setAttribute("aria-pressed", "false");
  made.addEventListener("click", () => {
    state.only = state.only === name ? null : name;
    filter();
  });
  return made;
}

// Cuts a part's text at the borders of its marks; where marks overlap, the first one shows.
function markedText(part) {
  const pieces = [];
  let position = 0;
  const points = Array.from(part.text); // offsets count code points, JavaScript counts UTF-16 units
  const spans = new Map();
  for (const mark of part.marks) {
    const key = `${mark.start}-${mark.end}`;
    if (!spans.has(key)) spans.set(key, { ...mark, labels: new Set() });
    spans.get(key).labels.add(mark.label);
  }
  for (const span of spans.values()) {
    if (span.start < position) continue;
    pieces.push(points.slice(position, span.start).join(""));
    const labels = [...span.labels];
    const made = element("mark", { className: labels[0], tabIndex: -1 });
    made.dataset.labels = labels.join(" ");
    made.title = `${labels.join(", ")} · ${span.question} · p ${span.probability.toFixed(2)}`;
    const name = labels.map((label) => label.replaceAll("_", " ")).join(", ");
    made.append(points.slice(span.start, span.end).join(""), element("small", { textContent: name }));
    pieces.push(made);
    position = span.end;
  }
  pieces.push(points.slice(position).join(""));
  return pieces;
}

function show() {
  const { verdict, parts } = state.reply;
  $("gauges").replaceChildren(...Object.entries(verdict.labels).map(([n, label]) => gauge(n, label)));
  const c = verdict.coverage;
  const dropped = Object.entries(c.dropped).map(([kind, n]) => `not read: ${n} × ${kind}`);
  $("coverage").textContent = [
    `read ${c.agent_tokens.toLocaleString()} tokens of the agent's in ${c.agent_messages} of ${c.messages} messages, ${c.windows} windows`,
    `reasoning: ${c.reasoning}`, ...dropped, ...c.warnings,
  ].join(" · ");
  const made = document.createDocumentFragment();
  for (const part of parts) {
    const text = part.marks.length ? markedText(part) : [part.text];
    made.append(element(
      "article", { className: part.is_scored ? "scored" : "" },
      element("h2", { textContent: `${part.message_index} · ${part.kind.replaceAll("_", " ")}` }),
      element("pre", { dir: "auto" }, ...text),
    ));
  }
  $("transcript").replaceChildren(made);
  $("result").hidden = false;
  filter();
}

function marks() {
  return [...document.querySelectorAll("mark:not(.hidden-mark)")];
}

function filter() {
  for (const made of document.querySelectorAll(".gauge")) {
    made.setAttribute("aria-pressed", String(made.classList.contains(state.only)));
  }
  for (const made of document.querySelectorAll("mark")) {
    const labels = made.dataset.labels.split(" ");
    made.classList.toggle("hidden-mark", state.only !== null && !labels.includes(state.only));
  }
  state.at = -1;
  const n = marks().length;
  $("count").textContent = n ? `${n} telling passages` : "no telling passage at these thresholds";
}

function jump(step) {
  const found = marks();
  if (!found.length) return;
  state.at = (state.at + step + found.length) % found.length;
  document.querySelector("mark.here")?.classList.remove("here");
  const here = found[state.at];
  here.classList.add("here");
  here.scrollIntoView({ block: "center" });
  $("count").textContent = `${state.at + 1} of ${found.length}`;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    $("copied").textContent = "copied";
  } catch {
    $("copied").textContent = "the browser did not allow it";
  }
  setTimeout(() => { $("copied").textContent = ""; }, 2000);
}

function curl() {
  const quoted = payload().replaceAll("'", "'\\''");
  return `curl -s ${location.origin}/v1/classify -H 'content-type: application/json' -d '${quoted}'`;
}

async function take(file) {
  if (!file) return;
  $("log").value = await file.text();
  judge();
}

async function status() {
  try {
    const ready = await (await fetch("/health/ready")).json();
    $("model").textContent = ready.model ? `model ${ready.model}` : "not ready";
    const text = await (await fetch("/metrics")).text();
    const sum = (name) => text.split("\n").filter((l) => l.startsWith(name))
      .reduce((total, l) => total + Number(l.slice(l.lastIndexOf(" "))), 0);
    const busy = sum("tbc_engine_seconds_total");
    $("status").textContent = [
      `${sum('tbc_transcripts_total{outcome="judged"}')} judged`,
      `${sum("tbc_queued_tokens")} tokens waiting`,
      busy ? `${Math.round(sum("tbc_tokens_total") / busy).toLocaleString()} tokens/s` : "idle",
      `${sum('tbc_cache_windows_total{result="hit"}')} windows from the cache`,
    ].join(" · ");
  } catch {
    $("status").textContent = "the server does not answer";
  }
}

$("judge").addEventListener("click", judge);
$("open").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => take($("file").files[0]));
$("next").addEventListener("click", () => jump(1));
$("previous").addEventListener("click", () => jump(-1));
$("copy-json").addEventListener("click", () => copy(JSON.stringify(state.reply.verdict, null, 2)));
$("copy-curl").addEventListener("click", () => copy(curl()));
$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.classList.contains("dark")
    || (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
  root.className = dark ? "light" : "dark";
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return judge();
  if (event.target.matches("textarea, input, select") || event.ctrlKey || event.metaKey) return;
  if (event.key === "j") jump(1);
  if (event.key === "k") jump(-1);
});
for (const name of ["dragover", "dragleave", "drop"]) {
  $("input").addEventListener(name, (event) => {
    event.preventDefault();
    $("input").classList.toggle("over", name === "dragover");
    if (name === "drop") take(event.dataTransfer.files[0]);
  });
}
status();
setInterval(status, 10000);
