import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { certsInProcess as certs, kubepkiInProcess as kubepki } from '../../../support/in-process.ts';
import { csrPath } from '../../../support/cluster/csr-api.ts';
import { makeAuthority } from '../../../support/cluster/authority.ts';
import { type Running } from '../../../support/kubepki.ts';
import { writeManifest } from '../../../support/manifests.ts';
import { stateDirectory } from '../../../support/node.ts';
import { makeCa, resign } from '../../../support/certificates/resigned.ts';
import { fileChanges, snapshot, temporaryDirectory } from '../../../support/tree.ts';
import {
  kubeconfig,
  asked,
  begin,
  inPlace,
  keyOfCertificate,
  kept,
  pendingFiles,
  renew,
  signingNode,
  two,
  unchanged,
  type SigningNode,
} from '../../../support/cluster/use-api.ts';

const rows = `certificate embedded in the kubeconfig file for the controller manager to use renewed
certificate embedded in the kubeconfig file for the scheduler manager to use renewed
`;

describe('renew --use-api', () => {
  test('asks, approves, and puts in place what was signed; nothing is left', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const { tree, server } = node;
    const before = snapshot(tree.directory);
    const outcome = await renew(tree, ...two, '--approve', '--validity', '20d');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.equal(outcome.stdout, rows);
    assert.match(outcome.stderr, /restart kube-controller-manager, kube-scheduler/);
    inPlace(node);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      '~ etc/kubernetes/controller-manager.conf content',
      '~ etc/kubernetes/scheduler.conf content',
    ]);
    assert.deepEqual([kept(node), pendingFiles(tree)], [[], []]);
    const posts = server.seen.filter(({ method, path }) => method === 'POST' && path === csrPath);
    const bodies = posts.map(({ body }) => body as { metadata: { name: string }; spec: Spec });
    assert.equal(new Set(bodies.map(({ metadata }) => metadata.name)).size, 2);
    for (const [index, { metadata, spec }] of bodies.entries()) {
      const certificate = (two[index] ?? '').replace('.', '-');
      assert.match(metadata.name, new RegExp(`^kubepki-[a-z0-9-]+-${certificate}-[0-9a-f]{10}$`));
      assert.deepEqual(spec.usages, ['digital signature', 'client auth']);
      assert.equal(spec.signerName, 'kubernetes.io/kube-apiserver-client');
      assert.equal(spec.expirationSeconds, 20 * 86_400);
    }
    // Its backup is as any other's.
    const back = await certs(tree, 'rollback');
    assert.equal(back.code, 0, back.stderr);
    unchanged(tree, before);
  });

  test('the cluster approves it; the document is that of renew', async (t) => {
    const node = await signingNode(t, { approver: true });
    if (node === undefined) return;
    const outcome = await renew(node.tree, ...two, '-o', 'json');
    assert.equal(outcome.code, 0, outcome.stderr);
    const document = JSON.parse(outcome.stdout) as Document;
    assert.equal(document.command, 'renew');
    assert.deepEqual(
      document.certificates.map(({ name, outcome: what }) => [name, what]),
      two.map((name) => [name, 'renewed']),
    );
    inPlace(node);
  });

  test('an external signer issues what the built-in ones cannot, and what it chains is kept', async (t) => {
    const signer = 'clusterissuers.cert-manager.io/kubernetes';
    const node = await signingNode(t, { signers: { [signer]: { kind: 'issues', chain: true } } });
    if (node === undefined) return;
    const outcome = await renew(node.tree, 'apiserver', '--approve', '--signer-name', signer);
    assert.equal(outcome.code, 0, outcome.stderr);
    const served = readFileSync(join(node.tree.certDir, 'apiserver.crt'), 'utf8');
    assert.equal(served.match(/BEGIN CERTIFICATE/g)?.length, 2);
    const key = readFileSync(join(node.tree.certDir, 'apiserver.key'));
    assert.equal(
      keyOfCertificate(node.openssl, served),
      execFileSync(node.openssl, ['pkey', '-pubout'], { input: key, encoding: 'utf8' }),
    );
    assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
  });

  test('what the signers cannot issue is said before anything is asked', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    const outcome = await renew(node.tree, 'all');
    assert.equal(outcome.code, 1);
    assert.equal(outcome.stderr.match(/^error:/gm)?.length, 1);
    assert.match(outcome.stderr, /built-in signers cannot issue apiserver \(.*front-proxy-client/);
    const command = /what they can issue: kubepki (.*?);/.exec(outcome.stderr)?.[1] ?? '';
    assert.deepEqual(kept(node), []);
    assert.equal(
      node.server.seen.some(({ path }) => path.startsWith(csrPath)),
      false,
    );
    unchanged(node.tree, before);
    assert.deepEqual(pendingFiles(node.tree), []);
    // The hint is a command that works.
    const pasted = await kubepki([...command.split(' '), '--approve']);
    assert.equal(pasted.code, 0, pasted.stderr);
    assert.equal(pasted.stdout.match(/ renewed$/gm)?.length, 4);
  });

  test('--dry-run asks nothing', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    const outcome = await renew(node.tree, 'scheduler.conf', '--dry-run');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(
      outcome.stdout,
      /^would ask kubernetes\.io\/kube-apiserver-client for scheduler\.conf: key ECDSA-P256, usages digital signature, client auth, valid for 8760h0m0s\n {2}\S+scheduler\.conf\nnothing was asked/,
    );
    assert.equal(
      node.server.seen.some(({ path }) => path.startsWith(csrPath)),
      false,
    );
    assert.deepEqual([...snapshot(node.tree.directory)], [...before]);
  });

  test('what could not be put in place or restarted is not asked for, and its dry run says so', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const path = join(node.tree.kubeconfigDir, 'scheduler.conf');
    const text = readFileSync(path, 'utf8');
    const shared = text.replace(/^ {2}user:$/m, '  user: &u');
    const alike = async (...args: readonly string[]): Promise<string> => {
      const dry = await renew(node.tree, 'scheduler.conf', ...args, '--dry-run');
      const run = await renew(node.tree, 'scheduler.conf', ...args);
      assert.equal(run.code, 1);
      assert.deepEqual([dry.code, dry.stderr], [run.code, run.stderr]);
      return run.stderr;
    };
    writeFileSync(path, `${shared}extensions:\n- name: x\n  extension: *u\n`);
    assert.match(await alike(), /^error: \S*scheduler\.conf: cannot be rewritten without /m);
    writeFileSync(path, text);
    writeManifest(node.tree, 'kube-scheduler', 'kind: [');
    assert.match(await alike('--restart'), /kube-scheduler\.yaml: /);
    assert.equal(
      node.server.seen.some(({ path: asked }) => asked.startsWith(csrPath)),
      false,
    );
  });

  test('what this CA has not signed is asked for when it is insisted on, as whom kubeadm makes it out to', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const { tree, openssl, server } = node;
    const scratch = temporaryDirectory(t);
    const [ca, pair] = [join(scratch, 'ca'), join(scratch, 'pair')];
    makeCa(openssl, ca, 'mallory');
    const conf = join(tree.kubeconfigDir, 'scheduler.conf');
    const text = readFileSync(conf, 'utf8');
    for (const [field, end] of Object.entries({ 'client-certificate': 'crt', 'client-key': 'key' })) {
      const data = new RegExp(`${field}-data: (\\S+)`).exec(text)?.[1] ?? '';
      writeFileSync(`${pair}.${end}`, Buffer.from(data, 'base64'));
    }
    resign(openssl, pair, { by: ca, subject: '/O=system:masters/CN=mallory' });
    const data = readFileSync(`${pair}.crt`).toString('base64');
    writeFileSync(conf, text.replace(/(client-certificate-data: )\S+/, `$1${data}`));
    const before = snapshot(tree.directory);
    const refused = await renew(tree, 'scheduler.conf', '--approve');
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /^error: .*scheduler\.conf: is not signed by the CA of .*\nhint: .*renew scheduler\.conf --force --use-api /m,
    );
    unchanged(tree, before);
    assert.ok(!server.seen.some(({ method }) => method === 'POST'));
    const insisted = await renew(tree, 'scheduler.conf', '--approve', '--force');
    assert.equal(insisted.code, 0, insisted.stderr);
    assert.match(
      insisted.stderr,
      /^warning: .*made out to CN=system:kube-scheduler, not to CN=mallory, O=system:masters$/m,
    );
    inPlace(node, ['scheduler.conf']);
  });

  test('nothing is due, and nothing is asked', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const outcome = await renew(node.tree, 'all', '--within', '1h');
    assert.deepEqual([outcome.code, outcome.stdout], [0, 'nothing is due within 1h\n']);
    assert.equal(
      node.server.seen.some(({ path }) => path.startsWith(csrPath)),
      false,
    );
  });

  test('without a kubeconfig there is nobody to ask', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    rmSync(join(node.tree.kubeconfigDir, 'admin.conf'));
    const outcome = await certs(node.tree, 'renew', 'scheduler.conf', '--use-api');
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /^error: \S*\/etc\/kubernetes\/admin\.conf: no such file.*\nhint: .*--kubeconfig/m,
    );
    assert.deepEqual(pendingFiles(node.tree), []);
  });

  const usage = [
    [['--offline', '--use-api'], /--offline does not go with --use-api/],
    [['--csr-only', '--use-api'], /--csr-only does not go with --use-api/],
    [['--signer-name', 'a.b/c'], /--signer-name goes with --use-api/],
    [['--approve'], /--approve goes with --use-api/],
    [['--timeout', '5m'], /--timeout goes with --use-api/],
    [['--resume'], /--resume goes with --use-api/],
    [['--discard-pending', '--csr-only'], /--discard-pending goes with --use-api/],
    [['--use-api', '--signer-name', 'nonsense'], /a domain and a path/],
    [['--use-api', '--timeout', '0s'], /duration/],
    [['--use-api', '--resume', '--signer-name', 'a.b/c'], /--signer-name does not go with --resume/],
    [['--use-api', '--resume', '--discard-pending'], /--resume does not go with --discard-pending/],
    [['--use-api', '--signer-name', 'kubernetes.io/kubelet-serving'], /to kubelets only/],
  ] as const;
  test('what does not go together', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    for (const [args, message] of usage) {
      const outcome = await certs(node.tree, 'renew', 'scheduler.conf', ...args);
      assert.equal(outcome.code, 1, args.join(' '));
      assert.match(outcome.stderr, message);
    }
    assert.deepEqual(kept(node), []);
  });
});

