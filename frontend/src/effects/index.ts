/** What happens by itself; started once, lives as long as the page. */

import { effect, untracked } from "@preact/signals";
import { late } from "../actions/commands";
import { reachGoal } from "../actions/moving";
import { pause, playPending } from "../actions/transport";
import { keepInSight } from "../actions/zoom";
import { onHidden, onNews, onTick, titleDocument } from "../host";
import { type Query, runsIn } from "../server/api";
import { noServer } from "../server/site";
import { across } from "../state/axis";
import {
  chosenSides,
  delay,
  hearing,
  LISTENED,
  listening,
  mono,
  quieter,
  remember,
  volume,
} from "../state/choices";
import {
  coverageResource,
  curveResource,
  heardResource,
  heatmapResource,
  landmarkResource,
  layerResource,
  newestResource,
  noteResource,
  otherCurveResource,
  runResource,
  scalarsResource,
  summaryResource,
} from "../state/data";
import { heardKeys } from "../state/heard";
import { bothSilence, coverageKeys, otherScore, score } from "../state/hearing";
import { heatmapKeys, layerKeys, restAxis, tableKeys } from "../state/layers";
import { askAgain, serverProblem, speakOfLoading } from "../state/loading";
import { mix } from "../state/mix";
import {
  activeLoop,
  announcer,
  isPlaying,
  lackWords,
  landmarkKeys,
  noteKey,
  player,
  playheadStep,
  runWords,
  unlocked,
} from "../state/playing";
import * as store from "../state/runs";
import { otherCurveKeys } from "../state/runs";
import { title, watched } from "../state/watch";
import { SIDES } from "../units";
import { keepUp, lookAfterRuns, sayOffer, updateRowByRow } from "./following";
import { changes, type Known, known } from "./loading";
import { sayNewest, speakOfWhatPasses } from "./speech";

const sides = store.sides;

const NEWS_MS = 1_100; // a little longer than the server keeps what it has listed

/** Start all of it; lives as long as the page. */
export function startEffects(): void {
  effect(lookAtChoice); // first, so that no change is missed after what is shown was read
  effect(loadWhatIsShown);
  effect(restAxis);
  effect(updateRowByRow);
  effect(keepFirstChoice);
  effect(speakOfWhatPasses);
  effect(updatePlayer);
  effect(playPending);
  effect(keepUp);
  effect(sayOffer);
  effect(takeNews);
  effect(logProblem);
  effect(noticeReturn);
  if (noServer === null) window.setInterval(lookForNews, NEWS_MS);
  void lookAfterRuns();
  if (noServer === null) onTick(() => void lookAfterRuns());
  effect(noticeRuns);
  effect(reachGoal);
  effect(sayNewest);
  effect(() => titleDocument(title.value));
  effect(keepInSight);
  effect(() => player.stage.engine.setOutput(volume.value, mono.value, delay.value / 1000));
  effect(makeRoomForSpeech);
  effect(() => {
    if (unlocked.value) remember(LISTENED, "true");
  });
  effect(() => player.stage.setMix(mix.value));
  effect(() => {
    document.documentElement.dataset.theme = store.dark.value ? "dark" : "light";
  });
  effect(() => askAgain(refresh));
  speakOfLoading();
  onHidden(pause);
  onNews(refresh);
}

/** Ask the server again for all that is on screen; what is there stays until the answer comes. */
export function refresh(): void {
  const names = SIDES.map((side) => sides.peek()[side]).filter((run) => run !== null);
  runResource.refresh([[]]);
  scalarsResource.refresh(names.map((run) => [run]));
  const tag = store.tag.peek();
  const notes = noteKey.peek();
  otherCurveResource.refresh(untracked(otherCurveKeys));
  coverageResource.refresh(untracked(coverageKeys));
  curveResource.refresh(curveKeys(tag));
  summaryResource.refresh(tag === null ? [] : [[tag]]);
  noteResource.refresh([...(notes === null ? [] : [notes]), ...untracked(tableKeys)]);
  landmarkResource.refresh(untracked(landmarkKeys));
  heardResource.refresh(untracked(heardKeys));
  heatmapResource.refresh(untracked(heatmapKeys));
  layerResource.refresh(untracked(layerKeys));
  late.refresh(null);
  player.clips.retry();
}

/** Ask again for what is other now that these runs have grown. */
function refreshGrown(grown: readonly string[]): void {
  const isOf = (view: Query) => grown.some((run) => runsIn(view).includes(run));
  const of = <Key extends readonly [string, ...unknown[]]>(keys: readonly Key[]) =>
    keys.filter(([run]) => grown.includes(run));
  const tag = store.tag.peek();
  const notes = noteKey.peek();
  const tables = [...(notes === null ? [] : [notes]), ...tableKeys()];
  coverageResource.renew(coverageKeys().filter(([view]) => isOf(view)));
  noteResource.renew(tables.filter(([view]) => isOf(view)));
  scalarsResource.renew(grown.map((run) => [run]));
  curveResource.renew(of(curveKeys(tag)));
  summaryResource.renew(tag === null ? [] : [[tag]]);
  landmarkResource.renew(of(landmarkKeys()));
  heardResource.renew(heardKeys().filter(([sound]) => isOf(sound)));
  heatmapResource.renew(of(heatmapKeys()));
  layerResource.renew(of(layerKeys()));
  late.refresh(grown);
}

