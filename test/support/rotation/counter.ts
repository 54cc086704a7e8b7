/** What became of the requests of one client. */
export interface Count {
  readonly ok: number;
  /** Nobody listened, or the connection was cut: the endpoint was being restarted. */
  readonly down: number;
  readonly lastDown: FailedRequest | undefined;
  readonly failed: number;
  readonly first: FailedRequest | undefined;
  readonly last: FailedRequest | undefined;
  /** When a request went well for the last time, milliseconds. */
  readonly lastOk: number | undefined;
}

export interface FailedRequest {
  /** Milliseconds. */
  readonly time: number;
  readonly reason: string;
}

/** Counts requests since it was made, or was last set to nothing. */
export class Counter {
  #count: Count = none;

  get count(): Count {
    return this.#count;
  }

  reset(): void {
    this.#count = none;
  }

  ok(time = Date.now()): void {
    this.#count = { ...this.#count, ok: this.#count.ok + 1, lastOk: time };
  }

  down(reason: string, time = Date.now()): void {
    const { down } = this.#count;
    this.#count = { ...this.#count, down: down + 1, lastDown: { time, reason } };
  }

  failed(reason: string, time = Date.now()): void {
    const { failed, first } = this.#count;
    const request = { time, reason };
    this.#count = { ...this.#count, failed: failed + 1, first: first ?? request, last: request };
  }
}

const none: Count = {
  ok: 0,
  down: 0,
  lastDown: undefined,
  failed: 0,
  first: undefined,
  last: undefined,
  lastOk: undefined,
};

/** A line for each client: what went well, what found nobody, what failed, and why first. */
export function reportLines(report: Readonly<Record<string, Count>>): readonly string[] {
  const width = Math.max(0, ...Object.keys(report).map(({ length }) => length));
  return Object.entries(report)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { ok, down, failed, first }]) => {
      const counts = `${String(ok).padStart(6)} ok ${String(down).padStart(5)} down ${String(failed).padStart(5)} failed`;
      const why = first === undefined ? '' : `  since ${new Date(first.time).toISOString()}: ${first.reason}`;
      return `${name.padEnd(width)} ${counts}${why}`;
    });
}
