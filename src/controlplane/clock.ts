/** Time is an argument here, too. */
export interface Clock {
  /** The milliseconds since some moment. They never go back. */
  readonly elapsed: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}
