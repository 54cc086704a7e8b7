/** One at a time, by a Lease: many runs of several nodes in a time of their own, with an API that fails in all the ways it can. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeTurn, type TurnClock } from '../../../src/change/restart/turn.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import type { LeaseHolder, LeaseRecord, LeaseStore } from '../../../src/operations/restart/lease.ts';
import { everyKill } from '../../faults/sample.ts';
import fc from '../../support/properties.ts';

/** A time that goes on when all that was to happen at its moment has happened. */
class VirtualTime {
  now = 0;
  readonly #events: { at: number; act: () => void }[] = [];

  at(at: number, act: () => void): void {
    const index = this.#events.findIndex((event) => event.at > at);
    this.#events.splice(index === -1 ? this.#events.length : index, 0, { at, act });
  }

  after(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.at(this.now + milliseconds, resolve);
    });
  }

  async run(untilMs: number, isOver: () => boolean): Promise<void> {
    for (;;) {
      // Whatever follows from the last event without time, happens.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      const next = this.#events.shift();
      if (isOver() || next === undefined || next.at > untilMs) return;
      this.now = next.at;
      next.act();
    }
  }
}

interface Chances {
  /** Each of a thousand. */
  readonly lostRequest: number;
  readonly lostAnswer: number;
  readonly late: number;
  readonly slow: number;
  /** No API server answers, and not to this node, for a while. */
  readonly down: number;
  readonly cutOff: number;
  readonly killed: number;
}

interface Run {
  readonly seed: number;
  readonly nodes: number;
  readonly chances: Chances;
}

const seldom = fc.integer({ min: 0, max: 150 });
const runs: fc.Arbitrary<Run> = fc.record({
  seed: fc.integer(),
  nodes: fc.integer({ min: 2, max: 5 }),
  chances: fc.record({
    ...{ lostRequest: seldom, lostAnswer: seldom, late: seldom, slow: seldom, down: seldom, cutOff: seldom },
    killed: fc.integer({ min: 0, max: 400 }),
  }),
});

/** mulberry32: the same numbers for the same seed. */
function chanceOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const unanswered = { status: 'unanswered', error: new KubepkiError('cluster', 'no answer') } as const;
/** As long as the store waits for an answer. */
const boundMs = 5000;

/** The Lease in the API server, and how it is asked. */
class Api {
  record: LeaseRecord | undefined;
  #version = 0;
  #downUntil = 0;
  readonly #cutOffUntil = new Map<string, number>();
  readonly #time: VirtualTime;
  readonly #random: () => number;
  readonly #chances: Chances;

  constructor(time: VirtualTime, random: () => number, chances: Chances) {
    this.#time = time;
    this.#random = random;
    this.#chances = chances;
  }

