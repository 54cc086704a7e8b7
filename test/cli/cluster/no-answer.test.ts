/** That a run ends is no success: whatever it was told, and whatever it waits for. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { nodeOfCluster } from '../../support/cluster/node.ts';
import type { Fault } from '../../support/cluster/server.ts';
import { until } from '../../support/deadline.ts';
import { isExecutable, kubepki, kubepkiCommand } from '../../support/kubepki.ts';
import { quickTree } from '../../support/node.ts';
import { snapshot, temporaryDirectory } from '../../support/tree.ts';

const soon = ['--at', '2027-10-20T00:00:00Z'];
// Of another root only what is named is asked.
const there = ['--kubeconfig', '/etc/kubernetes/admin.conf'];
const allowed = ['--allow-cidr', '192.0.2.0/24', '--allow-dns', 'node-*'];

/** Each command that asks the API server, and what it is to end with: it has an answer of its own, or it fails. */
const commands: readonly (readonly [words: readonly string[], code: number, stdout: RegExp])[] = [
  [['certs', 'renew', 'apiserver'], 0, /^certificate for serving the Kubernetes API renewed\n/],
  [['certs', 'check-expiration', '--within', '3000d'], 4, /^CERTIFICATE /],
  [['certs', 'check-expiration', ...soon, '-o', 'nagios'], 1, /^KUBEPKI WARNING - /],
  [['certs', 'renew', 'scheduler.conf', '--use-api', '--timeout', '2s'], 1, /^$/],
  [['csr', 'list'], 1, /^$/],
  [['csr', 'approve', 'x'], 1, /^$/],
  [['csr', 'approve', '--all', ...allowed], 1, /^$/],
  [['csr', 'deny', 'x'], 1, /^$/],
];

describe('an API server that gives no answer', () => {
  for (const fault of ['upgrade', 'endless', 'reset'] satisfies Fault[]) {
    for (const [words, wanted, stdout] of commands) {
      test(`${fault}: ${words.slice(0, 4).join(' ')}`, async (t) => {
        const { tree, server } = await nodeOfCluster(t, { fault });
        const outcome = await kubepki([...words, ...there, '--rootfs', tree.directory]);
        assert.equal(outcome.code, wanted, outcome.stderr);
        assert.match(outcome.stdout, stdout);
        assert.match(outcome.stderr, /^(?!.*internal error)/s);
        if (wanted === 1 && words[0] !== 'certs') assert.match(outcome.stderr, /^error: /);
        assert.ok(server.seen.length > 0);
      });
    }
  }
});

/** What a program of node's is to load before ours. */
function preload(t: TestContext, script: string): Readonly<Record<string, string>> {
  const path = join(temporaryDirectory(t), 'preload.cjs');
  writeFileSync(path, script);
  return { NODE_OPTIONS: `--require ${path}` };
}

/** Connections that nothing comes of, and clocks that nobody waits for: whatever asks for something waits for ever. */
const nothingComes = `
  const { EventEmitter } = require('node:events');
  const silent = () => Object.assign(new EventEmitter(), { end() {}, destroy() {}, write() {} });
  require('node:https').request = silent;
  require('node:http').request = silent;
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (...args) => setTimeout(...args).unref();
`;
const endless = 'internal error (it ended before its work did)';

// Nothing can be loaded before the executable's own code.
if (!isExecutable)
  describe('a command whose work never settles', () => {
    for (const [words, ,] of commands) {
      const isPlugin = words.includes('nagios');
      test(`${words.slice(0, 4).join(' ')} is an error, and says so`, async (t) => {
        const { tree } = await nodeOfCluster(t);
        const before = snapshot(tree.directory);
        const env = preload(t, nothingComes);
        const { stdout, stderr, code } = await kubepki([...words, ...there, '--rootfs', tree.directory], {
          env,
        });
        assert.equal(code, isPlugin ? 3 : 1);
        assert.equal(stdout, isPlugin ? `KUBEPKI UNKNOWN - ${endless}\n` : '');
        assert.ok(stderr.includes(`error: ${endless}\nhint: `), stderr);
        assert.deepEqual(snapshot(tree.directory), before);
      });
    }

    test('in the middle of a change: what was begun is taken back, and the lock is free', async (t) => {
      const tree = quickTree(t);
      const before = snapshot(tree.directory);
      const env = preload(t, "require('node:crypto').generateKeyPair = () => undefined;");
      const words = ['certs', 'renew', 'all', '--rootfs', tree.directory];
      const { stdout, stderr, code } = await kubepki(words, { env });
      assert.deepEqual([stdout, code], ['', 1]);
      assert.ok(stderr.startsWith(`error: ${endless}\n`), stderr);
      const left = [...snapshot(tree.directory).keys()].filter((path) => !before.has(path));
      assert.deepEqual(
        left.filter((path) => !path.includes('.kubepki')),
        [],
      );
      assert.equal((await kubepki(words)).code, 0);
    });

    test('what nobody catches is shown by its kind alone, and fails', async (t) => {
      const env = preload(
        t,
        `const { generateKeyPair } = require('node:crypto');
       require('node:crypto').generateKeyPair = () => setImmediate(() => { throw new RangeError('a key, say'); });`,
      );
      const { stdout, stderr, code } = await kubepki(
        ['certs', 'renew', 'all', '--rootfs', quickTree(t).directory],
        { env },
      );
      assert.deepEqual([stdout, code], ['', 1]);
      assert.match(stderr, /^error: internal error \(RangeError\)\nhint: [^\n]*\n/);
      assert.doesNotMatch(stderr, /a key, say| at /);
    });
  });

describe('SIGUSR1', () => {
  test('opens no debugger, and ends nothing', async (t) => {
    const { tree, server } = await nodeOfCluster(t, {
      faults: ({ path }) => (path.includes('certificatesigningrequests') ? 'hang' : undefined),
    });
    const [program, ...words] = kubepkiCommand;
    const child = spawn(program, [...words, 'csr', 'list', '--rootfs', tree.directory], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    }
    const ended = once(child, 'close');
    // It waits for an answer.
    await until(() => (server.seen.length > 0 ? true : undefined), {
      deadlineMs: 60_000,
      otherwise: () => `it does not ask: ${said}`,
    });
    const before = threads(child.pid);
    for (let count = 0; count < 3; count += 1) {
      child.kill('SIGUSR1');
      // It has heard that signal when it hears the next.
      await until(() => (pendingSignals(child.pid) === 0n ? true : undefined), {
        deadlineMs: 60_000,
        otherwise: () => 'the signal is not taken',
      });
    }
    assert.deepEqual(listening(child.pid), []);
    assert.ok(threads(child.pid) <= before);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [143, null]);
    assert.equal(said, 'interrupted: nothing was changed\n');
  });
});

function statusField(pid: number | undefined, name: string): string {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return new RegExp(`^${name}:\\s*(\\S+)$`, 'm').exec(status)?.[1] ?? '';
}

function threads(pid: number | undefined): number {
  return Number(statusField(pid, 'Threads'));
}

function pendingSignals(pid: number | undefined): bigint {
  return BigInt(`0x${statusField(pid, 'SigPnd')}`) | BigInt(`0x${statusField(pid, 'ShdPnd')}`);
}

/** The inspector's port, if it is open: of the machine's network, as it is seen from that process. */
function listening(pid: number | undefined): string[] {
  return (
    readFileSync(`/proc/${String(pid)}/net/tcp`, 'utf8')
      .split('\n')
      // 127.0.0.1:9229, in state LISTEN.
      .filter((line) => /^\s*\d+: 0100007F:240D \S+ 0A /.test(line))
  );
}