interface Spec {
  readonly usages: readonly string[];
  readonly signerName: string;
  readonly expirationSeconds: number;
}

interface Document {
  readonly command: string;
  readonly certificates: readonly { readonly name: string; readonly outcome: string }[];
}

describe('nothing comes of it, and nothing is changed', () => {
  test('denied: the reason is said, requests and keys are gone', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    const running = begin(node.tree, ...two);
    await asked(node, 2);
    const [first = '', second = ''] = kept(node);
    node.csrs.decide(second, { type: 'Denied', reason: 'NotToday', message: 'come back tomorrow' });
    const outcome = await running.ended;
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      new RegExp(
        `^error: the request ${second} for scheduler.conf was denied: come back tomorrow \\(NotToday\\)$`,
        'm',
      ),
    );
    assert.notEqual(first, second);
    assert.equal(outcome.stdout, '');
    assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
    unchanged(node.tree, before);
  });

  test('failed: the signer and its reason are said, also in the document', async (t) => {
    const signers = {
      'kubernetes.io/kube-apiserver-client': { kind: 'fails', reason: 'Broken', message: 'no ink' },
    } as const;
    const node = await signingNode(t, { signers });
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    const outcome = await renew(node.tree, 'scheduler.conf', '--approve', '-o', 'json');
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /^error: kubernetes\.io\/kube-apiserver-client failed the request \S+ for scheduler\.conf: no ink \(Broken\)$/m,
    );
    const document = JSON.parse(outcome.stdout) as Document;
    assert.deepEqual(
      document.certificates.map(({ outcome: what }) => what),
      ['refused'],
    );
    assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
    unchanged(node.tree, before);
  });

  const wrongs = [
    ['other CA', /is not signed by the CA of/],
    ['other key', /another key/],
    ['other subject', /has another subject than the CSR/],
    ['expired', /expired on/],
    ['an hour', /ends on \S+, which is within 24 hours/],
  ] as const;
  for (const [wrong, message] of wrongs) {
    test(`signed with ${wrong}: install's check refuses it`, async (t) => {
      const signers = { 'kubernetes.io/kube-apiserver-client': { kind: 'issues', wrong } } as const;
      const node = await signingNode(t, { signers });
      if (node === undefined) return;
      const before = snapshot(node.tree.directory);
      const outcome = await renew(node.tree, ...two, '--approve');
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, message);
      assert.match(outcome.stderr, /^error: CertificateSigningRequest kubepki-/m);
      assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
      unchanged(node.tree, before);
    });
  }

  test('for so short that it would not be put in place: it is not asked for', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    for (const validity of ['1h', '24h']) {
      const { stderr, code } = await renew(node.tree, ...two, '--approve', '--validity', validity);
      assert.match(
        stderr,
        /^error: a certificate for scheduler\.conf that ends on \S+, which is within 24 hours, is not asked for /m,
      );
      assert.equal(code, 1);
    }
    assert.ok(node.server.seen.every(({ method }) => method === 'GET'));
    assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
    unchanged(node.tree, before);
  });

  test('what is no certificate', async (t) => {
    const certificate = Buffer.from('nonsense').toString('base64');
    const signers = { 'kubernetes.io/kube-apiserver-client': { kind: 'answers', certificate } } as const;
    const node = await signingNode(t, { signers });
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    const outcome = await renew(node.tree, 'scheduler.conf', '--approve');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /^error: CertificateSigningRequest kubepki-\S+: /m);
    assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
    unchanged(node.tree, before);
  });

  test('the cluster has another CA than the cert dir', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const other = makeAuthority(node.openssl, temporaryDirectory(t), 'kubernetes');
    node.csrs.signer('kubernetes.io/kube-apiserver-client', { kind: 'issues', ca: other.files });
    const before = snapshot(node.tree.directory);
    const outcome = await renew(node.tree, 'scheduler.conf', '--approve');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /is not signed by the CA of \S+\/ca\.crt/);
    unchanged(node.tree, before);
  });

  const refusals = [
    [401, /does not know the user of the kubeconfig \(401\)/],
    [403, /refused/],
    [422, /invalid/],
  ] as const;
  for (const [status, message] of refusals) {
    test(`${String(status)} when it is asked`, async (t) => {
      const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'so it is', code: status };
      const node = await signingNode(t, {
        faults: ({ method }) => (method === 'POST' ? { status, body } : undefined),
      });
      if (node === undefined) return;
      const before = snapshot(node.tree.directory);
      const outcome = await renew(node.tree, ...two, '--approve');
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, message);
      // The client gives nobody the words of a 401.
      if (status !== 401) assert.match(outcome.stderr, /so it is/);
      assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
      unchanged(node.tree, before);
    });
  }

  test('403 for the approval: what was asked for is taken back', async (t) => {
    const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'not you', code: 403 };
    const node = await signingNode(t, {
      faults: ({ method }) => (method === 'PUT' ? { status: 403, body } : undefined),
    });
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    const outcome = await renew(node.tree, ...two, '--approve');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /refused \(403\): not you/);
    assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
    unchanged(node.tree, before);
  });

  test('what cannot be taken back may still be approved: its key stays', async (t) => {
    const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'not you', code: 403 };
    const node = await signingNode(t, {
      faults: ({ method }) => (method === 'PUT' || method === 'DELETE' ? { status: 403, body } : undefined),
    });
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    const outcome = await renew(node.tree, ...two, '--approve');
    assert.equal(outcome.code, 1);
    const [first = '', second = ''] = kept(node);
    assert.match(outcome.stderr, new RegExp(`^hint: delete it: kubectl delete csr ${first} ${second}$`, 'm'));
    assert.match(outcome.stderr, /^note: the requests and their keys are kept; to go on: /m);
    assert.equal(pendingFiles(node.tree).length, 3);
    unchanged(node.tree, before);
    for (const name of [first, second]) {
      node.csrs.decide(name, { type: 'Approved', reason: 'Ok', message: 'go on' });
    }
    // The change is made, whatever becomes of the requests.
    const resumed = await renew(node.tree, '--resume');
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stderr, /^warning: the request \S+ could not be deleted: .*not you$/m);
    inPlace(node);
    assert.deepEqual([kept(node), pendingFiles(node.tree)], [[first, second], []]);
  });

  test('409: somebody else has the name, whose request stays', async (t) => {
    let foreign: string | undefined;
    const node: SigningNode | undefined = await signingNode(t, {
      faults: ({ method, path, body }) => {
        if (method !== 'POST' || path !== csrPath || node === undefined) return undefined;
        const { metadata, spec } = body as { metadata: { name: string }; spec: { request: string } };
        foreign ??= metadata.name;
        if (foreign === metadata.name) {
          const other = { ...spec, signerName: 'example.com/other', usages: ['client auth'] };
          node.csrs.put(foreign, { ...other, username: 'somebody', groups: [] });
        }
        return undefined;
      },
    });
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    const outcome = await renew(node.tree, 'scheduler.conf', '--approve');
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /there is a CertificateSigningRequest kubepki-\S+ already, and it asks for something else/,
    );
    assert.deepEqual([kept(node), pendingFiles(node.tree)], [[foreign], []]);
    unchanged(node.tree, before);
  });
});