function lookForNews(): void {
  const key = store.newestKey.peek();
  if (newestResource.get(key).loading) return;
  if (!document.hidden || player.transport.peek().state === "playing")
    newestResource.refresh([key]);
}

function lookAtChoice(): void {
  const key = store.newestKey.value;
  if (key[0] !== null || latest !== null) untracked(() => newestResource.ensure(key));
}

let latest: Known | null = null;

function logProblem(): void {
  const problem = serverProblem.value;
  if (problem !== null) announcer.keep(problem);
}

function takeNews(): void {
  const key = store.newestKey.value;
  const newest = newestResource.get(key).value;
  if (newest === null) return;
  const before = latest;
  latest = known(key, newest);
  if (before === null) return;
  const { all, grown } = changes(before, latest);
  if (all) untracked(refresh);
  else if (grown.length > 0) untracked(() => refreshGrown(grown));
}

const noticed = { come: new Set<string>(), gone: new Set<string>() };

/** A run may come, or go, between two answers that tell of runs: each is looked for once. */
function noticeRuns(): void {
  const listed = runResource.get([]).value;
  if (listed === null) return;
  const names = new Set(listed.map(({ name }) => name));
  for (const name of names) noticed.come.add(name);
  const wrong = [...(watched.value ?? [])].filter(([run, { state }]) =>
    state === "gone" ? names.has(run) && !noticed.gone.has(run) : !noticed.come.has(run),
  );
  for (const [run, { state }] of wrong) noticed[state === "gone" ? "gone" : "come"].add(run);
  if (wrong.length > 0) untracked(refresh);
}

let failed = false;

/** What failed while the server was away is asked for at once when it is back. */
function noticeReturn(): void {
  const { error, loading } = newestResource.get(store.newestKey.value);
  if (loading) return;
  const before = failed;
  failed = error !== null;
  if (before && !failed) untracked(refresh);
}

function loadWhatIsShown(): void {
  runResource.ensure([]);
  for (const run of SIDES.map((side) => sides.value[side])) {
    if (run === null) continue;
    scalarsResource.ensure([run]);
  }
  for (const key of coverageKeys()) coverageResource.ensure(key);
  for (const key of curveKeys(store.tag.value)) curveResource.ensure(key);
  if (store.tag.value !== null) summaryResource.ensure([store.tag.value]);
  otherCurveResource.only(otherCurveKeys());
  landmarkResource.only(landmarkKeys());
  heardResource.only(heardKeys());
  heatmapResource.only(heatmapKeys());
  layerResource.only(layerKeys());
  noteResource.only([...tableKeys(), ...(noteKey.value === null ? [] : [noteKey.value])]);
}

function curveKeys(tag: string | null): (readonly [string, string])[] {
  if (tag === null) return [];
  return SIDES.flatMap((side) => {
    const run = sides.value[side];
    if (run === null || !store.scalarsOf(side)?.scalars.includes(tag)) return [];
    const partner = store.partnerTag[side].value;
    return [[run, tag] as const, ...(partner === null ? [] : [[run, partner] as const])];
  });
}

/** What was taken for want of a choice stays, also when a run comes that would go before it. */
function keepFirstChoice(): void {
  const { a, b } = sides.value;
  const chosen = chosenSides.peek();
  if ((chosen.a ?? a) !== chosen.a || (chosen.b ?? b) !== chosen.b) {
    chosenSides.value = { a: chosen.a ?? a, b: chosen.b ?? b };
  }
  // Before the runs are known, a link may have chosen B.
  if (store.runs.value.length > 0 && sides.value[hearing.peek()] === null) hearing.value = "a";
}

function makeRoomForSpeech(): void {
  if (announcer.text.value !== "" && quieter.peek()) player.stage.engine.dip();
}

/** Where both runs are heard, the lead is A, unless only B has what is heard. */
function keepLead(): void {
  if (listening.value === "one" || sides.value.b === null) return;
  const why = bothSilence();
  if (why !== null) {
    listening.value = "one";
    announcer.tell("trouble", `One run alone: ${why}`);
    return;
  }
  const lead = store.lacksQuantity("a") && !store.lacksQuantity("b") ? "b" : "a";
  const before = hearing.peek();
  if (before === lead) return;
  const step = untracked(() => across(playheadStep.value, before, lead));
  hearing.value = lead;
  if (!untracked(isPlaying)) player.rest(step);
}

function updatePlayer(): void {
  keepLead();
  const heard = score.value;
  void otherScore.value;
  void activeLoop.value;
  const playing = player.stage.playing();
  if (playing !== null && !store.runs.value.some(({ name }) => name === playing)) {
    // A run that is deleted while it plays is not to turn into another one unasked.
    player.rest();
    announcer.tell(
      "trouble",
      `The run that was playing is gone; next is ${runWords(hearing.peek())}`,
    );
  }
  const lack = lackWords(hearing.peek());
  if (playing !== null && lack !== null) {
    player.rest(); // what is heard is never something else than is said
    announcer.tell("trouble", lack);
  }
  player.refresh();
  if (heard === null) return;
  player.prepare(heard);
  player.prefetch(playheadStep.peek());
}
