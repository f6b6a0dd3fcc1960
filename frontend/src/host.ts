/** The page around us: TensorBoard, a notebook, or nobody. All looks at the parent are in here. */

import { type Signal, signal } from "@preact/signals";

const DARK_CLASS = "dark-mode";

/** Name the document and its frame, which TensorBoard leaves without. */
export function nameDocument(): void {
  document.documentElement.lang = "en";
  titleDocument(null);
  const icon = document.createElement("link"); // else a browser asks for one that is not there
  icon.rel = "icon";
  icon.href = "data:,";
  document.head.append(icon);
}

const TITLE = "Sonify";
const around = sameOrigin(() => window.parent.document);
let untitled = "";

/** Put what is wrong before the titles of the document, of its frame, and of the page around it. */
export function titleDocument(words: string | null): void {
  const title = words === null ? TITLE : `${words} – ${TITLE}`;
  document.title = title;
  sameOrigin(() => window.frameElement?.setAttribute("title", title));
  if (around === null || window.parent === window) return;
  untitled ||= around.title;
  if (around.title !== untitled || words !== null)
    around.title = words === null ? untitled : `${words} – ${untitled}`;
}

/** Whether TensorBoard, or else the system, is dark. */
export function watchDark(): Signal<boolean> {
  const body = window.parent === window ? null : sameOrigin(() => window.parent.document.body);
  if (body !== null) {
    const dark = signal(body.classList.contains(DARK_CLASS));
    const observer = new MutationObserver(() => {
      dark.value = body.classList.contains(DARK_CLASS);
    });
    observer.observe(body, { attributes: true, attributeFilter: ["class"] });
    return dark;
  }
  return watchMedia("(prefers-color-scheme: dark)");
}

export function watchMedia(query: string): Signal<boolean> {
  const media = window.matchMedia(query);
  const matches = signal(media.matches);
  media.addEventListener("change", () => {
    matches.value = media.matches;
  });
  return matches;
}

/** Call back when another tab of TensorBoard is opened: ours stays alive behind it, and audible. */
export function onHidden(callback: () => void): void {
  new IntersectionObserver((entries) => {
    if (entries.some((entry) => !entry.isIntersecting)) callback();
  }).observe(document.body);
  window.addEventListener("resize", () => {
    if (window.innerHeight === 0) callback();
  });
}

const TICK_MS = 1_100; // as in ticker.ts

/** Call back every second, also while the page is hidden, where the browser has workers. */
export function onTick(callback: () => void): void {
  const tickHere = () => void window.setInterval(callback, TICK_MS);
  try {
    const ticker = new Worker("./parts/ticker.js");
    ticker.onmessage = callback;
    ticker.onerror = tickHere;
  } catch {
    tickHere();
  }
}

const LINKED = "p.sonify."; // TensorBoard's way to name what a link holds for a plugin

/** What the link by which the page was opened holds for us, by name. */
export function readLink(): ReadonlyMap<string, string> {
  const { hash } = outermost();
  const entries = [...new URLSearchParams(hash.replace(/^#/, ""))];
  const ours = entries.filter(([name]) => name.startsWith(LINKED));
  return new Map(ours.map(([name, value]) => [name.slice(LINKED.length), value]));
}

/** Whether we are in a frame, of TensorBoard or of a notebook. */
export const framed = window.parent !== window;

/** Whether nothing has the focus, also of the page around the frame: then it may be taken. */
export function nothingFocused(): boolean {
  const around = sameOrigin(() => window.parent.document.activeElement?.tagName) ?? "";
  return document.activeElement === document.body && ["BODY", "IFRAME"].includes(around);
}

/** A link to this page, as it stands in the browser or else without its frame, that holds these. */
export function linkWith(values: Readonly<Record<string, string>>, alone = false): string {
  const location = alone ? window.location : outermost();
  const held = new URLSearchParams(
    Object.entries(values).map(([name, value]) => [LINKED + name, value]),
  );
  const tab = location === window.location ? "" : "sonify&";
  return `${location.href.split("#")[0]}#${tab}${held}`;
}

/** Where the browser is: TensorBoard's own address where we are in its frame. */
const outermost = (): Location =>
  sameOrigin(() => probed(window.parent.location)) ?? window.location;

/** Reading an address of another origin throws, holding it does not. */
function probed(location: Location): Location {
  void location.href;
  return location;
}

type Message = { readonly type: string; readonly id: number; readonly isReply: boolean };

const NEWS = ["experimental.RunsChanged", "experimental.DataReloaded"];
const POLL_MS = 30_000;

/** Call back when TensorBoard says that it has read new data, and every 30 s, as it may not say so. */
export function onNews(callback: () => void): void {
  window.setInterval(() => {
    if (!document.hidden) callback();
  }, POLL_MS);
  if (window.parent === window) return;
  const { port1, port2 } = new MessageChannel();
  const send = (message: Message) =>
    port1.postMessage(JSON.stringify({ ...message, payload: null, error: null }));
  port1.onmessage = (event: MessageEvent<string>) => {
    const { type, id, isReply } = JSON.parse(event.data) as Message;
    if (!isReply) send({ type, id, isReply: true });
    if (!isReply && NEWS.includes(type)) callback();
  };
  window.parent.postMessage("experimental.bootstrap", "*", [port2]);
}

/** What another document answers; null where it is of another origin, which throws. */
function sameOrigin<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}
