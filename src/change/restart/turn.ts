import type { Clock } from '../../controlplane/clock.ts';
import { KubepkiError } from '../../errors/error.ts';
import {
  chanceOf,
  leaseName,
  longestMs,
  type LeaseAnswer,
  type LeaseHolder,
  type LeaseRecord,
  type LeaseSelf,
  type LeaseStore,
} from '../../operations/restart/lease.ts';

/** This node may restart, and no other does meanwhile. */
export interface Turn {
  /**
   * Does this work, after it has made sure of the turn for the whole of it, also if no API server answers in that time.
   * @param mostMs the longest that it can take
   * @throws KubepkiError busy when another node has the turn, or may have it before the end; or what the work throws
   */
  during<T>(mostMs: number, work: () => Promise<T>): Promise<T>;
  /** The others may. It never rejects: what cannot be set free ends by itself. */
  end(): Promise<void>;
}

/** Of a node that has no others to wait for, or cannot ask. */
export const noOthers: Turn = {
  during: (_mostMs, work) => work(),
  end: () => Promise.resolve(),
};

export interface TurnClock extends Clock {
  /** @returns ends it */
  readonly every: (milliseconds: number, act: () => void) => () => void;
}

export type TurnAnswer =
  | { readonly status: 'held'; readonly turn: Turn }
  /** No API server answers, so no other node can ask one either: what the caller measures itself decides. */
  | { readonly status: 'unreachable'; readonly error: KubepkiError };

export interface TurnTerms {
  readonly self: LeaseSelf;
  /** How long to wait for the other nodes. */
  readonly timeoutMs: number;
  /** Is called while another node has it. */
  readonly waiting: (holder: LeaseHolder) => void;
}

// Between two components, and for a run that is killed there: the next node waits for no longer.
const betweenMs = 60_000;
const renewEveryMs = 15_000;
const pollMs = 2000;
/** How long an API server may be away before it is called that: the one that is asked may be restarting itself. */
const patienceMs = 15_000;
/** The holder waits longer: it may have restarted the etcd of the API server that it asks. */
const holderPatienceMs = 60_000;

const alone = '--no-lease';

export const leaseWords = `the Lease ${leaseName.namespace}/${leaseName.name}`;

/**
 * Waits for this node's turn, and takes it.
 * @throws KubepkiError busy when another node has had it all the time; cluster where it is refused
 */
export async function takeTurn<Lease extends LeaseRecord>(
  store: LeaseStore<Lease>,
  terms: TurnTerms,
  clock: TurnClock,
): Promise<TurnAnswer> {
  const { self, timeoutMs, waiting } = terms;
  const since = clock.elapsed();
  let seen: { readonly version: string | undefined; readonly atMs: number } | undefined;
  let why: KubepkiError | undefined;
  const isOver = (ms: number): boolean => clock.elapsed() - since >= ms;
  for (;;) {
    const found = await store.read();
    const now = clock.elapsed();
    let sleepMs = pollMs;
    if (found.status === 'done') {
      const record = found.value;
      if (seen?.version !== record?.version || seen === undefined)
        seen = { version: record?.version, atMs: now };
      const chance = chanceOf(record, self, now - seen.atMs);
      if (chance.status === 'held') {
        why = heldBy(chance.holder);
        waiting(chance.holder);
        sleepMs = Math.min(pollMs, chance.leftMs);
      } else {
        const taken = await store.write(record, { ...self, durationMs: betweenMs });
        if (taken.status === 'done') {
          const holding = { record: taken.value, untilMs: now + betweenMs };
          return { status: 'held', turn: new HeldTurn(store, self, clock, holding) };
        }
        if (taken.status !== 'changed') why = troubleOf(taken);
        if (taken.status === 'refused' && isOver(patienceMs)) throw troubleOf(taken);
      }
    } else {
      why = troubleOf(found);
      // One that has answered, and does so no more, may be the holder's, which is being restarted.
      if (found.status === 'unanswered' && seen === undefined && isOver(patienceMs))
        return { status: 'unreachable', error: found.error };
      // One that has just been started knows no rights yet.
      if (found.status === 'refused' && isOver(patienceMs)) throw why;
    }
    if (why !== undefined && isOver(timeoutMs)) throw why;
    await clock.sleep(sleepMs);
  }
}

interface Holding<Lease> {
  readonly record: Lease;
  /** By the own clock, and counted from before the write was sent: no other node takes it over before. */
  readonly untilMs: number;
}

