/** Which scalar is drawn. */

import { signal } from "@preact/signals";
import { shownName } from "../../model/format";
import { chosenTag } from "../../state/choices";
import * as store from "../../state/store";
import { Choice } from "../controls/Choice";

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
      <Choice
        id="tag"
        label="Curve"
        options={offered.map((tag) => [tag, shownName(tag)])}
        value={store.tag.value ?? ""}
        choose={(tag) => {
          chosenTag.value = tag;
        }}
      />
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
