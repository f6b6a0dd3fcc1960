/** What has happened by itself since the page was opened. The status line speaks of it, not this. */

import { announcer } from "../../state/playing";

export function Log() {
  const entries = announcer.log.value;
  return (
    <div role="log" aria-live="off" aria-label="What has happened">
      {entries.length === 0 && <p class="quiet">Nothing has happened by itself yet.</p>}
      <ol class="log">
        {entries.map(({ number, text, times }) => (
          <li key={number}>
            <span dir="auto">{text}</span>
            {times > 1 && <span class="count"> ×{times}</span>}
          </li>
        ))}
      </ol>
    </div>
  );
}