describe('what waits', () => {
  test('not approved in time: it stays, and --resume goes on with it', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const { tree } = node;
    const before = snapshot(tree.directory);
    const outcome = await renew(tree, ...two, '--timeout', '1s');
    assert.equal(outcome.code, 1);
    const names = kept(node);
    assert.match(outcome.stderr, new RegExp(`^error: not approved within 1s: ${names.join(', ')}$`, 'm'));
    assert.match(outcome.stderr, new RegExp(`kubectl certificate approve ${names.join(' ')}`));
    unchanged(tree, before);
    assert.deepEqual(pendingFiles(tree), [...names.map((name) => `${name}.key`), 'requests.json']);
    const pending = join(stateDirectory(tree), 'pending');
    assert.equal(statSync(pending).mode & 0o7777, 0o700);
    for (const file of pendingFiles(tree)) assert.equal(statSync(join(pending, file)).mode & 0o7777, 0o600);

    // Nothing new beside it.
    const again = await renew(tree, 'admin.conf', '--approve');
    assert.equal(again.code, 1);
    const dry = await renew(tree, 'admin.conf', '--approve', '--dry-run');
    assert.deepEqual([dry.code, dry.stderr], [again.code, again.stderr]);
    assert.match(
      again.stderr,
      new RegExp(`^error: requests of an earlier run wait: ${names.join(', ')}$`, 'm'),
    );
    const hints = await renew(tree, 'admin.conf', '--restart', '--keep-backups', '9', '--force');
    // The cluster has said where the certificates are.
    const here = `--cert-dir /etc/kubernetes/pki --rootfs ${tree.directory}`;
    assert.equal(
      hints.stderr.split('\n').find((line) => line.startsWith('hint: go on')),
      `hint: go on with them: kubepki certs renew --use-api --resume ${kubeconfig.join(' ')} --restart --keep-backups 9 ${here}; or give them up: kubepki certs renew --use-api --discard-pending ${kubeconfig.join(' ')} ${here}`,
    );
    assert.deepEqual(kept(node), names);

    for (const name of names) node.csrs.decide(name, { type: 'Approved', reason: 'Ok', message: 'go on' });
    const command = /kubepki (certs renew --use-api --resume .*)$/m.exec(outcome.stderr)?.[1] ?? '';
    const resumed = await kubepki(command.split(' '));
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal(resumed.stdout, rows);
    inPlace(node);
    assert.deepEqual([kept(node), pendingFiles(tree)], [[], []]);
  });

  test('approved and not issued: what to look at', async (t) => {
    const builtIn = 'kubernetes.io/kube-apiserver-client';
    const node = await signingNode(t, { signers: { [builtIn]: { kind: 'absent' } } });
    if (node === undefined) return;
    const outcome = await renew(node.tree, 'scheduler.conf', '--approve', '--timeout', '1s');
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /approved, but not issued by kubernetes\.io\/kube-apiserver-client within 1s/,
    );
    assert.match(outcome.stderr, /--cluster-signing-cert-file and --cluster-signing-key-file/);
    const given = await renew(node.tree, '--discard-pending');
    assert.equal(given.code, 0, given.stderr);
    assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
    const other = ['--approve', '--timeout', '1s', '--signer-name', 'example.com/slow'];
    const external = await renew(node.tree, 'apiserver', ...other);
    assert.match(external.stderr, /hint: see whether the signer example\.com\/slow runs/);
    node.csrs.signer('example.com/slow', { kind: 'issues' });
    const resumed = await renew(node.tree, 'apiserver', '--resume');
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stdout, /serving the Kubernetes API renewed/);
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`${signal}: it says what waits, and how to go on`, async (t) => {
      const node = await signingNode(t);
      if (node === undefined) return;
      const before = snapshot(node.tree.directory);
      const running = begin(node.tree, ...two);
      await asked(node, 2);
      running.kill(signal);
      const outcome = await running.ended;
      assert.equal(outcome.code, code);
      assert.match(
        outcome.stderr,
        /^interrupted: nothing was changed; kubepki-\S+, kubepki-\S+ wait; to go on: kubepki certs renew --use-api --resume /m,
      );
      unchanged(node.tree, before);
      const resumed = await renew(node.tree, '--resume', '--approve');
      assert.equal(resumed.code, 0, resumed.stderr);
      inPlace(node);
      assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
    });
  }

  test('killed after it has asked', async (t) => {
    const node = await signingNode(t, {
      approver: true,
      signers: { 'kubernetes.io/kube-apiserver-client': { kind: 'absent' } },
    });
    if (node === undefined) return;
    const running = begin(node.tree, ...two);
    await asked(node, 2);
    running.kill('SIGKILL');
    await running.ended;
    node.csrs.signer('kubernetes.io/kube-apiserver-client', { kind: 'issues' });
    const resumed = await renew(node.tree, 'all', '--resume');
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stdout, /renewed/);
    inPlace(node);
    assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
  });

  test('killed before it could ask: --resume asks', async (t) => {
    let running: Running | undefined;
    const node = await signingNode(t, {
      faults: ({ method }) => {
        if (method !== 'POST' || running === undefined) return undefined;
        running.kill('SIGKILL');
        return 'hang';
      },
    });
    if (node === undefined) return;
    running = begin(node.tree, ...two);
    await running.ended;
    running = undefined;
    assert.deepEqual(kept(node), []);
    assert.equal(pendingFiles(node.tree).length, 3);
    const resumed = await renew(node.tree, '--resume', '--approve');
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stderr, /note: kubepki-\S+ was not in the cluster, and has been asked for again/);
    inPlace(node);
  });

  test('killed between the change and the end of waiting: --resume finds it in place', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const { tree } = node;
    await renew(tree, ...two, '--timeout', '1ms');
    const pending = join(stateDirectory(tree), 'pending');
    const record = readFileSync(join(pending, 'requests.json'));
    assert.equal((await renew(tree, '--resume', '--approve')).code, 0);
    // As it is then: a record of requests whose keys are in their places.
    mkdirSync(pending, { mode: 0o700 });
    writeFileSync(join(pending, 'requests.json'), record, { mode: 0o600 });
    const before = snapshot(tree.directory);
    const again = await renew(tree, '--resume');
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /in their places already/);
    unchanged(tree, before);
    assert.deepEqual([kept(node), pendingFiles(tree)], [[], []]);
  });

  test('the API is lost while it waits, and comes back', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    const running = begin(node.tree, ...two, '--timeout', '4s');
    await asked(node, 2);
    await node.server.away();
    const outcome = await running.ended;
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /^error: the API server at \S+ (?:is not there|broke)/m);
    assert.match(
      outcome.stderr,
      /the requests and their keys are kept; to go on: kubepki certs renew --use-api --resume/,
    );
    unchanged(node.tree, before);
    assert.equal(pendingFiles(node.tree).length, 3);
    await node.server.back();
    const resumed = await renew(node.tree, '--resume', '--approve');
    assert.equal(resumed.code, 0, resumed.stderr);
    inPlace(node);
  });

  test('a restart of the API server is ridden out; an answer that was lost asks for nothing twice', async (t) => {
    const busy = { status: 429, headers: { 'retry-after': '1' }, body: { kind: 'Status', message: 'busy' } };
    let posts = 0;
    let puts = 0;
    const node = await signingNode(t, {
      faults: ({ method }) => {
        if (method === 'POST') return (posts += 1) === 1 ? 'lost' : undefined;
        if (method === 'PUT') return (puts += 1) === 1 ? busy : undefined;
        return undefined;
      },
    });
    if (node === undefined) return;
    const outcome = await renew(node.tree, ...two, '--approve');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stderr, /note: the API server at .*; trying again/);
    inPlace(node);
    assert.deepEqual([kept(node), pendingFiles(node.tree)], [[], []]);
  });

  test('somebody deletes the request: its key stays, and --resume asks again', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const running = begin(node.tree, 'scheduler.conf');
    await asked(node, 1);
    for (const name of kept(node)) node.csrs.remove(name);
    const outcome = await running.ended;
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /^error: somebody has deleted the request kubepki-\S+ for scheduler\.conf$/m,
    );
    const resumed = await renew(node.tree, '--resume', '--approve');
    assert.equal(resumed.code, 0, resumed.stderr);
    inPlace(node, ['scheduler.conf']);
  });

  test('--resume of what is not there', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    const { tree } = node;
    assert.match((await renew(tree, '--resume')).stderr, /^error: no request waits/m);
    await renew(tree, ...two, '--timeout', '1ms');
    assert.match(
      (await renew(tree, 'admin.conf', '--resume')).stderr,
      /^error: no request for admin\.conf waits$/m,
    );
    assert.match(
      (await renew(tree, 'scheduler.conf', '--resume')).stderr,
      /controller-manager\.conf was asked for/,
    );
    const elsewhere = await renew(
      tree,
      '--resume',
      '--cert-dir',
      '/etc/kubernetes/pki/etcd/..',
      '--kubeconfig-dir',
      '/',
    );
    assert.match(
      elsewhere.stderr,
      /^error: \/etc\/kubernetes: cannot be reached: [^]*\nhint: name the directory: kubepki certs renew --use-api --resume .* --kubeconfig-dir \/etc\/kubernetes$/m,
    );

    const [name = ''] = kept(node);
    rmSync(join(stateDirectory(tree), 'pending', `${name}.key`));
    const before = snapshot(tree.directory);
    const keyless = await renew(tree, '--resume', '--approve');
    assert.equal(keyless.code, 1);
    assert.match(
      keyless.stderr,
      /\.key: no such file: the key of the request for controller-manager\.conf is gone/,
    );
    unchanged(tree, before);
    const given = await renew(tree, '--discard-pending');
    assert.equal(given.code, 0, given.stderr);
    assert.match(given.stderr, /the certificate for scheduler\.conf had been issued/);
    assert.deepEqual([kept(node), pendingFiles(tree)], [[], []]);
  });

  test('renewed by somebody else meanwhile: theirs stays', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    await renew(node.tree, 'scheduler.conf', '--timeout', '1ms');
    const other = await certs(node.tree, 'renew', 'scheduler.conf', '--offline');
    assert.equal(other.code, 0, other.stderr);
    const before = snapshot(node.tree.directory);
    const resumed = await renew(node.tree, '--resume', '--approve');
    assert.equal(resumed.code, 1);
    assert.match(
      resumed.stderr,
      /the certificate for scheduler\.conf has been replaced since another was asked for/,
    );
    unchanged(node.tree, before);
    assert.equal(pendingFiles(node.tree).length, 2);
  });

  test('the cluster is gone for good: --discard-pending says what that may lose', async (t) => {
    const node = await signingNode(t);
    if (node === undefined) return;
    await renew(node.tree, 'scheduler.conf', '--timeout', '1ms');
    await node.server.away();
    const given = await renew(node.tree, '--discard-pending');
    assert.equal(given.code, 0, given.stderr);
    assert.match(given.stderr, /warning: the requests may still be in the cluster, and be issued: /);
    assert.match(given.stderr, /kubectl delete csr kubepki-/);
    assert.deepEqual(pendingFiles(node.tree), []);
  });
});

