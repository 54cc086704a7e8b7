import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Outcome } from '../../support/kubepki.ts';
import { certs, stateDirectory, leavesNoTrace } from '../../support/node.ts';
import type { ControlPlane } from '../../support/kubelet/control-plane.ts';
import { plane, quickly, restart } from '../../support/kubelet/restart.ts';

function manifestOf({ manifestsDir }: ControlPlane, component: string): string {
  return join(manifestsDir, `${component}.yaml`);
}

/** In its place as it was, and nothing of the restart left. */
function requireInPlace(node: ControlPlane, component: string, before: string): void {
  assert.equal(readFileSync(manifestOf(node, component), 'utf8'), before);
  assert.equal(statSync(manifestOf(node, component)).mode & 0o777, 0o600);
  assert.equal(existsSync(join(stateDirectory(node.tree), 'manifests')), false);
  assert.equal(existsSync(join(stateDirectory(node.tree), 'restart.json')), false);
}

describe('a restart that fails', () => {
  test('a component that does not come back stops the sequence; then the rest can be restarted', async (t) => {
    const node = await plane(t, {
      flags: (_, tree) => ({ 'kube-apiserver': [`--refuse-while=${join(tree.directory, 'broken')}`] }),
    });
    if (node === undefined) return;
    const before = readFileSync(manifestOf(node, 'kube-apiserver'), 'utf8');
    const broken = join(node.tree.directory, 'broken');
    writeFileSync(broken, '');
    const three = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
    const { code, stdout, stderr } = await restart(node, ...three, ...quickly, '--start-timeout', '2s');
    assert.equal(code, 8, stderr);
    assert.equal(stdout, '');
    const path = manifestOf(node, 'kube-apiserver');
    assert.equal(
      stderr,
      `error: ${path}: kube-apiserver was not healthy again within 2s: ` +
        `its probe gets no answer: connection refused at https://127.0.0.1:${String(node.ports.apiserver)}/livez\n` +
        'hint: the manifest is in its place; see what keeps it: crictl ps -a --name kube-apiserver, journalctl -u kubelet\n' +
        `hint: then: kubepki restart kube-apiserver kube-controller-manager kube-scheduler --rootfs ${node.tree.directory}\n`,
    );
    requireInPlace(node, 'kube-apiserver', before);
    assert.equal(node.kubelet.starts.includes('kube-scheduler.yaml', 4), false, 'the rest was left alone');
    rmSync(broken);
    const again = await restart(
      node,
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      ...quickly,
    );
    assert.equal(again.code, 0, again.stderr);
    await node.healthy();
  });

  test('a component that does not stop: the manifest is back, nothing was restarted', async (t) => {
    const node = await plane(t, { flags: () => ({ 'kube-scheduler': ['--ignore-sigterm=true'] }) });
    if (node === undefined) return;
    const before = readFileSync(manifestOf(node, 'kube-scheduler'), 'utf8');
    const { code, stdout, stderr } = await restart(
      node,
      'kube-scheduler',
      '--settle',
      '0s',
      '--stop-timeout',
      '2s',
    );
    assert.equal(code, 8, stderr);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /kube-scheduler did not stop within 2s: its probe still answers: HTTP 200 at https:\/\/127\.0\.0\.1:\d+\/livez\n/,
    );
    assert.match(
      stderr,
      /hint: the manifest is in its place; see whether the kubelet runs and watches that directory/,
    );
    requireInPlace(node, 'kube-scheduler', before);
  });

  test('a probe that gets HTTP 403 or 404: said by its number, with what to look at', async (t) => {
    const probes = [
      ['kube-controller-manager', '/forbidden', 403, 'kube-controller-manager runs, but refuses its probe'],
      ['kube-scheduler', '/nothing', 404, 'what answers there does not know that path'],
    ] as const;
    const node = await plane(t, {
      prepare: (_, manifestsDir) => {
        for (const [component, path] of probes) {
          const file = join(manifestsDir, `${component}.yaml`);
          const text = readFileSync(file, 'utf8');
          writeFileSync(file, text.replace(/path: .*/, `path: ${path}`), { mode: 0o600 });
        }
      },
    });
    if (node === undefined) return;
    for (const [component, path, status, hint] of probes) {
      const { code, stderr } = await restart(node, component, ...quickly, '--start-timeout', '5s');
      assert.equal(code, 8, stderr);
      const [error = '', next = ''] = stderr.split('\n');
      assert.ok(
        error.includes(
          `was not healthy again within 5s: its probe fails: HTTP ${String(status)} at https://127.0.0.1:`,
        ),
        error,
      );
      assert.ok(error.endsWith(path), error);
      assert.ok(next.startsWith(`hint: the manifest is in its place; ${hint}: look at `), next);
    }
  });

  test('one that serves another certificate than the file: exit 8, and said which file', async (t) => {
    const node = await plane(t, { flags: () => ({ 'kube-apiserver': ['--serve-self-signed=true'] }) });
    if (node === undefined) return;
    const { code, stdout, stderr } = await restart(node, 'kube-apiserver', ...quickly);
    assert.equal(code, 8, stderr);
    assert.equal(stdout, 'kube-apiserver restarted\n');
    assert.equal(
      stderr.split('\n')[0],
      `error: ${node.tree.certDir}/apiserver.crt: kube-apiserver serves another certificate than this at 127.0.0.1:${String(node.ports.apiserver)}`,
    );
  });

  test('a certificate file that is not there: the component has been restarted, so exit 8', async (t) => {
    const node = await plane(t, {
      flags: () => ({ 'kube-apiserver': ['--tls-cert-file=/nowhere.crt', '--serve-self-signed=true'] }),
    });
    if (node === undefined) return;
    const { code, stdout, stderr } = await restart(node, 'kube-apiserver', ...quickly);
    assert.equal(code, 8, stderr);
    assert.equal(stdout, 'kube-apiserver restarted\n');
    assert.match(stderr, /^error: .*nowhere\.crt: no such file\n/);
  });

  test('somebody puts another manifest in its place meanwhile: theirs stays, ours is kept', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const path = manifestOf(node, 'kube-scheduler');
    const before = readFileSync(path, 'utf8');
    const theirs = before.replace('v1.34.0', 'v1.34.1');
    const running = restart(node, 'kube-scheduler', '--settle', '100s', '--stop-timeout', '200s');
    await node.away('kube-scheduler');
    writeFileSync(path, theirs, { mode: 0o600 });
    const { code, stderr } = await running;
    const kept = join(stateDirectory(node.tree), 'manifests', 'kube-scheduler.yaml.replaced-1');
    assert.match(
      stderr,
      /warning: .*kube-scheduler\.yaml: somebody has put another manifest there meanwhile, which stays; the one before is /,
    );
    assert.equal(readFileSync(path, 'utf8'), theirs);
    assert.equal(readFileSync(kept, 'utf8'), before);
    assert.equal(code, 8, stderr);
    assert.match(
      stderr,
      /error: .*: somebody has put a manifest in its place before kube-scheduler had stopped\n/,
    );
  });

  test('somebody puts the same manifest back meanwhile: said, and nothing is kept', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const path = manifestOf(node, 'kube-scheduler');
    const before = readFileSync(path, 'utf8');
    const running = restart(node, 'kube-scheduler', '--settle', '100s', '--stop-timeout', '200s');
    await node.away('kube-scheduler');
    writeFileSync(path, before, { mode: 0o600 });
    const { code, stderr } = await running;
    assert.equal(code, 8, stderr);
    assert.match(
      stderr,
      /^error: .*: somebody has put a manifest in its place before kube-scheduler had stopped\n/,
    );
    requireInPlace(node, 'kube-scheduler', before);
  });

  test('a manifest that cannot be used stops it before anything is touched', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const path = manifestOf(node, 'kube-scheduler');
    const text = readFileSync(path, 'utf8');
    for (const [what, changed, expected] of [
      ['not YAML', '{', /kube-scheduler\.yaml: /],
      ['no pod', 'kind: Pod\n', /is not the manifest of a pod: it has no list spec\.containers/],
      ['no probe', text.replace(/ {4}livenessProbe:\n(?: {6}.*\n)+/, ''), /has no HTTP or TCP probe/],
      [
        'a port nobody has',
        text.replace('port: probe-port', 'port: other-port'),
        /has a probe whose port is neither/,
      ],
    ] as const) {
      // A name that the kubelet passes over while it is written.
      writeFileSync(path, changed, { mode: 0o600 });
      const others = (): number =>
        node.kubelet.starts.filter((file) => file !== 'kube-scheduler.yaml').length;
      const starts: number = others();
      const { code, stdout, stderr } = await restart(node, ...quickly);
      assert.equal(code, 1, what);
      assert.equal(stdout, '', what);
      assert.match(stderr, expected, what);
      assert.equal(others(), starts, what);
      assert.equal(leavesNoTrace(node.tree), true, what);
    }
  });
});