  #happens(chance: number): boolean {
    return this.#random() * 1000 < chance;
  }

  async #ask<T>(node: string, make: () => T): Promise<T | typeof unanswered> {
    const { lostRequest, lostAnswer, late, slow, down, cutOff } = this.#chances;
    const time = this.#time;
    if (this.#happens(cutOff / 10)) this.#cutOffUntil.set(node, time.now + this.#random() * 200_000);
    if (time.now < (this.#cutOffUntil.get(node) ?? 0)) {
      await time.after(1);
      return unanswered;
    }
    if (this.#happens(down / 20)) this.#downUntil = time.now + this.#random() * 40_000;
    const wayMs = this.#happens(slow) ? this.#random() * boundMs * 0.45 : 1 + this.#random() * 20;
    if (this.#happens(lostRequest)) {
      await time.after(boundMs);
      return unanswered;
    }
    if (this.#happens(late)) {
      time.at(time.now + boundMs + this.#random() * 60_000, () => {
        make();
      });
      await time.after(boundMs);
      return unanswered;
    }
    await time.after(wayMs);
    if (time.now < this.#downUntil) return unanswered;
    const made = make();
    await time.after(this.#happens(lostAnswer) ? boundMs : wayMs);
    return this.#happens(lostAnswer) ? unanswered : made;
  }

  store(node: string, isAlive: () => boolean): LeaseStore<LeaseRecord> {
    /** A process that was killed hears nothing. */
    const heard = async <T>(answer: Promise<T>): Promise<T> => {
      const value = await answer;
      return isAlive() ? value : new Promise<T>(() => undefined);
    };
    return {
      read: () => heard(this.#ask(node, () => ({ status: 'done', value: this.record }) as const)),
      write: (before, claim) =>
        heard(
          this.#ask(node, () => {
            if (before?.version !== this.record?.version) return { status: 'changed' } as const;
            this.#version += 1;
            this.record = { version: String(this.#version), holder: claim };
            return { status: 'done', value: this.record } as const;
          }),
        ),
    };
  }
}

interface Seen {
  readonly most: number;
  readonly done: number;
  readonly killed: number;
  readonly unreachable: number;
}

async function simulate({ seed, nodes, chances }: Run): Promise<Seen> {
  const time = new VirtualTime();
  const random = chanceOf(seed);
  const api = new Api(time, random, chances);
  const inside = new Set<string>();
  let [most, done, killed, unreachable] = [0, 0, 0, 0];

  const restart = async (node: string, left: { count: number }): Promise<void> => {
    // No two clocks show the same, and nothing goes by that.
    const offset = random() * 1e9;
    while (left.count > 0) {
      const run = { isAlive: true };
      const isOver = new Promise<'killed'>((resolve) => {
        if (random() * 1000 >= chances.killed) return;
        time.at(time.now + random() * 120_000, () => {
          run.isAlive = false;
          resolve('killed');
        });
      });
      const clock: TurnClock = {
        elapsed: () => time.now + offset,
        sleep: async (milliseconds) => {
          await time.after(milliseconds);
          if (!run.isAlive) await new Promise(() => undefined);
        },
        every: (milliseconds, act) => {
          let isOn = true;
          const again = (): void => {
            time.at(time.now + milliseconds, () => {
              if (!isOn || !run.isAlive) return;
              act();
              again();
            });
          };
          again();
          return () => {
            isOn = false;
          };
        },
      };
      const self = { node, boot: `boot of ${node}` } satisfies Partial<LeaseHolder>;
      const work = async (): Promise<string> => {
        const store = api.store(node, () => run.isAlive);
        const answer = await takeTurn(store, { self, timeoutMs: 600_000, waiting: () => undefined }, clock);
        if (answer.status === 'unreachable') return 'unreachable';
        for (const component of ['etcd', 'kube-apiserver']) {
          await answer.turn.during(100_000, async () => {
            inside.add(`${node} ${component}`);
            most = Math.max(most, new Set([...inside].map((one) => one.split(' ')[0])).size);
            await clock.sleep(random() * 100_000);
            inside.delete(`${node} ${component}`);
          });
        }
        await answer.turn.end();
        return 'done';
      };
      const became = await Promise.race([
        isOver,
        work().catch((error: unknown) => {
          if (error instanceof KubepkiError) return error.code;
          throw error;
        }),
      ]);
      for (const one of inside) if (one.startsWith(`${node} `)) inside.delete(one);
      run.isAlive = false;
      if (became === 'done') [done, left.count] = [done + 1, left.count - 1];
      if (became === 'killed') killed += 1;
      if (became === 'unreachable') unreachable += 1;
      // The timer's next run.
      await time.after(random() * 30_000);
    }
  };

  let running = nodes;
  for (let index = 0; index < nodes; index += 1) {
    void time
      .after(random() * 5000)
      .then(() => restart(`cp-${String(index + 1)}`, { count: 1 }))
      .then(() => {
        running -= 1;
      });
  }
  await time.run(24 * 3_600_000, () => running === 0);
  return { most, done, killed, unreachable };
}

test('never two at once, and every node gets its turn', async (t) => {
  const sum = { runs: 0, killed: 0, unreachable: 0 };
  await fc.assert(
    fc.asyncProperty(runs, async (run) => {
      const { most, done, killed, unreachable } = await simulate(run);
      assert.equal(most, 1);
      assert.equal(done, run.nodes);
      sum.runs += 1;
      sum.killed += killed;
      sum.unreachable += unreachable;
    }),
    { numRuns: everyKill ? 10_000 : 500 },
  );
  t.diagnostic(JSON.stringify(sum));
  assert.ok(sum.killed > 0 && sum.unreachable > 0, JSON.stringify(sum));
});

test('an end that may have been brought nearer counts: without an answer, nothing is stopped after it', async () => {
  const time = new VirtualTime();
  const clock: TurnClock = {
    elapsed: () => time.now,
    sleep: (milliseconds) => time.after(milliseconds),
    every: () => () => undefined,
  };
  let record: LeaseRecord | undefined;
  let [version, isSilent] = [0, false];
  const store: LeaseStore<LeaseRecord> = {
    read: () => Promise.resolve(isSilent ? unanswered : { status: 'done', value: record }),
    write: (before, claim) => {
      if (before?.version !== record?.version) return Promise.resolve({ status: 'changed' });
      record = { version: String((version += 1)), holder: claim };
      return Promise.resolve(isSilent ? unanswered : { status: 'done', value: record });
    },
  };
  const work = async (): Promise<string[]> => {
    const stopped: string[] = [];
    const terms = { self: { node: 'cp-1', boot: 'b' }, timeoutMs: 0, waiting: () => undefined };
    const taken = await takeTurn(store, terms, clock);
    assert.ok(taken.status === 'held');
    await taken.turn.during(600_000, () => Promise.resolve(stopped.push('etcd')));
    isSilent = true;
    // Made, and not heard of: from now on others wait for a minute and no longer.
    await taken.turn.during(60_000, () => Promise.resolve(stopped.push('kube-apiserver')));
    await assert.rejects(
      taken.turn.during(300_000, () => Promise.resolve(stopped.push('kube-scheduler'))),
      (error) => error instanceof KubepkiError && error.code === 'busy',
    );
    return stopped;
  };
  const [stopped] = await Promise.all([work(), time.run(3_600_000, () => false)]);
  assert.deepEqual(stopped, ['etcd', 'kube-apiserver']);
});
