import { ClusterFailure } from '../../../../src/cluster/failure.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { converse } from '../../../../src/commands/renew/use-api/converse.ts';
import type { SigningApi, Standing } from '../../../../src/cluster/signing.ts';
import type { Conversation, ConversationEnd } from '../../../../src/commands/renew/use-api/conversation.ts';

const wish = {
  name: 'kubepki-cp1-scheduler-conf-01',
  certificate: 'scheduler.conf',
  signerName: 'example.com/signer',
  request: Buffer.from('CSR'),
  usages: ['client auth'],
  expirationSeconds: 600,
};

/** A clock that stands still but for what is slept. */
function fakeClock(): { readonly slept: number[]; readonly clock: Conversation['clock'] } {
  const slept: number[] = [];
  return {
    slept,
    clock: {
      elapsed: () => slept.reduce((sum, one) => sum + one, 0),
      sleep: (milliseconds) => {
        slept.push(milliseconds);
        return Promise.resolve();
      },
    },
  };
}

async function talk(
  api: Partial<SigningApi>,
  { timeoutMs = 60_000, approve = false } = {},
): Promise<{ readonly settled: ConversationEnd; readonly slept: readonly number[] }> {
  const { slept, clock } = fakeClock();
  const settled = await converse({
    api: {
      submit: () => Promise.resolve({ kind: 'created' }),
      approve: () => Promise.resolve(),
      standing: () => Promise.resolve({ kind: 'pending' }),
      remove: () => Promise.resolve(),
      ...api,
    },
    signerName: wish.signerName,
    wishes: [wish],
    approve,
    resumed: false,
    clock,
    timeout: { milliseconds: timeoutMs, text: `${String(timeoutMs)}ms` },
    resume: 'RESUME',
    said: { progress: () => undefined, note: () => undefined },
  });
  return { settled, slept };
}

const busy = (afterMs?: number): ClusterFailure =>
  new ClusterFailure('too much to do', { retryable: true, afterMs });

describe('waiting', () => {
  test('asks ever less often, from a second to five, and ends with the timeout', async () => {
    const { settled, slept } = await talk({});
    assert.equal(settled.kind, 'waiting');
    assert.deepEqual(slept.slice(0, 6), [1000, 1500, 2250, 3375, 5000, 5000]);
    assert.equal(
      slept.reduce((sum, one) => sum + one, 0),
      60_000,
    );
  });

  test('is over when it is issued', async () => {
    const standings: Standing[] = [
      { kind: 'pending' },
      { kind: 'approved' },
      { kind: 'issued', certificate: 'PEM' },
    ];
    const { settled, slept } = await talk({
      standing: () => Promise.resolve(standings.shift() ?? assert.fail('asked again')),
    });
    assert.deepEqual(settled, { kind: 'issued', certificates: new Map([[wish.name, 'PEM']]) });
    assert.deepEqual(slept, [1000, 1500]);
  });

  test('rides out what passes, and not before the server says', async () => {
    const troubles = [busy(7000), busy()];
    const { settled, slept } = await talk({
      submit: () => {
        const trouble = troubles.shift();
        return trouble === undefined ? Promise.resolve({ kind: 'created' }) : Promise.reject(trouble);
      },
      standing: () => Promise.resolve({ kind: 'issued', certificate: 'PEM' }),
    });
    assert.equal(settled.kind, 'issued');
    assert.deepEqual(slept, [7000, 1500]);
  });

  test('a server that wants to be left alone for years is not waited for longer than the timeout', async () => {
    const { settled, slept } = await talk(
      { standing: () => Promise.reject(busy(2 ** 40)) },
      { timeoutMs: 10_000 },
    );
    assert.deepEqual(slept, [10_000]);
    assert.equal(settled.kind, 'waiting');
    assert.match(settled.errors[0]?.error.hint ?? '', /to go on: RESUME$/);
  });

  test('what will not pass ends it at once: before it is there it is refused, then it waits', async () => {
    const final = new ClusterFailure('refused', { retryable: false });
    const first = await talk({ submit: () => Promise.reject(final) });
    assert.deepEqual(first, {
      slept: [],
      settled: {
        kind: 'refused',
        errors: [{ error: final, certificates: ['scheduler.conf'] }],
        created: [],
        decided: false,
      },
    });
    const approval = await talk({ approve: () => Promise.reject(final) }, { approve: true });
    assert.equal(approval.settled.kind === 'refused' && approval.settled.created[0], wish.name);
    const later = await talk({ standing: () => Promise.reject(final) });
    assert.deepEqual([later.settled.kind, later.slept], ['waiting', []]);
  });
});
