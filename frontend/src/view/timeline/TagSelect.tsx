/** Which scalar is drawn. */

import { signal } from "@preact/signals";
import { shownName } from "../../model/format";
import { chosenTag } from "../../state/choices";
import * as store from "../../state/store";
import { Field } from "../controls/Field";

const FILTER_FROM = 30; // tags

const filter = signal("");

export function TagSelect() {
  const tags = store.tags.value;
  if (tags.length === 0) return null;
  const wanted = filter.value.trim().toLowerCase();
  // What is drawn stays among them.
  const offered = tags.filter(
    (tag) => tag === store.tag.value || tag.toLowerCase().includes(wanted),
  );
  return (
    <>
      <Field id="tag" label="Curve">
        <select
          id="tag"
          value={store.tag.value ?? ""}
          onChange={(event) => {
            chosenTag.value = event.currentTarget.value;
          }}
        >
          {offered.map((tag) => (
            <option key={tag} value={tag}>
              {shownName(tag)}
            </option>
          ))}
        </select>
      </Field>
      {tags.length > FILTER_FROM && (
        <input
          type="search"
          placeholder={`Filter ${tags.length} curves`}
          aria-label="Filter curves"
          value={filter.value}
          onInput={({ currentTarget }) => {
            filter.value = currentTarget.value;
          }}
        />
      )}
    </>
  );
}
