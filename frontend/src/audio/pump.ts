/** Starts the clips of a passage as they become due. */

import type { SampleFrame } from "../units";
import type { Clips, Source } from "./clips";
import type { Engine } from "./engine";
import { type Fade, raisedCosine } from "./fade";
import { type Cue, plan } from "./plan";
import type { Passage } from "./transport";
import type { Voice } from "./voice";

export type Sounding = {
  readonly source: Source;
  readonly voice: Voice;
  /** How its first clip comes in. */
  readonly entry: Fade;
};

/**
 * Start what is due before frame `until` of the context, as far as the clips are here.
 *
 * Where a clip comes too late to join on, the sound has waited for it: the passage gets a new
 * anchor, so that the playhead has waited too.
 */
export function startDue(
  passage: Passage,
  { source, voice, entry }: Sounding,
  clips: Clips,
  engine: Engine,
  until: SampleFrame,
): Passage {
  const { hop } = source.preset;
  const [cue, ...others] = plan(source.spans, hop, passage.anchor, passage.started, until);
  if (cue === undefined) return passage;
  if (cue.at < engine.now() && clips.has({ source, span: cue.span })) {
    const anchor = { at: engine.soon(), frame: passage.started };
    return startDue({ ...passage, anchor }, { source, voice, entry }, clips, engine, until);
  }
  let { started } = passage;
  for (const each of [cue, ...others]) {
    const clip = clips.get({ source, span: each.span });
    if (clip === undefined) break;
    const first = started === passage.anchor.frame;
    voice.start(clip, each.at, each.offset, first ? entry : joint(each, source));
    started = each.next;
  }
  return started === passage.started ? passage : { ...passage, started };
}

/** Clips fade into one another by themselves, but for one that has grown since its start was played. */
function joint({ offset }: Cue, { preset }: Source): Fade | null {
  return offset > 0 && preset.tail > 0 ? raisedCosine(preset.tail / preset.sampleRate) : null;
}
