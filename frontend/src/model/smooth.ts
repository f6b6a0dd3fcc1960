/** Curves with less noise. */

/**
 * An exponential moving average as TensorBoard draws it: started without a bias towards zero, and
 * carried on over what is not a number, which stays what it is.
 *
 * @param weight of what came before, from 0, nothing is smoothed, to below 1
 */
export function smoothed(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight === 0) return [...values];
  let average = 0;
  let share = 1;
  return values.map((value) => {
    if (value === null) return null;
    average = average * weight + (1 - weight) * value;
    share *= weight;
    return average / (1 - share);
  });
}
