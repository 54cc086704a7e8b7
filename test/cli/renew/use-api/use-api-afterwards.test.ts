import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { plane, quickly } from '../../../support/kubelet/restart.ts';
import { certsLine, terminal } from '../../../support/screen.ts';
import { certsInProcess as certs } from '../../../support/in-process.ts';
import { snapshot } from '../../../support/tree.ts';
import {
  asked,
  begin,
  inPlace,
  kept,
  kubeconfig,
  pendingFiles,
  renew,
  signingNode,
  two,
  unchanged,
} from '../../../support/cluster/use-api.ts';

/** What follows a renewal, and what comes before it, with the certificates API as without. */
describe('renew --use-api, with what goes with renew', () => {
  test('--restart restarts what uses the new certificates, after --resume too', async (t) => {
    const control = await plane(t);
    if (control === undefined) return;
    const node = await signingNode(t, { tree: control.tree });
    if (node === undefined) return;
    const { tree } = node;
    const first = await renew(tree, 'scheduler.conf', '--approve', '--restart', ...quickly);
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stdout,
      /^certificate embedded .* scheduler manager to use renewed\nkube-scheduler restarted\n/,
    );
    assert.deepEqual(control.kubelet.starts.slice(4), ['kube-scheduler.yaml']);
    inPlace(node, ['scheduler.conf']);

    const later = await renew(tree, 'controller-manager.conf', '--timeout', '1ms', '--restart', ...quickly);
    assert.equal(later.code, 1);
    assert.match(later.stderr, /--resume .*--restart/, 'what is to follow is in the hint');
    const resumed = await renew(tree, '--resume', '--approve', '--restart', ...quickly);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.deepEqual(control.kubelet.starts.slice(4), [
      'kube-scheduler.yaml',
      'kube-controller-manager.yaml',
    ]);
    inPlace(node);
  });

  test('--deploy-hook runs once, when something was issued, and not before', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const { tree } = node;
    const seen = join(tree.directory, 'hook');
    const hook = ['--deploy-hook', `echo "$KUBEPKI_NAMES/$KUBEPKI_COMPONENTS" >>'${seen}'`];
    const waits = await renew(tree, ...two, '--timeout', '1ms', ...hook);
    assert.equal(waits.code, 1);
    assert.throws(() => readFileSync(seen));
    const resumed = await renew(tree, '--resume', '--approve', ...hook);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal(
      readFileSync(seen, 'utf8'),
      'controller-manager.conf scheduler.conf/kube-controller-manager kube-scheduler\n',
    );
    const failing = await renew(tree, 'scheduler.conf', '--approve', '--deploy-hook', 'exit 3');
    assert.equal(failing.code, 8);
    assert.match(failing.stdout, /renewed/);
    assert.deepEqual([kept(node), pendingFiles(tree)], [[], []]);
  });

  test('--textfile tells of a run that succeeded, and of one that waits', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const { tree } = node;
    const textfile = ['--textfile', '/kubepki.prom'];
    const value = (name: string): string =>
      new RegExp(`^${name} (\\S+)$`, 'm').exec(
        readFileSync(join(tree.directory, 'kubepki.prom'), 'utf8'),
      )?.[1] ?? '';
    assert.equal((await renew(tree, 'scheduler.conf', '--timeout', '1ms', ...textfile)).code, 1);
    assert.equal(value('kubepki_renew_last_exit_code'), '1');
    assert.equal((await renew(tree, '--resume', '--approve', ...textfile)).code, 0);
    assert.equal(value('kubepki_renew_last_exit_code'), '0');
  });

  test('--within: what is not due is not asked for', async (t) => {
    const node = await signingNode(t, { approver: true });
    if (node === undefined) return;
    const outcome = await renew(node.tree, 'scheduler.conf', '--within', '9000h');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /renewed/);
    inPlace(node, ['scheduler.conf']);
  });

  test('--add-san is in what an external signer is asked for, and in what it issues', async (t) => {
    const signer = 'clusterissuers.cert-manager.io/kubepki';
    const node = await signingNode(t, { approver: true, signers: { [signer]: { kind: 'issues' } } });
    if (node === undefined) return;
    const outcome = await renew(
      node.tree,
      'apiserver',
      '--signer-name',
      signer,
      '--add-san',
      'new.example.com',
    );
    assert.equal(outcome.code, 0, outcome.stderr);
    const path = join(node.tree.certDir, 'apiserver.crt');
    const text = execFileSync(node.openssl, ['x509', '-in', path, '-noout', '-ext', 'subjectAltName']);
    assert.match(text.toString(), /DNS:new\.example\.com/);
  });

  test('what waits is said by those who only look, and by no document', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const { tree } = node;
    const note = 'note: requests for certificates wait in the cluster, and their keys here';
    assert.doesNotMatch((await certs(tree, 'check-expiration', '--offline')).stderr, /wait/);
    await renew(tree, ...two, '--timeout', '1ms');
    const before = snapshot(tree.directory);
    const looked = await certs(tree, 'check-expiration', '--offline');
    assert.match(
      looked.stderr,
      new RegExp(`^${note}\nhint: go on with them: kubepki certs renew --use-api --resume `),
    );
    assert.equal(looked.code, 0);
    const named = await certs(tree, 'check-expiration', '--offline', ...kubeconfig);
    assert.match(named.stderr, new RegExp(` --resume ${kubeconfig.join(' ')} --rootfs `));
    unchanged(tree, before);
  });

  test('--discard-pending as a document', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const { tree } = node;
    await renew(tree, ...two, '--timeout', '1ms');
    const given = await renew(tree, '--discard-pending', '-o', 'json');
    assert.equal(given.code, 0, given.stderr);
    const { command, certificates } = JSON.parse(given.stdout) as {
      command: string;
      certificates: readonly { name: string; outcome: string; reason: string }[];
    };
    assert.equal(command, 'renew');
    assert.deepEqual(
      certificates.map(({ name, outcome, reason }) => [name, outcome, reason]),
      two.map((name) => [name, 'unchanged', 'its request and its key were given up']),
    );
    assert.deepEqual([kept(node), pendingFiles(tree)], [[], []]);
  });
});

