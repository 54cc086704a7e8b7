import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { everyKill, seeded } from '../../../faults/sample.ts';
import { judge } from '../../../support/judge.ts';
import { cleanEnvironment, kubepki, kubepkiCommand, startKubepki } from '../../../support/kubepki.ts';
import type { LeaseObject } from '../../../support/cluster/lease-api.ts';
import type { RequestFault } from '../../../support/cluster/server.ts';
import fc from '../../../support/properties.ts';
import { quickTree } from '../../../support/node.ts';
import { temporaryDirectory } from '../../../support/tree.ts';
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

/** Who has held it one after the other, and from when on. */
function turnsOf({ leases }: LeaseBed): { readonly holder: string; readonly atMs: number }[] {
  const turns: { readonly holder: string; readonly atMs: number }[] = [];
  for (const { lease, atMs } of leases.written) {
    const named = lease.spec?.holderIdentity ?? '';
    const holder = named === '' ? 'free' : named;
    if (holder !== (turns.at(-1)?.holder ?? 'free')) turns.push({ holder, atMs });
  }
  return turns;
}

const holdersOf = (bed: LeaseBed): string[] => turnsOf(bed).map(({ holder }) => holder);

function endOf([program = '', ...args]: readonly string[]): Promise<{
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}> {
  const child = spawn(program, args, { stdio: 'ignore', env: cleanEnvironment() });
  return new Promise((resolve) =>
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    }),
  );
}

describe('control planes restart one at a time', () => {
  test('five that are due at once: each has the Lease in its turn, and sets it free', async (t) => {
    const bed = await leaseBed(t, {
      nodes: 5,
      trees: Array.from({ length: 5 }, () => quickTree(t).directory),
    });
    if (bed === undefined) return;
    const watched = watch(t, bed);
    const renew = ['certs', 'renew', 'scheduler.conf', '--restart', ...times, '--rootfs'];
    const outcomes = await Promise.all(bed.roots.map((root) => kubepki([...renew, root])));
    for (const { code, stdout, stderr } of outcomes) {
      assert.equal(code, 0, stderr);
      assert.match(stdout, / renewed$/m);
      assert.match(stdout, /^kube-scheduler restarted$/m);
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
    for (const { lease } of bed.leases.written) assert.ok((lease.spec?.leaseDurationSeconds ?? 0) > 0);
    const [first] = turnsOf(bed);
    for (const { holder, atMs } of turnsOf(bed))
      t.diagnostic(`${((atMs - (first?.atMs ?? 0)) / 1000).toFixed(2)} s ${holder}`);
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
      const whole = [...through, ...program];
      sum.runs += 1;
      const { signal } = await endOf(whole);
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

  test('killed at any call: the Lease has an end, and the same command takes it again at once', async (t) => {
    const strace = judge(t, 'strace');
    const bed = await leaseBed(t, { nodes: 2 });
    const [root] = bed?.roots ?? [];
    if (strace === undefined || bed === undefined || root === undefined) return;
    const program = [...kubepkiCommand, ...command, '--lease-timeout', '1s', '--rootfs', root];
    const calls = ['connect', 'write', 'writev', 'rename', 'link', 'unlink', 'fsync', 'fdatasync'];
    const log = join(temporaryDirectory(t), 'calls');
    const traced = [strace, '-qq', '-o', log, '-e', `trace=${calls.join(',')}`, ...program];
    assert.deepEqual(await endOf(traced), { code: 0, signal: null });
    const counts = new Map<string, number>();
    const points = readFileSync(log, 'latin1')
      .split('\n')
      .flatMap((line) => {
        const [call = ''] = /^\w+(?=\()/.exec(line) ?? [];
        const when = (counts.get(call) ?? 0) + 1;
        counts.set(call, when);
        return call === '' ? [] : [{ call, when }];
      });
    assert.ok(points.length > 40, `only ${String(points.length)} calls`);
    const sum = { killed: 0, holding: 0 };
    for (const { call, when } of seeded(points, { all: 10, short: 3 })) {
      const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${String(when)}`];
      const { signal } = await endOf([strace, '-qq', '-o', '/dev/null', ...inject, ...program]);
      if (signal !== null) sum.killed += 1;
      const spec = bed.leases.written.at(-1)?.lease.spec;
      assert.ok((spec?.leaseDurationSeconds ?? 0) > 0 && (spec?.leaseDurationSeconds ?? 0) <= 3600);
      if ((spec?.holderIdentity ?? '') !== '') sum.holding += 1;
      const again = await kubepki(program.slice(kubepkiCommand.length));
      assert.equal(again.code, 0, `${call} ${String(when)}: ${again.stderr}`);
      assert.equal(holdersOf(bed).at(-1), 'free');
      assert.ok(existsSync(manifestOf(root)));
    }
    t.diagnostic(`${String(points.length)} calls: ${JSON.stringify(sum)}`);
    assert.ok(sum.killed > 0);
  });

  test('after a change it is exit 8, and the next run restarts', async (t) => {
    const bed = await leaseBed(t, { nodes: 2, trees: [quickTree(t).directory] });
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
