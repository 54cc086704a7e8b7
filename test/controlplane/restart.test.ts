import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { once } from 'node:events';
import { restartPod, type RestartResult } from '../../src/controlplane/restart.ts';
import { sha256 } from '../../src/filesystem/regular-file.ts';
import { parseStaticPod } from '../../src/inventory/kubelet/static-pods.ts';
import type { ComponentRestart } from '../../src/operations/restart/plan-restart.ts';
import { stateFor } from '../support/state.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { temporaryDirectory } from '../support/tree.ts';

const text = 'spec: {containers: []}\n';

interface Rehearsal {
  readonly run: (settleSeconds: number) => Promise<RestartResult>;
  readonly awaySeconds: () => number;
}

/** A pod that is up while `up()` says so, under a clock that only moves when somebody sleeps. */
async function pod(t: TestContext, up: (seconds: number, inPlace: boolean) => boolean): Promise<Rehearsal> {
  const directory = temporaryDirectory(t);
  const manifests = join(directory, 'manifests');
  for (const made of [manifests, join(directory, 'pki')]) mkdirSync(made);
  const path = join(manifests, 'kube-scheduler.yaml');
  writeFileSync(path, text, { mode: 0o600 });
  const [port = 0] = await freePorts(1);
  let server: Server | undefined;
  t.after(() => server?.close());
  const turn = async (on: boolean): Promise<void> => {
    if (on && server === undefined) {
      server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
      await once(server, 'listening');
    } else if (!on && server !== undefined) {
      await once(server.close(), 'close');
      server = undefined;
    }
  };
  let now = 0;
  let away = 0;
  await turn(up(0, true));
  const state = stateFor(join(directory, 'pki'));
  const bytes = readFileSync(path);
  const before = { sha256: sha256(bytes), mode: 0o600, uid: 0, gid: 0, foreign: false, links: 1 };
  const restart: ComponentRestart = {
    component: 'kube-scheduler',
    pod: { path, target: { path, resolvedPath: path, before }, ...parseStaticPod(text, 'kube-scheduler') },
    probe: { kind: 'tcp', host: '127.0.0.1', port, timeoutMs: 1000 },
    serves: [],
  };
  return {
    awaySeconds: () => away / 1000,
    run: (settle) =>
      restartPod(
        state,
        restart,
        { settleMs: settle * 1000, stopTimeoutMs: 60_000, startTimeoutMs: 60_000 },
        {
          command: 'kubepki restart',
          phase: () => undefined,
          clock: {
            elapsed: () => now,
            sleep: async (milliseconds) => {
              now += milliseconds;
              if (!existsSync(path)) away += milliseconds;
              await turn(up(now / 1000, existsSync(path)));
            },
          },
        },
      ),
  };
}

describe('how long a manifest stays away', () => {
  test('as long as the component takes to stop, where that is longer', async (t) => {
    // It stops 40 s after its manifest has gone.
    const { run, awaySeconds } = await pod(t, (seconds, inPlace) => inPlace || seconds < 40);
    assert.equal((await run(20)).status, 'restarted');
    assert.equal(awaySeconds(), 40);
  });

  test('for the whole of --settle, though it stops at once', async (t) => {
    const { run, awaySeconds } = await pod(t, (_, inPlace) => inPlace);
    assert.equal((await run(20)).status, 'restarted');
    assert.equal(awaySeconds(), 20);
  });

  test('for the whole of --settle, though it was down already: that proves nothing', async (t) => {
    const { run, awaySeconds } = await pod(t, (seconds, inPlace) => seconds > 20 && inPlace);
    assert.equal((await run(20)).status, 'restarted');
    assert.equal(awaySeconds(), 20);
  });

  test('no longer than --stop-timeout, if it does not stop', async (t) => {
    const { run, awaySeconds } = await pod(t, () => true);
    const result = await run(20);
    assert.deepEqual([result.status, 'last' in result && result.last.state], ['not-stopped', 'healthy']);
    assert.equal(awaySeconds(), 60);
  });

  test('one that is down for a moment before the kubelet has looked is waited for', async (t) => {
    // A crash at 5 s; the kubelet starts it again, and stops it for good when it sees that its manifest is gone.
    const { run, awaySeconds } = await pod(
      t,
      (seconds, inPlace) => inPlace || seconds < 5 || (seconds > 8 && seconds < 30),
    );
    assert.equal((await run(20)).status, 'restarted');
    assert.equal(awaySeconds(), 30);
  });

  test('it is not restarted before it is healthy again', async (t) => {
    const { run } = await pod(t, () => false);
    const result = await run(20);
    assert.deepEqual([result.status, 'last' in result && result.last.state], ['not-started', 'down']);
  });
});
