/** A worker that ticks, because browsers slow down the timers of pages that are hidden. */

const TICK_MS = 1_100; // a little longer than the server keeps what it has listed

setInterval(() => postMessage(null), TICK_MS);
