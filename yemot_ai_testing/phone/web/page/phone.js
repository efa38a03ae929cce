// The phone's page. It asks the server of its own address only; every text is put in as text, never as markup.
"use strict";

const WAIT_SECONDS = 20;
const LONG_SILENCE = 3;
const KEYS = "123456789*0#";
const VERBS = {says: "אומר", presses: "מקיש", dials: "מחייג", "hangs up": "מנתק", enters: "שלוחה", records: "מקליט",
  "is silent": "שותק", mumbles: "ממלמל", repeats: "הבקשה נשלחת שוב", tool: "כלי", "tool failed": "כלי"};
const STATES = [["records", "הקו מקליט"], ["says", "הקו מקשיב"], ["presses", "הקו מחכה להקשה"]];

const $ = id => document.getElementById(id);
const calls = new Map();
let current = 0;
let speaks = false;

async function ask(path, values) {
  const options = values === undefined ? {} : {method: "POST", body: JSON.stringify(values)};
  let response;
  try {
    response = await fetch(`api/${path}`, options);
  } catch {
    throw new Error("השרת של הטלפון נסגר. הפעילו שוב: yemot-ai phone --web");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

async function attempt(work) {
  $("message").hidden = true;
  try {
    await work();
  } catch (error) {
    $("message").textContent = error.message;
    $("message").hidden = false;
  }
}

function add(parent, tag, text, name = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name) element.className = name;
  parent.append(element);
  return element;
}

function toEnd(list) {
  list.parentElement.scrollTop = list.parentElement.scrollHeight;
}

function seconds(value) {
  const minutes = Math.floor(value / 60);
  return `${minutes}:${(value % 60).toFixed(1).padStart(4, "0")}`;
}

function rowText(row) {
  if (row.kind === "silence") return `${row.seconds.toFixed(1)} שניות של שקט`;
  if (row.origin === "line" || row.origin === "platform" || row.kind === "says") return row.text;
  return `${VERBS[row.kind] ?? row.kind} ${row.text}`.trim();
}

function addRow(row) {
  const list = $("rows");
  const item = add(list, "li", "", row.kind === "tool failed" ? "tool failed" : row.origin);
  add(item, "time", seconds(row.at));
  add(item, "bdi", rowText(row));
  toEnd(list);
}

function addExchange(exchange, before) {
  const known = new Set((before?.pairs ?? []).map(String));
  const sent = exchange.pairs.filter(pair => !known.has(String(pair))).map(([name, value]) => `${name}=${value}`);
  const item = add($("exchanges"), "li", "");
  add(item, "bdi", `/${exchange.extension} ${exchange.seconds.toFixed(2)} s`);
  add(item, "bdi", `→ ${sent.join("&")}`, "sent");
  add(item, "bdi", `← ${exchange.body}`);
  for (const one of exchange.problems) add(item, "bdi", `${one.code}: ${one.message} ${one.hint}`.trim(), one.level);
  toEnd($("exchanges"));
}

function say(rows) {
  const heard = rows.filter(row => row.origin === "line" && row.kind === "speaks").map(row => row.text).join(". ");
  if (!speaks || !heard) return;
  const speech = new SpeechSynthesisUtterance(heard);
  speech.lang = "he-IL";
  speechSynthesis.speak(speech);
}

function update(view) {
  const number = view.call;
  const known = calls.get(number) ?? {rows: [], exchanges: [], watched: false};
  // Two answers may arrive in either order: each says how many rows there are after it.
  const rows = view.rows.slice(Math.max(known.rows.length - (view.row_count - view.rows.length), 0));
  const exchanges = view.exchanges.slice(
    Math.max(known.exchanges.length - (view.exchange_count - view.exchanges.length), 0));
  const call = {...known, view, rows: [...known.rows, ...rows], exchanges: [...known.exchanges, ...exchanges]};
  calls.set(number, call);
  if (number === current) {
    rows.forEach(addRow);
    exchanges.forEach((one, index) => addExchange(one, call.exchanges[known.exchanges.length + index - 1]));
    showState(view);
    say(rows);
  }
  showCalls();
  if (!call.watched) watch(number);
}

async function watch(number) {
  const call = () => calls.get(number);
  calls.set(number, {...call(), watched: true});
  while (!call().view.ended || call().view.busy) {
    const {rows, exchanges, view} = call();
    const query = `rows=${rows.length}&exchanges=${exchanges.length}&busy=${view.busy}&wait=${WAIT_SECONDS}`;
    try {
      update(await ask(`calls/${number}?${query}`));
    } catch (error) {
      $("message").textContent = error.message;
      $("message").hidden = false;
      break;
    }
  }
  calls.set(number, {...call(), watched: false});
}

function showState(view) {
  const possible = new Set(view.possible);
  const state = STATES.find(([verb]) => possible.has(verb))?.[1] ?? "";
  $("state").textContent = view.notice || (view.busy ? "הקו עסוק" : view.ended ? "השיחה הסתיימה" : state);
  $("state").dir = view.notice ? "ltr" : "rtl";
  $("status").classList.toggle("notice", Boolean(view.notice));
  for (const button of document.querySelectorAll("[data-verb]")) button.disabled = !possible.has(button.dataset.verb);
  $("speak").disabled = !possible.has("says") && !possible.has("records");
  for (const button of $("keypad").children) button.disabled = !possible.has("presses");
}

function showTimer() {
  const view = calls.get(current)?.view;
  const waiting = view?.busy ? view.waiting + (performance.now() - calls.get(current).seenAt) / 1000 : 0;
  $("timer").textContent = waiting ? waiting.toFixed(1) : "";
  $("timer").classList.toggle("long", waiting > LONG_SILENCE);
}

function showCalls() {
  const list = $("calls");
  list.replaceChildren();
  for (const [number, {view}] of calls) {
    const state = view.ended ? "הסתיימה" : view.busy ? "עסוק" : "פתוחה";
    const button = add(list, "button", `${number}. ${view.phone || "חסוי"} /${view.extension} (${state})`);
    button.setAttribute("aria-current", String(number === current));
    button.addEventListener("click", () => show(number));
  }
}

function show(number) {
  current = number;
  const {rows, exchanges, view} = calls.get(number);
  $("call").hidden = false;
  $("rows").replaceChildren();
  $("exchanges").replaceChildren();
  rows.forEach(addRow);
  exchanges.forEach((one, index) => addExchange(one, exchanges[index - 1]));
  showState(view);
  showCalls();
  $("text").focus();
}

function begin(view) {
  current = view.call;
  calls.set(view.call, {rows: [], exchanges: [], watched: false, view, seenAt: performance.now()});
  show(view.call);
  update(view);
}

function send(command) {
  const {rows, exchanges} = calls.get(current);
  return attempt(async () => {
    const view = await ask(`calls/${current}/commands?rows=${rows.length}&exchanges=${exchanges.length}`, {command});
    calls.set(view.call, {...calls.get(view.call), seenAt: performance.now()});
    update(view);
  });
}

function onSubmit(id, work) {
  $(id).addEventListener("submit", event => {
    event.preventDefault();
    attempt(work);
  });
}

function setUpSpeech() {
  if ("speechSynthesis" in window) {
    $("voice").hidden = false;
    $("voice").addEventListener("click", () => {
      speaks = !speaks;
      $("voice").setAttribute("aria-pressed", String(speaks));
      if (!speaks) speechSynthesis.cancel();
    });
  }
  const Recognition = window.SpeechRecognition ?? window.webkitSpeechRecognition;
  if (!Recognition) return;
  const recognition = new Recognition();
  recognition.lang = "he-IL";
  recognition.addEventListener("result", event => {
    const text = event.results[event.results.length - 1][0].transcript.trim();
    if (text) send(`says ${text}`);
  });
  recognition.addEventListener("end", () => $("listen").setAttribute("aria-pressed", "false"));
  recognition.addEventListener("error", event => attempt(() => {
    throw new Error(`המיקרופון לא נשמע (${event.error}); אפשר להקליד`);
  }));
  $("listen").hidden = false;
  $("listen").addEventListener("click", () => {
    const starts = $("listen").getAttribute("aria-pressed") !== "true";
    $("listen").setAttribute("aria-pressed", String(starts));
    if (starts) recognition.start(); else recognition.stop();
  });
}

function setUp() {
  for (const key of KEYS) {
    const button = add($("keypad"), "button", key);
    button.type = "button";
    button.addEventListener("click", () => send(`presses ${key}`));
  }
  for (const button of document.querySelectorAll("#actions [data-verb]")) {
    const verb = button.dataset.verb;
    button.addEventListener("click", () => {
      const text = verb === "records" ? $("text").value.trim() : "";
      if (text) $("text").value = "";
      send(`${verb.replace("_", "-")} ${text}`.trim());
    });
  }
  onSubmit("say", () => {
    const text = $("text").value.trim();
    const possible = calls.get(current).view.possible;
    const keys = /^[0-9*#]+$/.test(text) && possible.includes("presses") && !possible.includes("says");
    $("text").value = "";
    return text ? send(`${keys ? "presses" : possible.includes("records") ? "records" : "says"} ${text}`) : undefined;
  });
  onSubmit("dial", async () => begin(await ask("calls", {phone: $("number").value, extension: $("extension").value})));
  onSubmit("replay", async () => begin(await ask("replays", {file: $("file").value})));
  onSubmit("save", async () => {
    const {path} = await ask(`calls/${current}/save`, {name: $("name").value});
    $("name").value = "";
    $("message").textContent = `נשמר: ${path}`;
    $("message").hidden = false;
  });
  setUpSpeech();
  setInterval(showTimer, 100);
  attempt(async () => {
    const target = await ask("target");
    $("target").textContent = `${target.name} (${target.model})`;
    $("number").value = target.phone;
    for (const extension of target.extensions) add($("extensions"), "option", "").value = `/${extension}`;
    const known = await ask("calls");
    for (const view of known.calls) {
      current = view.call;
      calls.set(view.call, {rows: [], exchanges: [], watched: false, view, seenAt: performance.now()});
      update(view);
    }
    if (current) show(current);
    if (target.warnings.length) throw new Error(target.warnings.join(" · "));
  });
}

setUp();