describe('interrupted', () => {
  test('an API server that hangs when the requests are deleted holds nobody back', async (t) => {
    let deleting: (() => void) | undefined;
    const deletes = new Promise<void>((resolve) => {
      deleting = resolve;
    });
    const node = await signingNode(t, {
      approver: true,
      faults: ({ method }) => {
        if (method !== 'DELETE') return undefined;
        deleting?.();
        return 'hang';
      },
    });
    if (node === undefined) return;
    const running = begin(node.tree, ...two);
    await deletes;
    running.kill('SIGINT');
    const outcome = await running.ended;
    assert.equal(outcome.code, 130);
    const names = kept(node).join(', ');
    assert.equal(
      outcome.stderr.split('\n').at(-2),
      `interrupted: the change is done and complete; perhaps still in the cluster: ${names}`,
    );
    inPlace(node);
    assert.deepEqual(pendingFiles(node.tree), []);
    // Bounds of 10 s each have not been waited for.
    assert.equal(node.server.seen.filter(({ method }) => method === 'DELETE').length, 1);
  });

  test('while it waits: the requests stay, and it says how to go on', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    const running = begin(node.tree, ...two);
    await asked(node, 2);
    running.kill('SIGTERM');
    const outcome = await running.ended;
    assert.equal(outcome.code, 143);
    assert.match(
      outcome.stderr,
      /interrupted: nothing was changed; kubepki-\S+, kubepki-\S+ wait; to go on: kubepki certs renew --use-api --resume /,
    );
    unchanged(node.tree, before);
    assert.equal(pendingFiles(node.tree).length, 3);
  });

  test('on a terminal: a line while it waits; Ctrl-C; --resume', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const { tree } = node;
    const where = ['--rootfs', tree.directory, ...kubeconfig];
    const shown = terminal(t, certsLine('renew', 'scheduler.conf', '--use-api', ...where), { columns: 220 });
    if (shown === undefined) return;
    await shown.shows(/waiting for approval of kubepki-\S+ \([1-9]\d*s\)/);
    shown.type('C-c');
    const screen = await shown.shows(/exit=130/);
    assert.match(screen, /note.*: waiting for approval of kubepki-\S+, 5m at most/);
    assert.match(
      screen,
      /interrupted: nothing was changed; kubepki-\S+ wait; to go on: kubepki certs renew --use-api --resume/,
    );
    assert.doesNotMatch(screen, /waiting for approval of \S+ \(/, 'the line is gone');
    assert.ok(shown.cursorIsVisible());
    const resumed = terminal(t, certsLine('renew', '--use-api', '--resume', '--approve', ...where), {
      columns: 220,
    });
    if (resumed === undefined) return;
    assert.match(await resumed.shows(/exit=0/), /scheduler manager to use renewed/);
    inPlace(node, ['scheduler.conf']);
  });
});
