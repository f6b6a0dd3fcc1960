/** What has happened by itself since the page was opened. The status line speaks of it, not this. */

import { useSignalEffect } from "@preact/signals";
import { serverProblem } from "../../state/loading";
import { announcer } from "../../state/playing";

export function EventLog() {
  useSignalEffect(() => {
    const problem = serverProblem.value;
    if (problem !== null) announcer.keep(problem);
  });
  const entries = announcer.log.value;
  return (
    <details class="card">
      <summary>
        What has happened <span class="count">{entries.length}</span>
      </summary>
      <div role="log" aria-live="off" aria-label="What has happened">
        <ol class="log">
          {entries.map(({ number, text, times }) => (
            <li key={number}>
              <span dir="auto">{text}</span>
              {times > 1 && <span class="count"> ×{times}</span>}
            </li>
          ))}
        </ol>
      </div>
    </details>
  );
}
