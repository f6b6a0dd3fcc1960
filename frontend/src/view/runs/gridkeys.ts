/** Keys of a grid, as in the ARIA practices: one stop for Tab, arrows from cell to cell. */

import { clamp } from "../../model/notes";

const CELLS = "[role=gridcell], [role=rowheader]";
const PAGE = 10; // rows
const ALL = 1e6; // more rows, and cells, than any grid has

/** By how many rows and cells each key moves. */
const MOVES: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  PageUp: [-PAGE, 0],
  PageDown: [PAGE, 0],
  Home: [0, -ALL],
  End: [0, ALL],
};

/** The column that up and down keep to, also across rows that lack it. */
let column = 1;
let crossing = false;

export function onGridKey(event: KeyboardEvent): void {
  const { key, ctrlKey, target } = event;
  const grid = event.currentTarget as HTMLElement;
  const cell = (target as HTMLElement).closest<HTMLElement>(CELLS);
  if (cell === null || event.altKey || event.metaKey || event.shiftKey) return;
  if (key === "Enter" && target instanceof HTMLInputElement) target.click(); // as Space does
  const [down, along] = MOVES[key] ?? [0, 0];
  if (down === 0 && along === 0) return;
  // A radio button and a slider would take the arrows for themselves.
  event.preventDefault();
  const toCorner = ctrlKey && Math.abs(along) === ALL;
  if (ctrlKey && !toCorner) return;
  const rows = [...grid.querySelectorAll<HTMLElement>("[data-row]")];
  const at = rows.findIndex((row) => row.contains(cell));
  const row = rows[clamp(at + (toCorner ? along : down), 0, rows.length - 1)];
  const cells = [...(row?.querySelectorAll<HTMLElement>(CELLS) ?? [])];
  const place =
    along === 0
      ? cells.findLastIndex((each) => columnOf(each) <= column)
      : cells.indexOf(cell) + along;
  crossing = along === 0;
  stopOf(cells[clamp(place, 0, cells.length - 1)] ?? cell).focus();
  crossing = false;
}

/** What has the focus becomes the one stop for Tab. */
export function onGridFocus(event: FocusEvent): void {
  const target = event.target as HTMLElement;
  const cell = target.closest<HTMLElement>(CELLS);
  if (cell === null) return;
  for (const stop of stopsOf(event.currentTarget as HTMLElement)) stop.tabIndex = -1;
  target.tabIndex = 0;
  if (!crossing) column = columnOf(cell);
}

/** A grid must have a stop, also where the row that had it is gone. */
export function keepStop(grid: HTMLElement): void {
  const [first, ...others] = stopsOf(grid);
  for (const stop of others) stop.tabIndex = -1;
  const cell = grid.querySelector<HTMLElement>(CELLS);
  if (first === undefined && cell !== null) stopOf(cell).tabIndex = 0;
}

const stopsOf = (grid: HTMLElement) => grid.querySelectorAll<HTMLElement>("[tabindex='0']");

/** What is focused of a cell: the control in it, else itself. */
const stopOf = (cell: HTMLElement): HTMLElement =>
  cell.querySelector<HTMLElement>("input:enabled, button") ?? cell;

const columnOf = (cell: HTMLElement): number => Number(cell.ariaColIndex);
