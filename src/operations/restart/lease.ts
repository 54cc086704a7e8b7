import type { KubepkiError } from '../../errors/error.ts';

/** The Lease of coordination.k8s.io/v1 that has the nodes of a cluster restart one at a time. */
export const leaseName = { namespace: 'kube-system', name: 'kubepki-restart' } as const;

/** A Lease as it was read. */
export interface LeaseRecord {
  /** A new one with each write. */
  readonly version: string;
  /** undefined: it is free. */
  readonly holder: LeaseHolder | undefined;
}

export interface LeaseHolder {
  /** The node's name in the cluster. */
  readonly node: string;
  /** The node's boot, which tells it from another node of the same name; undefined: another program wrote it. */
  readonly boot: string | undefined;
  /** How long it holds from the last write on; undefined: it did not say, or nothing that can be used. */
  readonly durationMs: number | undefined;
}

/** This node, as a holder. */
export type LeaseSelf = Pick<LeaseHolder, 'node' | 'boot'>;

/** Where a holder has not said for how long. */
const defaultMs = 60_000;
/** No holder keeps the others waiting for longer after its last word: an object that anybody wrote must not stop them for ever. */
export const longestMs = 3_600_000;

export type LeaseChance =
  | { readonly status: 'free' }
  | { readonly status: 'held'; readonly holder: LeaseHolder; readonly leftMs: number };

/**
 * Whether this node may take it. The time is the observer's own, as in client-go's leader election: how long the record has not
 * changed since it was first seen. So clocks that differ mean nothing, and a new observer waits for the whole of it.
 * @param unchangedMs since this version was first seen
 */
export function chanceOf(record: LeaseRecord | undefined, self: LeaseSelf, unchangedMs: number): LeaseChance {
  const holder = record?.holder;
  if (holder === undefined) return { status: 'free' };
  // An earlier run of this node, which has ended: the caller has the node's lock.
  if (holder.node === self.node && holder.boot !== undefined && holder.boot === self.boot)
    return { status: 'free' };
  const leftMs = Math.min(holder.durationMs ?? defaultMs, longestMs) - unchangedMs;
  return leftMs > 0 ? { status: 'held', holder, leftMs } : { status: 'free' };
}

/** What it is to hold: who, and for how long from the write on. */
export type LeaseClaim = LeaseHolder & { readonly durationMs: number };

/**
 * What an API server has said to a question about the Lease.
 *
 * - `unanswered`: nothing, so a write may have been made, or may yet be
 * - `refused`: no, and it would say so again
 */
export type LeaseAnswer<T> =
  | { readonly status: 'done'; readonly value: T }
  | { readonly status: 'unanswered' | 'refused'; readonly error: KubepkiError };

/** Where the Lease is. Neither call rejects. */
export interface LeaseStore<Lease extends LeaseRecord> {
  /** The value undefined: there is none. */
  read(): Promise<LeaseAnswer<Lease | undefined>>;
  /**
   * Only if it is still `before`, undefined for none; `changed`: it is not. A claim of undefined sets it free.
   */
  write(
    before: Lease | undefined,
    claim: LeaseClaim | undefined,
  ): Promise<LeaseAnswer<Lease> | { readonly status: 'changed' }>;
}