describe('a restart that is interrupted', () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
    ['SIGQUIT', 143],
  ] as const) {
    test(`${signal}: the manifest goes back at once`, async (t) => {
      const node = await plane(t);
      if (node === undefined) return;
      const before = readFileSync(manifestOf(node, 'kube-scheduler'), 'utf8');
      const run = node.begin('restart', 'kube-scheduler', '--settle', '100s', '--stop-timeout', '200s');
      await node.away('kube-scheduler');
      run.kill(signal);
      const outcome = await run.ended;
      assert.equal(outcome.code, code, outcome.stderr);
      assert.equal(
        outcome.stderr,
        `interrupted: kube-scheduler was being stopped; the manifest of kube-scheduler is in its place (${manifestOf(node, 'kube-scheduler')}); ` +
          `then: kubepki restart kube-scheduler --rootfs ${node.tree.directory}\n`,
      );
      requireInPlace(node, 'kube-scheduler', before);
      assert.equal(leavesNoTrace(node.tree), true);
      await node.healthy();
    });
  }

  test('in the middle of a sequence: what was restarted is said, and what is left', async (t) => {
    const node = await plane(t, { flags: () => ({ 'kube-scheduler': ['--ignore-sigterm=true'] }) });
    if (node === undefined) return;
    const run = node.begin('restart', 'kube-controller-manager', 'kube-scheduler', '--settle', '1s');
    await node.away('kube-scheduler');
    run.kill('SIGINT');
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 130);
    assert.equal(stdout, 'kube-controller-manager restarted\n');
    assert.match(
      stderr,
      /^interrupted: restarted: kube-controller-manager; kube-scheduler was being stopped; the manifest of kube-scheduler is in its place \(.*\); then: kubepki restart kube-scheduler --rootfs \S+\n$/,
    );
  });

  test('while it waits for the component to be healthy again: it was stopped, so something was changed', async (t) => {
    const node = await plane(t, {
      flags: (_, tree) => ({ 'kube-scheduler': [`--refuse-while=${join(tree.directory, 'broken')}`] }),
    });
    if (node === undefined) return;
    writeFileSync(join(node.tree.directory, 'broken'), '');
    const run = node.begin('restart', 'kube-scheduler', ...quickly, '--start-timeout', '200s');
    await node.away('kube-scheduler');
    await node.back('kube-scheduler');
    run.kill('SIGINT');
    const { code, stderr } = await run.ended;
    assert.equal(code, 130);
    assert.equal(
      stderr,
      'interrupted: kube-scheduler was stopped, and has not been seen healthy again yet; ' +
        `then: kubepki restart kube-scheduler --rootfs ${node.tree.directory}\n`,
    );
  });

  test('Ctrl-Z does not leave the component down', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const run = node.begin('restart', 'kube-scheduler', '--settle', '2s');
    await node.away('kube-scheduler');
    run.kill('SIGTSTP');
    const { code, stderr } = await run.ended;
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /^note: kube-scheduler is being restarted and would stay down: Ctrl-C puts its manifest back$/m,
    );
  });

  test('its state directory is removed meanwhile: exit 9, not "restarted"', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const path = manifestOf(node, 'kube-scheduler');
    const before = readFileSync(path);
    const run = node.begin('restart', 'kube-scheduler', '--settle', '3s');
    await node.away('kube-scheduler');
    rmSync(stateDirectory(node.tree), { recursive: true });
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 9, stderr);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^error: .*kube-scheduler\.yaml: was taken away, and the journal that says where it waits is gone\n/,
    );
    writeFileSync(path, before);
  });

  for (const [what, next, said] of [
    ['recover', ['certs', 'recover'], /^recovered$/m],
    ['the next renewal', ['certs', 'renew', 'scheduler.conf'], /renewed$/m],
    ['the next restart', ['restart', 'kube-scheduler', ...quickly], /^kube-scheduler restarted$/m],
  ] as const) {
    test(`killed with the manifest away: ${what} puts it back first`, async (t) => {
      const node = await plane(t);
      if (node === undefined) return;
      const before = readFileSync(manifestOf(node, 'kube-scheduler'), 'utf8');
      const run = node.begin('restart', 'kube-scheduler', '--settle', '100s', '--stop-timeout', '200s');
      await node.away('kube-scheduler');
      run.kill('SIGKILL');
      await run.ended;
      assert.equal(existsSync(manifestOf(node, 'kube-scheduler')), false);
      const waiting = join(stateDirectory(node.tree), 'manifests/kube-scheduler.yaml');
      assert.equal(readFileSync(waiting, 'utf8'), before, 'where somebody looks for it');
      const check = await certs(node.tree, 'check-expiration');
      assert.match(
        check.stderr,
        /^warning: a static pod's manifest is waiting to be put back: kubepki certs recover /m,
      );
      const plan = await certs(node.tree, 'recover', '--dry-run');
      assert.match(plan.stdout, /^would put a manifest back in its place: kubepki restart kube-scheduler/);
      assert.equal(existsSync(waiting), true);
      const outcome = await node.begin(...next).ended;
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.match(outcome.stdout, said);
      assert.match(outcome.stderr, /^note: a restart was interrupted, and the manifest was put back: /m);
      requireInPlace(node, 'kube-scheduler', before);
      await node.healthy();
    });
  }

  test('killed while it waits for the component to be healthy again: nothing to put back', async (t) => {
    const node = await plane(t, {
      flags: (_, tree) => ({ 'kube-scheduler': [`--refuse-while=${join(tree.directory, 'broken')}`] }),
    });
    if (node === undefined) return;
    const before = readFileSync(manifestOf(node, 'kube-scheduler'), 'utf8');
    writeFileSync(join(node.tree.directory, 'broken'), '');
    const run = node.begin('restart', 'kube-scheduler', ...quickly, '--start-timeout', '200s');
    await node.away('kube-scheduler');
    await node.back('kube-scheduler');
    run.kill('SIGKILL');
    await run.ended;
    const recovered = await certs(node.tree, 'recover');
    assert.equal(recovered.code, 0, recovered.stderr);
    requireInPlace(node, 'kube-scheduler', before);
  });

  test('another run meanwhile is told that somebody is at work', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const run = node.begin('restart', 'kube-scheduler', '--settle', '100s', '--stop-timeout', '200s');
    await node.away('kube-scheduler');
    for (const args of [['restart'], ['certs', 'recover'], ['certs', 'renew', 'all']]) {
      const outcome: Outcome = await node.begin(...args, '--lock-timeout', '0s').ended;
      assert.equal(outcome.code, 7, outcome.stderr);
    }
    assert.equal(
      existsSync(manifestOf(node, 'kube-scheduler')),
      false,
      'nobody has put it back under our feet',
    );
    const check = await certs(node.tree, 'check-expiration');
    assert.match(check.stderr, /^note: another run is changing these certificates at this moment$/m);
    run.kill('SIGINT');
    assert.equal((await run.ended).code, 130);
  });
});
