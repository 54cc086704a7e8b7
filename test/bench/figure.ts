/** What was measured of one thing. */
export interface Quantity {
  readonly of: string;
  /** Null: not measured, as something for it is not there. */
  readonly value: number | null;
}

export type Unit = 'ms' | 'ms CPU' | 'MiB' | 'calls';

/** One line of the table. */
export interface Figure {
  readonly name: string;
  readonly unit: Unit;
  /** One, or two that are compared. */
  readonly values: readonly [Quantity] | readonly [Quantity, Quantity];
  /** The first value, in second values. */
  readonly ratio: number | null;
  /** What the ratio must not exceed; the value, where there is no ratio. */
  readonly limit: number | null;
}

/** What `npm run bench` has found. Of the machine it says how many cores it has, and nothing else. */
export interface Figures {
  readonly cores: number;
  /** By their versions. */
  readonly with: Readonly<Record<string, string>>;
  readonly figures: readonly Figure[];
}

export interface Subject {
  readonly name: string;
  readonly unit: Unit;
  readonly limit?: number;
}

export function ratio({ name, unit, limit }: Subject, first: Quantity, second: Quantity): Figure {
  const known = first.value !== null && second.value !== null;
  return {
    name,
    unit,
    values: [rounded(first), rounded(second)],
    ratio: known ? places(first.value / second.value, 2) : null,
    limit: limit ?? null,
  };
}

export function amount({ name, unit, limit }: Subject, quantity: Quantity): Figure {
  return { name, unit, values: [rounded(quantity)], ratio: null, limit: limit ?? null };
}

function rounded({ of, value }: Quantity): Quantity {
  return { of, value: value === null ? null : places(value, Math.abs(value) < 10 ? 2 : 1) };
}

function places(value: number, count: number): number {
  return Number(value.toFixed(count));
}
