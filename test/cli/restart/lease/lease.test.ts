import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { everyKill } from '../../../faults/sample.ts';
import { judge } from '../../../support/judge.ts';
import { cleanEnvironment, kubepki, kubepkiCommand, startKubepki } from '../../../support/kubepki.ts';
import type { LeaseObject } from '../../../support/cluster/lease-api.ts';
import type { RequestFault } from '../../../support/cluster/server.ts';
import fc from '../../../support/properties.ts';
import { quickTree } from '../../../support/node.ts';
import { until } from '../../../support/deadline.ts';
import { leaseBed, manifestOf, type LeaseBed } from './bed.ts';

const times = ['--settle', '200ms', '--stop-timeout', '20s', '--start-timeout', '20s'];
const command = ['restart', 'kube-scheduler', ...times];

const failing = (code: number): RequestFault => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code },
});
const faults: readonly RequestFault[] = ['lost', 'reset', 'half', failing(409), failing(429), failing(503)];

/** Looks all the time how many nodes have their manifest away. */
function watch(t: TestContext, { roots }: LeaseBed): { readonly most: () => number } {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, roots.filter((root) => !existsSync(manifestOf(root))).length);
  }, 5);
  t.after(() => {
    clearInterval(timer);
  });
  return { most: () => most };
}

function hold({ leases }: LeaseBed, spec: LeaseObject['spec'] & object): void {
  leases.put({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace: 'kube-system', name: 'kubepki-restart' },
    spec,
  });
}

const holdersOf = ({ leases }: LeaseBed): string[] =>
  leases.written.flatMap(({ spec }, index, all) => {
    const holder = spec?.holderIdentity ?? '';
    return holder === (all[index - 1]?.spec?.holderIdentity ?? '') ? [] : [holder === '' ? 'free' : holder];
  });

