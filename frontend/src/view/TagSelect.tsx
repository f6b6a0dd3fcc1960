/** Which scalar is drawn. */

import { chosenTag } from "../choices";
import { shownName } from "../model/format";
import * as store from "../store";
import { Field } from "./Field";

export function TagSelect() {
  if (store.tags.value.length === 0) return null;
  return (
    <Field id="tag" label="Curve">
      <select
        id="tag"
        value={store.tag.value ?? ""}
        onChange={(event) => {
          chosenTag.value = event.currentTarget.value;
        }}
      >
        {store.tags.value.map((tag) => (
          <option key={tag} value={tag}>
            {shownName(tag)}
          </option>
        ))}
      </select>
    </Field>
  );
}
