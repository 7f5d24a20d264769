// The page works without this script; with it, answers come in place and notes open beside them.
"use strict";

const HISTORY = "assistant.history";
const THEME = "assistant.theme";
const CONVERSATION = "assistant.conversation";
const KEPT = 50; // turns of the history
const STAGES = { found: "Passages found. Reading them…", read: "Passages read. Composing the answer…" };
const OUTCOMES = { answered: "Answered.", partial: "Answered in part.", not_in_notes: "The notes do not answer this." };
const byId = (id) => document.getElementById(id);
const state = { turns: [], current: null, asking: null, opener: null, shown: "", notes: 0 };

// What a browser keeps may be switched off, full or damaged; the page goes on without it.
function load(storage, key) {
  try { return window[storage].getItem(key); } catch { return null; }
}

function keep(storage, key, value) {
  try {
    if (value === null) window[storage].removeItem(key);
    else window[storage].setItem(key, value);
    return true;
  } catch { return false; }
}

function applyTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
applyTheme(load("localStorage", THEME)); // before the first paint

function isDark() {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
}

function setUpTheme() {
  const button = byId("ThemeSwitch");
  const label = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `${button.textContent} theme`);
  };
  button.hidden = false;
  label();
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    keep("localStorage", THEME, theme);
    applyTheme(theme);
    label();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
}

function make(tag, text = "", properties = {}) {
  return Object.assign(document.createElement(tag), { textContent: text }, properties);
}

// Only for markup that our server made: every text in it is escaped there.
function place(parent, markup) {
  const template = document.createElement("template");
  template.innerHTML = markup;
  parent.replaceChildren(template.content);
  showCopyButtons(parent);
}

// --- copying

function showCopyButtons(parent) {
  if (!navigator.clipboard) return; // only on secure addresses, of which loopback is one
  for (const button of parent.querySelectorAll("button.copy")) button.hidden = false;
}

async function copy(button) {
  const source = button.dataset.copy === "code"
    ? button.closest("figure").querySelector("pre")
    : button.closest(".answer").querySelector("pre.copied");
  const label = button.dataset.copy === "code" ? "Copy code" : "Copy answer";
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
    say("Copied.");
  } catch {
    button.textContent = "Not copied";
    say("The browser does not allow copying. Select the text and copy it.");
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}

// --- asking

function say(text) {
  const stage = byId("Stage");
  if (stage && stage.textContent !== text) stage.textContent = text;
}

function conversation() {
  let name = load("sessionStorage", CONVERSATION) || state.conversation;
  if (!name) {
    name = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    state.conversation = name;
    keep("sessionStorage", CONVERSATION, name);
  }
  return name;
}

function startTopic() {
  state.conversation = "";
  keep("sessionStorage", CONVERSATION, null);
  say("New topic: the next question stands alone.");
  byId("Question").focus();
}

// Events of a stream as [name, data].
async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const field = (name) => event.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      yield [field("event"), JSON.parse(field("data") ?? "{}")];
    }
  }
}

async function ask(form) {
  const question = form.elements.question.value.trim();
  if (!question) return;
  state.asking?.abort();
  const asking = state.asking = new AbortController();
  form.elements.conversation.value = conversation();
  document.body.classList.add("busy");
  say("Looking for passages…");
  try {
    const response = await fetch(form.action, {
      method: "POST", body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "text/event-stream" }, signal: asking.signal,
    });
    if (!response.ok || !response.headers.get("content-type").startsWith("text/event-stream")) {
      throw new Error(`The server answered with status ${response.status}.`);
    }
    let answered = false;
    for await (const [name, data] of eventsOf(response)) {
      if (name === "indexing") say(`The index is being built: ${data.progress}.`);
      else if (STAGES[name]) say(STAGES[name]);
      else if (name === "answered" || name === "error") {
        answered = true;
        showTurn(question, data.html, name === "answered");
      }
    }
    if (!answered) throw new Error("The answer broke off.");
  } catch (error) {
    if (asking.signal.aborted) return;
    const reason = error instanceof TypeError ? "The server cannot be reached." : error.message;
    say(`${reason} Look whether it is running, then ask again.`);
  } finally {
    if (state.asking === asking) {
      state.asking = null;
      document.body.classList.remove("busy");
    }
  }
}

