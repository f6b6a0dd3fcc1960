/** A control with its label before it. */

import type { ComponentChildren } from "preact";

export function Field(props: { id: string; label: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <label htmlFor={props.id}>{props.label}</label>
      {props.children}
    </div>
  );
}