class HeldTurn<Lease extends LeaseRecord> implements Turn {
  readonly #store: LeaseStore<Lease>;
  readonly #self: LeaseSelf;
  readonly #clock: TurnClock;
  readonly #stopRenewing: () => void;
  #holding: Holding<Lease>;
  #durationMs = betweenMs;
  /** One write at a time: each goes by what the one before has made. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: LeaseStore<Lease>, self: LeaseSelf, clock: TurnClock, holding: Holding<Lease>) {
    this.#store = store;
    this.#self = self;
    this.#clock = clock;
    this.#holding = holding;
    // What goes wrong with it is found out by the next write that matters.
    this.#stopRenewing = clock.every(renewEveryMs, () => void this.#renew());
  }

  async during<T>(mostMs: number, work: () => Promise<T>): Promise<T> {
    this.#durationMs = Math.min(mostMs, longestMs);
    await this.#requireDuration();
    try {
      return await work();
    } finally {
      this.#durationMs = betweenMs;
    }
  }

  async end(): Promise<void> {
    this.#stopRenewing();
    await this.#oneByOne(async () => {
      let before = this.#holding.record;
      for (let tries = 0; tries < 3; tries += 1) {
        const freed = await this.#store.write(before, undefined);
        if (freed.status === 'done' || freed.status === 'refused') return;
        // A write of which nothing was heard may have been made.
        const now = await this.#store.read();
        if (now.status !== 'done') continue;
        if (now.value === undefined || !this.#isOwn(now.value)) return;
        before = now.value;
      }
    });
  }

  async #requireDuration(): Promise<void> {
    const since = this.#clock.elapsed();
    for (;;) {
      const trouble = await this.#renew();
      const now = this.#clock.elapsed();
      if (trouble === undefined) return;
      if (trouble.isLost) throw trouble.error;
      // An API server that is away is no other node's turn.
      if (this.#holding.untilMs - now >= this.#durationMs) return;
      if (now - since >= holderPatienceMs) throw trouble.error;
      await this.#clock.sleep(pollMs);
    }
  }

  #renew(): Promise<Trouble | undefined> {
    return this.#oneByOne(async () => {
      const durationMs = this.#durationMs;
      let { record }: { record: Lease | undefined } = this.#holding;
      for (;;) {
        const sentMs = this.#clock.elapsed();
        const written = await this.#store.write(record, { ...this.#self, durationMs });
        if (written.status === 'done') {
          this.#holding = { record: written.value, untilMs: sentMs + durationMs };
          return undefined;
        }
        if (written.status !== 'changed') {
          // It may have been made all the same, and then the turn ends when it says.
          const untilMs = Math.min(this.#holding.untilMs, sentMs + durationMs);
          this.#holding = { ...this.#holding, untilMs };
          return { isLost: false, error: troubleOf(written) };
        }
        const read = await this.#store.read();
        if (read.status !== 'done') return { isLost: false, error: troubleOf(read) };
        // It was an earlier write of this run's, of which nothing was heard; or it has been removed.
        if (read.value?.holder !== undefined && !this.#isOwn(read.value))
          return { isLost: true, error: heldBy(read.value.holder) };
        record = read.value;
      }
    });
  }

  #isOwn({ holder }: LeaseRecord): boolean {
    return holder?.node === this.#self.node && holder.boot === this.#self.boot;
  }

  #oneByOne<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(act);
    this.#last = mine;
    return mine;
  }
}

type Unsaid = Exclude<LeaseAnswer<unknown>, { readonly status: 'done' }>;

interface Trouble {
  /** Another node has it. */
  readonly isLost: boolean;
  readonly error: KubepkiError;
}

/** The error where another node has the Lease. */
function heldBy({ node }: LeaseHolder): KubepkiError {
  return new KubepkiError('busy', `${node} is restarting: it holds ${leaseWords}`, {
    hint: `when it holds it no more, restart here; who holds it: kubectl -n ${leaseName.namespace} get lease ${leaseName.name}`,
  });
}

function troubleOf({ status, error }: Unsaid): KubepkiError {
  return status === 'refused'
    ? new KubepkiError('cluster', `${leaseWords} is refused: ${error.message}`, {
        hint: `allow the user of the kubeconfig to get, create and update it; or see to it yourself that no other node restarts: ${alone}`,
        cause: error,
      })
    : new KubepkiError('busy', `whether another node restarts is not known: ${error.message}`, {
        hint: `restart when it answers; or see to it yourself that no other node restarts: ${alone}`,
        cause: error,
      });
}