function showTurn(question, html, isAnswer) {
  closePane();
  if (isAnswer) {
    state.turns = [{ question, html }, ...readHistory()];
    writeHistory();
  }
  byId("IndexNotice").replaceChildren();
  place(byId("Current"), html);
  state.current = isAnswer ? 0 : null;
  renderHistory();
  const heading = byId("Current").querySelector(".asked");
  say(OUTCOMES[byId("Current").querySelector(".answer")?.dataset.outcome] ?? "The question could not be answered.");
  heading?.focus({ preventScroll: true });
  if (heading?.getBoundingClientRect().top > window.innerHeight / 2) heading.scrollIntoView({ block: "start" });
  if (isAnswer) byId("Question").value = byId("AskForm").elements.options.value = "";
}

// --- history

function readHistory() {
  try {
    const turns = JSON.parse(load("localStorage", HISTORY) ?? "[]");
    return turns.filter((turn) => typeof turn?.question === "string" && typeof turn.html === "string");
  } catch { return []; }
}

function writeHistory() {
  state.turns = state.turns.slice(0, KEPT);
  while (!keep("localStorage", HISTORY, JSON.stringify(state.turns)) && state.turns.length > 1) state.turns.pop();
}

function deleteTurn(at) {
  state.turns.splice(at, 1);
  writeHistory();
  if (state.current === at) {
    byId("Current").replaceChildren();
    state.current = null;
  } else if (state.current !== null && at < state.current) state.current -= 1;
  renderHistory();
  say("Deleted.");
  byId("Question").focus();
}

function deleteHistory() {
  if (!window.confirm("Delete all questions and answers that this browser keeps?")) return;
  state.turns = [];
  state.current = null;
  keep("localStorage", HISTORY, null);
  byId("Current").replaceChildren();
  renderHistory();
  say("The history is deleted.");
  byId("Question").focus();
}

function renderHistory() {
  const section = byId("History");
  section.hidden = state.turns.length === 0;
  const top = make("div", "", { className: "top" });
  const clear = make("button", "Delete history", { type: "button" });
  clear.addEventListener("click", deleteHistory);
  top.append(make("h2", "History", { id: "HistoryTitle" }), clear);
  section.replaceChildren(top);
  state.turns.forEach((turn, at) => {
    const details = make("details");
    const body = make("div");
    const remove = make("button", "Delete this question", { type: "button" });
    remove.addEventListener("click", () => deleteTurn(at));
    details.append(make("summary", at === state.current ? `${turn.question} (shown above)` : turn.question), body, remove);
    details.addEventListener("toggle", () => { // made when it is first looked at
      if (details.open && !body.hasChildNodes() && at !== state.current) place(body, turn.html);
    });
    section.append(details);
  });
}

// --- the note beside the answer

function noteAddress(href) {
  const url = new URL(href, location.href);
  return url.origin === location.origin && url.pathname.startsWith("/notes/") ? url : null;
}

function openNote(link) {
  const url = noteAddress(link.href);
  if (!link.closest("#Pane")) state.opener = link;
  const hash = `#note=${encodeURIComponent(url.pathname + url.search + url.hash)}`;
  if (location.hash === hash) showPane();
  else location.hash = hash; // the browser's back button closes the note again
}