test('a private key is neither sent nor printed', async (t) => {
  const node = await signingNode(t);
  if (node === undefined) return;
  const { tree, server } = node;
  const outcomes = [await renew(tree, ...two, '--timeout', '1ms', '-o', 'json')];
  const pending = join(stateDirectory(tree), 'pending');
  const keys = pendingFiles(tree)
    .filter((file) => file.endsWith('.key'))
    .map((file) => readFileSync(join(pending, file), 'utf8'));
  assert.equal(keys.length, 2);
  outcomes.push(await renew(tree, '--resume', '--approve'));
  assert.equal(outcomes[1]?.code, 0);
  const all = JSON.stringify(server.seen) + outcomes.map(({ stdout, stderr }) => stdout + stderr).join('');
  // What is sent is base64 of PEM.
  const decoded = all.replaceAll(/[A-Za-z0-9+/=]{40,}/g, (text) =>
    Buffer.from(text, 'base64').toString('latin1'),
  );
  for (const text of [all, decoded]) {
    assert.doesNotMatch(text, /PRIVATE KEY/);
    for (const key of keys) {
      const lines = key.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
      assert.ok(lines.length > 0);
      for (const line of lines) assert.equal(text.includes(line), false);
    }
  }
  assert.match(decoded, /BEGIN CERTIFICATE REQUEST/);
});
