// Listens in on the Sonify frame, from outside its code: what is started on the audio clock, what
// reaches the loudspeaker, and when the playhead moves. Runs before the page's own scripts, and
// speaks over the console, because whatever Playwright evaluates counts as a gesture.
if (location.pathname.includes("plugin_entry")) {
  const SNIPPET = [2000, 2064]; // sample frames of a clip by which it is recognised

  const tap = { gestures: [], starts: [], moves: [], readyAt: null };
  window.tap = tap;
  let context = null;
  let loudness = null;
  let ears = [];

  const stamp = () => ({ now: performance.now(), ...stampOf(context) });
  const stampOf = (context) => {
    const { contextTime, performanceTime } = context.getOutputTimestamp();
    return { contextTime, performanceTime };
  };

  for (const type of ["pointerdown", "keydown"]) {
    addEventListener(type, ({ timeStamp }) => tap.gestures.push(timeStamp), true);
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
      connect.call(this, loudness);
      ears = earsOf(this);
    }
    return connect.call(this, destination, ...more);
  };

  const levelAt = (analyser) => {
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    return Math.hypot(...samples) / Math.sqrt(samples.length);
  };

  /** Root mean square of what has just gone to the loudspeaker. */
  tap.level = () => levelAt(loudness);

  /** The same of the left and of the right one, over a little longer. */
  tap.levels = () => ears.map(levelAt);

  /** What plays it, as the browser or the device may take it away. */
  tap.context = () => context;

  /** What the device adds to every delay, in ms. */
  tap.latency = () => 1000 * context.outputLatency;

  /** Whether the output clock has begun to run, which takes a while on a busy machine. */
  tap.runs = () => context.getOutputTimestamp().contextTime > 0;

  /** From now on, note each move of the playhead together with the output clock. */
  tap.follow = () => {
    const element = document.querySelector(".playhead");
    new MutationObserver(() => {
      tap.moves.push({ ...stamp(), transform: element.style.transform });
    }).observe(element, { attributes: true, attributeFilter: ["style"] });
  };

  tap.report = () => ({
    ...stamp(),
    gestures: tap.gestures,
    moves: tap.moves,
    starts: tap.starts.map(({ node, ...begun }) => begun),
  });

  const ready = setInterval(() => {
    if (document.querySelectorAll(".blocks .here").length === 0 || context === null) return;
    clearInterval(ready);
    tap.readyAt = performance.now();
    const { hasBeenActive } = navigator.userActivation;
    console.debug(`tap: ready, ${context.state}, ${hasBeenActive ? "used" : "untouched"}`);
  }, 20);
}