describe('control planes restart one at a time', () => {
  test('five at once: each has the Lease in its turn, and sets it free', async (t) => {
    const bed = await leaseBed(t, { nodes: 5 });
    if (bed === undefined) return;
    const watched = watch(t, bed);
    const outcomes = await Promise.all(bed.roots.map((root) => kubepki([...command, '--rootfs', root])));
    for (const { code, stdout, stderr } of outcomes) {
      assert.equal(code, 0, stderr);
      assert.equal(stdout, 'kube-scheduler restarted\n');
      assert.equal(stderr, '');
    }
    assert.equal(watched.most(), 1);
    const holders = holdersOf(bed);
    assert.deepEqual(
      holders.filter((_, index) => index % 2 === 1),
      Array(5).fill('free'),
    );
    assert.deepEqual(
      holders.filter((_, index) => index % 2 === 0).sort(),
      [1, 2, 3, 4, 5].map((n) => `cp-${String(n)}`),
    );
    // At each moment it has an end.
    for (const { spec } of bed.leases.written) assert.ok((spec?.leaseDurationSeconds ?? 0) > 0);
    t.diagnostic(holders.join(' '));
  });

  test('killed anywhere, with an API server that fails: never two, and the same command again ends it', async (t) => {
    const strace = judge(t, 'strace');
    const random = fc.sample(
      fc.record({
        call: fc.constantFrom(
          'connect',
          'write',
          'writev',
          'rename',
          'link',
          'unlink',
          'fsync',
          'openat',
          'none',
        ),
        when: fc.integer({ min: 1, max: 60 }),
        fault: fc.constantFrom<RequestFault | undefined>(
          ...faults,
          ...Array<undefined>(3 * faults.length).fill(undefined),
        ),
      }),
      1000,
    );
    if (strace === undefined) return;
    const bed = await leaseBed(t, {
      nodes: 5,
      faults: (_, count) => random[count % random.length]?.fault,
    });
    if (bed === undefined) return;
    const watched = watch(t, bed);
    const rounds = everyKill ? 40 : 3;
    const sum = { runs: 0, killed: 0 };
    const once = async (root: string, round: number, index: number): Promise<void> => {
      const { call, when } = random[(round * 5 + index) % random.length] ?? { call: 'none', when: 1 };
      const program = [...kubepkiCommand, ...command, '--rootfs', root];
      const through =
        call === 'none'
          ? []
          : [
              strace,
              '-qq',
              '-o',
              '/dev/null',
              '-e',
              `trace=${call}`,
              '-e',
              `inject=${call}:signal=SIGKILL:when=${String(when)}`,
            ];
      const [name = '', ...args] = [...through, ...program];
      sum.runs += 1;
      const child = spawn(name, args, { stdio: 'ignore', env: cleanEnvironment() });
      const signal = await new Promise<unknown>((resolve) =>
        child.once('exit', (_, killed) => {
          resolve(killed);
        }),
      );
      if (signal === null) return;
      sum.killed += 1;
      for (;;) {
        const again = await kubepki([...command, '--rootfs', root]);
        sum.runs += 1;
        if (again.code === 0) return;
        // It was not its turn, as too many questions had failed: the next run goes on.
        assert.equal(again.code, 7, again.stderr);
      }
    };
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all(bed.roots.map((root, index) => once(root, round, index)));
      assert.equal(watched.most(), 1);
      for (const root of bed.roots) assert.ok(existsSync(manifestOf(root)), root);
    }
    t.diagnostic(JSON.stringify(sum));
    assert.ok(sum.killed > 0);
  });

  test('after a change it is exit 8, and the next run restarts', async (t) => {
    const bed = await leaseBed(t, { nodes: 2, first: quickTree(t).directory });
    const [root] = bed?.roots ?? [];
    if (bed === undefined || root === undefined) return;
    hold(bed, { holderIdentity: 'cp-2', leaseDurationSeconds: 600 });
    const args = [
      'certs',
      'renew',
      'scheduler.conf',
      '--restart',
      ...times,
      '--lease-timeout',
      '1s',
      '--rootfs',
      root,
    ];
    const { code, stdout, stderr } = await kubepki(args);
    assert.equal(code, 8, stderr);
    assert.match(stdout, /renewed/);
    assert.match(stderr, /^error: cp-2 is restarting: it holds the Lease kube-system\/kubepki-restart$/m);
    hold(bed, { leaseDurationSeconds: 1 });
    const next = await kubepki([
      'certs',
      'renew',
      'scheduler.conf',
      '--within',
      '1h',
      '--restart',
      ...times,
      '--rootfs',
      root,
    ]);
    assert.equal(next.code, 0, next.stderr);
    assert.match(next.stdout, /^kube-scheduler restarted$/m);
  });

  test('another holds it: waits, then leaves with 7 and says who; nothing is stopped', async (t) => {
    const bed = await leaseBed(t, { nodes: 2 });
    const [root] = bed?.roots ?? [];
    if (bed === undefined || root === undefined) return;
    const watched = watch(t, bed);
    hold(bed, { holderIdentity: 'cp-2', leaseDurationSeconds: 600 });
    const { code, stdout, stderr } = await kubepki([...command, '--lease-timeout', '1s', '--rootfs', root]);
    assert.equal(code, 7);
    assert.equal(stdout, '');
    assert.match(stderr, /^error: cp-2 is restarting: it holds the Lease kube-system\/kubepki-restart$/m);
    assert.equal(watched.most(), 0);
    const forced = await kubepki([...command, '--no-lease', '--rootfs', root]);
    assert.equal(forced.code, 0, forced.stderr);
  });

  test('a holder that was killed is waited for to its end, and no longer', async (t) => {
    const bed = await leaseBed(t, { nodes: 2 });
    const [root] = bed?.roots ?? [];
    if (bed === undefined || root === undefined) return;
    // Its clock may be anywhere.
    hold(bed, { holderIdentity: 'cp-2', leaseDurationSeconds: 3, renewTime: '2001-01-01T00:00:00.000000Z' });
    const since = performance.now();
    const { code, stderr } = await kubepki([...command, '--rootfs', root]);
    assert.equal(code, 0, stderr);
    assert.ok(performance.now() - since >= 3000);
    assert.deepEqual(holdersOf(bed), ['cp-2', 'cp-1', 'free']);
  });

  test('no API server: said, and it goes on', async (t) => {
    const bed = await leaseBed(t, { nodes: 2 });
    const [root] = bed?.roots ?? [];
    if (bed === undefined || root === undefined) return;
    await bed.server.away();
    const { code, stdout, stderr } = await kubepki([...command, '--rootfs', root]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'kube-scheduler restarted\n');
    assert.match(
      stderr,
      /^warning: the Lease kube-system\/kubepki-restart cannot be taken, so etcd's quorum alone decides: the API server at https:\/\/127\.0\.0\.1:\d+ is not there: the connection was refused$/m,
    );
  });

  test('a user who may not: refused, with what to do', async (t) => {
    const bed = await leaseBed(t, { nodes: 2, user: '/CN=guest' });
    const [root] = bed?.roots ?? [];
    if (bed === undefined || root === undefined) return;
    const { code, stderr } = await kubepki([...command, '--lease-timeout', '1s', '--rootfs', root]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /is refused: .*refused \(403\): leases\.coordination\.k8s\.io "kubepki-restart" is forbidden/,
    );
    assert.match(stderr, /--no-lease/);
  });

  test('Ctrl-C while it waits: nothing was changed', async (t) => {
    const bed = await leaseBed(t, { nodes: 2 });
    const [root] = bed?.roots ?? [];
    if (bed === undefined || root === undefined) return;
    hold(bed, { holderIdentity: 'cp-2', leaseDurationSeconds: 600 });
    const run = startKubepki([...command, '--rootfs', root]);
    await until(() => (bed.server.seen.length > 0 ? true : undefined), {
      deadlineMs: 60_000,
      otherwise: () => 'nobody asked',
    });
    await pause(100);
    run.kill('SIGINT');
    const { code, stderr } = await run.ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /interrupted: nothing was changed; then: kubepki restart kube-scheduler/);
  });
});
