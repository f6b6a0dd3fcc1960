/** Which scalar is drawn. */

import { shownName } from "../../model/format";
import { chosenTag } from "../../state/choices";
import * as store from "../../state/store";
import { Field } from "../controls/Field";

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
