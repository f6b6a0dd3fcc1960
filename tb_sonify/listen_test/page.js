// The page of the listening test: shows the server's current step, plays it, sends the answer.
"use strict";

const PAUSE_MS = 900; // between an answer and the next sound, in which it is read whether it was right

const at = (id) => document.getElementById(id);
const sound = new Audio();
let step = null;
let replays = 0;
let heard = false; // up to the last of the sounds
let next = 0; // timer of the next sound

const say = (text) => {
  at("status").textContent = text;
};

async function ask(path, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function show(shown, said = "") {
  const before = step;
  step = shown;
  replays = 0;
  heard = step.kind === "page";
  at("place").textContent = step.place;
  at("progress").value = step.progress;
  at("heading").textContent = step.heading;
  at("text").textContent = step.text;
  if (before?.kind !== step.kind || before.heading !== step.heading) {
    at("choices").replaceChildren(...step.choices.map(choice));
    at("status").before(at("stage")); // takes its focus, so that a screen reader reads what is new
  }
  at("stage").hidden = at("status").hidden = at("controls").hidden = step.kind === "result";
  at("result").hidden = step.kind !== "result";
  at("play").hidden = at("pause").hidden = !step.sounds.length;
  mark();
  if (step.kind === "result") return showResult();
  if (document.activeElement !== at("stage")) at("stage").focus();
  const asks = step.kind === "check" || step.kind === "trial";
  if (asks && !at("wait").checked) {
    say(said);
    next = setTimeout(play, PAUSE_MS);
  } else say(asks ? `${said} ${step.place}: press Space.` : said);
}

function choice(label, number) {
  const button = element("button", "", "choice");
  button.type = "button";
  const key = step.choices.length === 1 ? "Enter" : String(number + 1);
  button.append(element("kbd", key), ` ${label}`);
  button.addEventListener("click", () => answer(number));
  return button;
}

async function play() {
  clearTimeout(next);
  if (!step) return resume("No answer");
  if (!step.sounds.length) return;
  const again = heard && step.kind !== "page";
  sound.src = `sound/${step.number}.wav`;
  try {
    await sound.play();
    if (again) replays += 1;
    say("");
    follow();
  } catch (error) {
    if (error.name === "NotAllowedError") say("Press Space to hear the sounds.");
    else if (error.name !== "AbortError") resume("No sound");
  }
}

// Light up the sound that is heard; the answers count from the last one on.
function follow() {
  const now = sound.currentTime;
  const current = step.sounds.findIndex(([start, end]) => now >= start && now < end);
  if (now >= (step.sounds.at(-1)?.[0] ?? 0)) heard = true;
  mark(sound.paused ? -1 : current);
  if (!sound.paused) requestAnimationFrame(follow);
}

function mark(current = -1) {
  [...at("choices").children].forEach((button, number) => {
    button.classList.toggle("sounding", step.sounds.length > 1 && number === current);
    button.setAttribute("aria-disabled", String(!heard));
  });
}

function pause() {
  clearTimeout(next);
  sound.pause();
  at("stage").focus();
  say("Paused. There is no hurry: press Space to go on. The page may be closed and opened again, too.");
}

async function answer(number) {
  if (!heard || number >= step.choices.length) return;
  heard = false;
  clearTimeout(next);
  sound.pause();
  try {
    const { right, step: shown } = await ask("answer", { number: step.number, choice: number, replays });
    show(shown, right === null ? "" : right ? "✓ Right." : "✗ Wrong.");
  } catch (error) {
    heard = true;
    resume(`Not taken (${error.message})`);
  }
}

// Another page may have gone on meanwhile, or the server may have ended.
async function resume(problem) {
  const now = await ask("step").catch(() => null);
  if (now && now.number !== step?.number) show(now);
  else say(`${problem}: is tb-sonify listen-test still running? Press Space to try again.`);
}

function showResult() {
  at("thresholds").replaceChildren(...step.thresholds.map(card));
  at("headphones").textContent = step.headphones.words;
  at("limits").replaceChildren(...step.limits.map((limit) => element("li", limit)));
  at("saved").textContent = step.saved;
  at("heading").focus();
}

function card(found) {
  const made = element("article", "");
  const [low, high] = found.played.map(Math.log);
  const share = (level) => `${(100 * Math.min(Math.max((Math.log(level) - low) / (high - low), 0), 1)).toFixed(1)}%`;
  const range = element("div", "", "range");
  range.setAttribute("aria-hidden", "true");
  for (const name of ["low", "high", "estimate", "relevant"]) {
    range.style.setProperty(`--${name}`, share(found[name]));
  }
  range.append(...["i", "b", "u"].map((name) => element(name, "")), ...found.ends.map((end) => element("small", end)));
  made.append(
    element("h3", found.title),
    element("p", found.words, "threshold"),
    range,
    element("p", `90% sure: ${found.between}. ${found.verdict}`),
  );
  return made;
}

const ANSWERS = { ArrowLeft: 0, ArrowDown: 1, ArrowRight: -1, Enter: 0 };

document.addEventListener("keydown", (event) => {
  if (step?.kind === "result" || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.key === "Escape") pause();
  else if (!event.target.closest("#stage") || event.target.closest("button") && [" ", "Enter"].includes(event.key)) return;
  else if (event.key === " ") play();
  else if (/^[1-9]$/.test(event.key)) answer(Number(event.key) - 1);
  else if (event.key === "Enter" && step?.kind !== "page") return;
  else if (event.key in ANSWERS && step) answer((ANSWERS[event.key] + step.choices.length) % step.choices.length);
  else return;
  event.preventDefault();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("button, label, a")) at("stage").focus(); // where the keys are heard
});
at("play").addEventListener("click", () => play().then(() => at("stage").focus()));
at("pause").addEventListener("click", pause);
sound.addEventListener("ended", follow);
resume("The server does not answer");