async function showPane() {
  const pane = byId("Pane");
  const wanted = location.hash.startsWith("#note=") ? location.hash.slice(6) : "";
  let url = null;
  try { url = wanted ? noteAddress(decodeURIComponent(wanted)) : null; } catch { /* not ours */ }
  const number = ++state.notes;
  if (!url) {
    hidePane();
    return;
  }
  const path = decodeURIComponent(url.pathname.slice("/notes/".length));
  try {
    const response = await fetch(url.pathname + url.search, { headers: { Accept: "text/html;fragment=1" } });
    const html = await response.text();
    if (number !== state.notes) return;
    place(byId("PaneNote"), html);
  } catch {
    if (number === state.notes) say("The note cannot be loaded. Look whether the server is running.");
    return;
  }
  byId("PaneTitle").textContent = path;
  byId("PaneWhole").href = url.pathname + url.search + url.hash;
  pane.hidden = false;
  state.shown = url.pathname + url.search;
  markOpen();
  document.body.classList.add("with-pane");
  byId("PaneTitle").focus({ preventScroll: true });
  const target = (url.hash && document.getElementById(decodeURIComponent(url.hash.slice(1)))) || pane.querySelector(".cited");
  pane.scrollTop = 0;
  if (target && pane.contains(target)) {
    const room = pane.clientHeight / 4;
    pane.scrollTop = target.getBoundingClientRect().top - pane.getBoundingClientRect().top - room;
  }
}

function markOpen() {
  for (const link of document.querySelectorAll("main a.cite, main a.source")) {
    const url = noteAddress(link.href);
    link.classList.toggle("is-open", Boolean(url) && state.shown === url.pathname + url.search);
  }
}

function hidePane() {
  const pane = byId("Pane");
  if (pane.hidden) return;
  const within = pane.contains(document.activeElement);
  pane.hidden = true;
  state.shown = "";
  markOpen();
  document.body.classList.remove("with-pane");
  if (within) (state.opener?.isConnected ? state.opener : byId("Question")).focus();
}

function closePane() {
  if (byId("Pane").hidden) return;
  state.notes += 1;
  hidePane();
  history.pushState(null, "", location.pathname + location.search);
}

// --- keys

function walk(step) {
  const links = [...document.querySelectorAll("main a.cite, main a.source")].filter((link) => link.checkVisibility());
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  const from = at < 0 && state.opener?.isConnected ? links.indexOf(state.opener) : at;
  const next = from < 0 ? (step > 0 ? 0 : links.length - 1) : (from + step + links.length) % links.length;
  links[next].focus();
  state.opener = links[next];
}

function onKey(event) {
  const keys = byId("Keys");
  const writes = event.target.closest("input, textarea, select");
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && !keys.open) {
    const pane = byId("Pane");
    if (pane && !pane.hidden) closePane();
    else if (writes) writes.blur();
  } else if (event.key === "Enter" && !event.shiftKey && event.target.id === "Question") {
    event.preventDefault();
    event.target.form.requestSubmit();
  } else if (writes) {
    return;
  } else if (event.key === "?") {
    event.preventDefault();
    if (keys.open) keys.close();
    else keys.showModal();
  } else if (!keys.open && byId("Question")) {
    if (event.key === "/") {
      event.preventDefault();
      byId("Question").focus();
    } else if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
  }
}

// --- start

function onClick(event) {
  const button = event.target.closest("button.copy");
  if (button) copy(button);
  const link = event.target.closest("main a[href], #PaneNote a[href]");
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (link && plain && byId("Pane") && noteAddress(link.href)) {
    event.preventDefault();
    openNote(link);
  }
}

function setUpAsking() {
  byId("AskForm").addEventListener("submit", (event) => {
    event.preventDefault();
    ask(event.target);
  });
  byId("NewTopic").hidden = false;
  byId("NewTopic").addEventListener("click", startTopic);
  byId("PaneClose").addEventListener("click", closePane);
  window.addEventListener("hashchange", showPane);
  window.addEventListener("storage", (event) => { // another tab asked or deleted
    if (event.key !== HISTORY) return;
    state.turns = readHistory();
    state.current = null;
    renderHistory();
  });
  state.turns = readHistory();
  if (!byId("Current").hasChildNodes() && state.turns.length) {
    place(byId("Current"), state.turns[0].html);
    state.current = 0;
  }
  renderHistory();
  if (location.hash) showPane();
}

document.addEventListener("DOMContentLoaded", () => {
  setUpTheme();
  showCopyButtons(document);
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  if (document.body.dataset.asks !== undefined) setUpAsking();
});
