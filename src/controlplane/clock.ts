/** Time is an argument here too. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  readonly elapsed: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}
