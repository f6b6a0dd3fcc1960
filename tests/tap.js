// Listens in on the Sonify frame, from outside its code: what is started on the audio clock, what
// reaches the loudspeaker, and when the playhead moves. Runs before the page's own scripts, and
// speaks over the console, because whatever Playwright evaluates counts as a gesture.
if (location.pathname.includes("plugin_entry")) {
  const SNIPPET = [2000, 2064]; // sample frames of a clip by which it is recognised
  const AUDIBLE = 1e-4; // root mean square, of a full scale of 1

  const tap = { gestures: [], pressed: [], starts: [], moves: [], readyAt: null };
  window.tap = tap;
  let context = null;
  let loudness = null;
  let recent = null; // the same over two thirds of a second: a busy page looks seldom
  let loudest = 0; // since the latest gesture or silence, see tap.heard
  let since = 0; // when that was
  let listening = false;
  let ears = [];

  const stamp = () => ({ now: performance.now(), ...stampOf(context) });
  const stampOf = (context) => {
    const { contextTime, performanceTime } = context.getOutputTimestamp();
    return { contextTime, performanceTime };
  };

  for (const type of ["pointerdown", "keydown"]) {
    const note = ({ timeStamp }) => {
      loudest = 0;
      since = performance.now();
      tap.gestures.push(timeStamp);
      tap.pressed.push(context === null ? null : stamp()); // as the page is about to act on it
    };
    addEventListener(type, note, true);
  }
  addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    console.error(`blocked by ${violatedDirective}: ${blockedURI}`);
  });

  const { start, stop } = AudioBufferSourceNode.prototype;
  AudioBufferSourceNode.prototype.start = function (when = 0, offset = 0, ...more) {
    const { buffer } = this;
    const snippet = [...buffer.getChannelData(0).slice(...SNIPPET)];
    const begun = { node: this, when, offset, end: when + buffer.duration - offset, snippet };
    tap.starts.push(begun);
    if (!listening) requestAnimationFrame(listen);
    listening = true;
    return start.call(this, when, offset, ...more);
  };
  AudioScheduledSourceNode.prototype.stop = function (when = 0) {
    for (const begun of tap.starts) {
      if (begun.node === this) begun.end = Math.min(begun.end, when || context.currentTime);
    }
    return stop.call(this, when);
  };

  const { connect } = AudioNode.prototype;
  const earsOf = (node) => {
    const both = new GainNode(node.context, { channelCount: 2, channelCountMode: "explicit" });
    const splitter = new ChannelSplitterNode(node.context, { numberOfOutputs: 2 });
    connect.call(node, both);
    both.connect(splitter);
    return [0, 1].map((ear) => {
      const analyser = new AnalyserNode(node.context, { fftSize: 4096 });
      splitter.connect(analyser, ear);
      return analyser;
    });
  };
  AudioNode.prototype.connect = function (destination, ...more) {
    if (destination instanceof AudioDestinationNode) {
      context = destination.context;
      loudness = new AnalyserNode(context, { fftSize: 1024 });
      recent = new AnalyserNode(context, { fftSize: 32768 });
      connect.call(this, loudness);
      connect.call(this, recent);
      ears = earsOf(this);
    }
    return connect.call(this, destination, ...more);
  };

  const samplesAt = (analyser) => {
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    return samples;
  };
  const levelAt = (analyser) => {
    const samples = samplesAt(analyser);
    return Math.hypot(...samples) / Math.sqrt(samples.length);
  };
  /** Root mean square of what has gone there since the latest gesture or silence, if not long ago. */
  const recentLevel = () => {
    const frames = Math.floor(((performance.now() - since) / 1000) * context.sampleRate);
    const samples = samplesAt(recent).slice(-Math.max(1, frames));
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length);
  };

  /** Root mean square of what has just gone to the loudspeaker. */
  tap.level = () => levelAt(loudness);

  /** Whether anything was loud since the latest gesture or silence, however short it was. */
  tap.heard = () => Math.max(loudest, recentLevel()) > AUDIBLE;

  /** Whether nothing goes there now; what was heard before is forgotten. */
  tap.silent = () => {
    if (tap.level() > 0) return false;
    loudest = 0;
    since = performance.now();
    return true;
  };

  // For as long as a sound is due, so that one is noticed that ends before a test can ask.
  const listen = () => {
    loudest = Math.max(loudest, recentLevel());
    listening = tap.starts.some(({ end }) => end > context.currentTime);
    if (listening) requestAnimationFrame(listen);
  };

  /** When the latest sound of the last second or so ended at the ear, in ms of the page. */
  tap.endedAt = () => {
    const { contextTime, performanceTime } = stampOf(context);
    const samples = samplesAt(recent); // the last of them at the context's current time
    const since = samples.length - 1 - samples.findLastIndex((sample) => Math.abs(sample) > AUDIBLE);
    const end = context.currentTime - since / context.sampleRate;
    return performanceTime + 1000 * (end - contextTime);
  };

  /** Level of the left and of the right one, over a little longer. */
  tap.levels = () => ears.map(levelAt);

  /** The same, again and again until so many seconds of sound have been computed. */
  tap.levelsOver = (seconds) =>
    new Promise((done) => {
      const end = context.currentTime + seconds;
      const found = [];
      const listen = () => {
        found.push(tap.levels());
        if (context.currentTime < end) requestAnimationFrame(listen);
        else done(found);
      };
      listen();
    });

  /** What plays it, as the browser or the device may take it away. */
  tap.context = () => context;

  /** What the device adds to every delay, in ms. */
  tap.latency = () => 1000 * context.outputLatency;

  /** Whether the output clock has begun to run, which takes a while on a busy machine. */
  tap.runs = () => context.getOutputTimestamp().contextTime > 0;

  /** Whether a sound that was started after the latest gesture is, or was, at the ear. */
  tap.answered = () => {
    const { now, contextTime, performanceTime } = stamp();
    const pageTime = ({ when }) => performanceTime + 1000 * (when - contextTime);
    const since = tap.gestures.at(-1);
    return tap.starts.some(
      (begun) => begun.snippet.some(Boolean) && pageTime(begun) > since && pageTime(begun) < now,
    );
  };

  // The output clock as it was read last, and in which picture.
  let read = null;
  const { getOutputTimestamp } = AudioContext.prototype;
  AudioContext.prototype.getOutputTimestamp = function () {
    const found = getOutputTimestamp.call(this);
    const { contextTime, performanceTime } = found;
    const now = performance.now();
    read = { now, contextTime, performanceTime, picture: document.timeline.currentTime };
    return found;
  };

  /** From now on, note each move of the playhead with the reading of the clock that it is due to. */
  tap.follow = () => {
    const element = document.querySelector(".playhead");
    new MutationObserver(() => {
      const { transform } = element.style;
      tap.moves.push({ ...read, transform, moved: document.timeline.currentTime });
    }).observe(element, { attributes: true, attributeFilter: ["style"] });
  };

  tap.report = () => ({
    ...stamp(),
    gestures: tap.gestures,
    pressed: tap.pressed,
    moves: tap.moves,
    starts: tap.starts.map(({ node, ...begun }) => begun),
  });

  // What is asked of the server, but for what is asked for all the time.
  const isStates = (resource) => `${resource}`.includes("/states");
  let asked = false;
  let pending = 0;
  const { fetch } = window;
  window.fetch = (resource, ...more) => {
    const isPoll = `${resource}`.includes("/news") || (asked && isStates(resource));
    asked ||= isStates(resource);
    if (isPoll) return fetch(resource, ...more);
    pending += 1;
    return fetch(resource, ...more).finally(() => {
      pending -= 1;
    });
  };

  /** Once nothing has been asked for, moved or drawn for a while. */
  tap.rest = () =>
    new Promise((rested) => {
      let [last, since, pictures] = ["", 0, 0];
      const watch = (now) => {
        const drawn = performance.getEntriesByType("measure").length;
        const canvases = [...document.querySelectorAll("canvas")].map(({ style }) => style.transform);
        const seen = [pending, drawn, ...canvases, ...places()].join("; ");
        if (seen !== last || pending > 0) [last, since, pictures] = [seen, now, 0];
        pictures += 1;
        if (now - since >= SETTLED_MS && pictures >= SETTLED_PICTURES) rested(true);
        else requestAnimationFrame(watch);
      };
      requestAnimationFrame(watch);
    });

  const SETTLED_MS = 300; // for so long, and in so many pictures, the layout must not move
  const SETTLED_PICTURES = 5;

  const places = () =>
    [".timeline", ".blocks"].map((name) => {
      const { x, y, width, height } = document.querySelector(name).getBoundingClientRect();
      return [x, y, width, height].map(Math.round);
    });

  let settled = { at: "", since: 0, pictures: 0 };

  const watch = (now) => {
    const here = document.querySelectorAll(".blocks .here").length > 0 && context !== null;
    if (here) tap.readyAt ??= now;
    const at = here ? places().join("; ") : "";
    if (at === "" || at !== settled.at) settled = { at, since: now, pictures: 0 };
    settled.pictures += 1;
    if (now - settled.since < SETTLED_MS || settled.pictures < SETTLED_PICTURES) {
      requestAnimationFrame(watch);
      return;
    }
    const { hasBeenActive } = navigator.userActivation;
    const used = hasBeenActive ? "used" : "untouched";
    console.debug(`tap: ready, ${context.state}, ${used}, at ${at}`);
  };
  requestAnimationFrame(watch);
}
