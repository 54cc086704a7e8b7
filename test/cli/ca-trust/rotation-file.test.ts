/** `ca trust` with what `ca rotate export` writes: a worker follows a rotation. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Trusted } from '../../../src/operations/rotation/transfer.ts';
import {
  encodeCertificates,
  parseCertificates,
  type Certificate,
} from '../../../src/pki/certificate/certificate.ts';
import { parsePrivateKey } from '../../../src/pki/key/private-key.ts';
import { writeTransfer } from '../../../src/transfer/transfer.ts';
import { crossOf, newKey, planOf, selfSigned } from '../../support/certificates/made-rotation.ts';
import { changeDocument, outcomes } from '../../support/change-document.ts';
import { caInProcess as ca, certsInProcess as certs } from '../../support/in-process.ts';
import { quickTree } from '../../support/node.ts';
import { fileChanges, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

interface Rotated {
  readonly controlPlane: Tree;
  readonly worker: Tree;
  readonly old: Certificate;
  readonly next: Certificate;
  /** A CA that is none of the rotation's. */
  readonly other: Certificate;
  /** Writes the file that a control plane exports, for all trees. */
  readonly carry: (trusted: Trusted, wish?: { readonly id?: string; readonly sealedKeys?: Buffer }) => string;
}

const stageOf = { old: 'prepare', 'old-next': 'trust', 'next-old': 'switch', next: 'distrust' } as const;

function rotated(t: TestContext): Rotated {
  const controlPlane = quickTree(t);
  const [old] = parseCertificates(readFileSync(join(controlPlane.certDir, 'ca.crt')));
  const key = parsePrivateKey(readFileSync(join(controlPlane.certDir, 'ca.key')));
  const next = selfSigned('kubernetes-20261129', newKey());
  const other = selfSigned('load-balancer', newKey());
  const authority = { name: 'ca', old, next, cross: crossOf(old, key, next) } as const;
  const worker = workerOf(t, controlPlane, [old, other]);
  return {
    ...{ controlPlane, worker, old, next, other },
    carry: (trusted, { id, sealedKeys } = {}) => {
      const plan = { ...planOf([authority]), ...(id === undefined ? {} : { id }) };
      const bytes = writeTransfer({ plan, authorities: [{ ...authority, trusted }], sealedKeys });
      const file = `/${trusted}.tar`;
      for (const { directory } of [controlPlane, worker]) writeFileSync(join(directory, file), bytes);
      return file;
    },
  };
}

/** Its kubelet.conf and its ca.crt hold the CAs. */
function workerOf(t: TestContext, { kubeconfigDir }: Tree, authorities: readonly Certificate[]): Tree {
  const directory = temporaryDirectory(t);
  const worker = {
    directory,
    kubeconfigDir: join(directory, 'etc/kubernetes'),
    certDir: join(directory, 'etc/kubernetes/pki'),
  };
  mkdirSync(worker.certDir, { recursive: true });
  const pem = encodeCertificates(authorities);
  writeFileSync(join(worker.certDir, 'ca.crt'), pem);
  const kubeconfig = readFileSync(join(kubeconfigDir, 'admin.conf'), 'utf8');
  writeFileSync(
    join(worker.kubeconfigDir, 'kubelet.conf'),
    kubeconfig.replace(
      /certificate-authority-data: \S+/,
      `certificate-authority-data: ${Buffer.from(pem).toString('base64')}`,
    ),
    { mode: 0o600 },
  );
  return worker;
}

function trustedBy({ certDir, kubeconfigDir }: Tree): { readonly file: string; readonly kubelet: string } {
  const kubeconfig = readFileSync(join(kubeconfigDir, 'kubelet.conf'), 'utf8');
  const data = /certificate-authority-data: (\S+)/.exec(kubeconfig)?.[1] ?? '';
  return {
    file: readFileSync(join(certDir, 'ca.crt'), 'utf8'),
    kubelet: Buffer.from(data, 'base64').toString('utf8'),
  };
}

const kept = ({ certDir }: Tree): string[] => readdirSync(join(certDir, '.kubepki/rotation')).sort();

describe('on a worker', () => {
  test('each stage gives it the CAs of that stage, and leaves the other CA behind them', async (t) => {
    const { worker, carry, old, next, other } = rotated(t);
    const wanted: readonly (readonly [Trusted, readonly Certificate[]])[] = [
      ['old', [old, other]],
      ['old-next', [old, next, other]],
      ['next-old', [next, old, other]],
    ];
    for (const [trusted, authorities] of wanted) {
      const file = carry(trusted);
      const { code, stderr } = await ca(worker, 'trust', file, '--offline');
      assert.equal(code, 0, stderr);
      const pem = encodeCertificates(authorities);
      assert.deepEqual(trustedBy(worker), { file: pem, kubelet: pem }, trusted);
      assert.deepEqual(kept(worker), ['ca.cross.crt', 'ca.next.crt', 'ca.old.crt', 'plan.json']);
      const before = snapshot(worker.directory);
      const again = await ca(worker, 'trust', file, '--offline');
      assert.deepEqual([again.code, again.stdout], [0, `this node is at ${stageOf[trusted]} already\n`]);
      assert.deepEqual(fileChanges(before, snapshot(worker.directory)), []);
    }
  });

  test('the change is said, in words and as a document', async (t) => {
    const { worker, carry } = rotated(t);
    const file = carry('old-next');
    const dry = await ca(worker, 'trust', file, '--dry-run', '-o', 'json');
    const document = changeDocument(dry.stdout);
    assert.deepEqual([dry.code, outcomes(document), document.restart], [0, ['ca rotated'], []]);
    assert.equal(existsSync(join(worker.certDir, '.kubepki')), false);
    const { stdout, stderr } = await ca(worker, 'trust', file);
    assert.match(stdout, /^ca: the old and the new CA are trusted, and the old one signs$/m);
    assert.match(stderr, /^note: \S+old-next\.tar: SHA-256 [0-9a-fA-F]{64}$/m);
    assert.match(stderr, /^hint: systemctl restart kubelet$/m);
    assert.doesNotMatch(stderr, /kube-controller-manager|kube-apiserver/);
  });

  test('ca status tells its stage, and ca rollback takes it back', async (t) => {
    const { worker, carry } = rotated(t);
    const before = snapshot(worker.directory);
    await ca(worker, 'trust', carry('old'));
    await ca(worker, 'trust', carry('old-next'));
    const status = await ca(worker, 'status', '-o', 'json', '--offline');
    const { role, authorities } = JSON.parse(status.stdout) as {
      role: string;
      authorities: { first: string; last: string }[];
    };
    assert.deepEqual([role, authorities[0]?.first, authorities[0]?.last], ['worker', 'trust', 'trust']);
    const plain = await certs(worker, 'rollback');
    assert.equal(plain.code, 1);
    assert.match(plain.stderr, /is of "trust", a stage of a rotation of CAs\nhint: .*ca rollback/);
    assert.equal((await ca(worker, 'rollback')).code, 1);
    for (const stage of ['trust', 'prepare']) {
      const { code, stderr } = await ca(worker, 'rollback', '--accept', 'nodes');
      assert.equal(code, 0, `${stage}: ${stderr}`);
    }
    const left = fileChanges(before, snapshot(worker.directory));
    assert.deepEqual(
      left.filter((line) => !line.includes('.tar')),
      [],
    );
  });

  test('an older file, and one that is two stages ahead, need a word', async (t) => {
    const { worker, carry } = rotated(t);
    const skipped = await ca(worker, 'trust', carry('next-old'), '--offline');
    assert.equal(skipped.code, 1);
    assert.match(skipped.stderr, /is of the stage switch, more than one further than this node: at prepare/);
    assert.match(skipped.stderr, /--accept skipped-stage/);
    const file = carry('next-old');
    const { code } = await ca(worker, 'trust', file, '--offline', '--accept', 'skipped-stage');
    assert.equal(code, 0);
    const plan = (): string => readFileSync(join(worker.certDir, '.kubepki/rotation/plan.json'), 'utf8');
    assert.match(plan(), /"condition": "skipped-stage"/);
    const older = await ca(worker, 'trust', carry('old-next'));
    assert.equal(older.code, 1);
    assert.match(older.stderr, /is of the stage trust, and this node is further: at switch/);
    assert.match(older.stderr, /hint: .*ca rollback.*--accept older-file/);
    assert.equal((await ca(worker, 'trust', carry('old-next'), '--accept', 'older-file')).code, 0);
    assert.match(plan(), /"condition": "older-file"/);
    const unknown = await ca(worker, 'trust', carry('old-next'), '--accept', 'nodes');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /older-file, skipped-stage/);
  });

  test('the old CA is not left behind while the kubelet shows a certificate of it', async (t) => {
    const { worker, carry } = rotated(t);
    await ca(worker, 'trust', carry('old-next'));
    const offline = await ca(worker, 'trust', carry('next-old'), '--offline');
    assert.match(offline.stderr, /^warning: the kubelet's certificate is of the old CA still/m);
    const before = snapshot(worker.directory);
    const { code, stderr } = await ca(worker, 'trust', carry('next'), '--offline');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /kubelet's certificate is of the old CA, which API servers refuse from this stage on/,
    );
    assert.deepEqual(
      fileChanges(before, snapshot(worker.directory)).filter((line) => !line.includes('next.tar')),
      [],
    );
  });

  test("a serving certificate of the old CA is told of, where the kubelet's own is to be asked for", async (t) => {
    const { controlPlane, worker, carry } = rotated(t);
    const kubelet = join(worker.directory, 'var/lib/kubelet');
    mkdirSync(join(kubelet, 'pki'), { recursive: true });
    copyFileSync(
      join(controlPlane.certDir, 'apiserver.crt'),
      join(kubelet, 'pki/kubelet-server-current.pem'),
    );
    const told = /^warning: \S+kubelet-server-current\.pem is of the old CA.*\nhint: .*kubepki csr approve$/m;
    assert.doesNotMatch((await ca(worker, 'trust', carry('old-next'))).stderr, told);
    for (const [isOn, trusted] of [
      [false, 'next-old'],
      [true, 'next-old'],
    ] as const) {
      writeFileSync(
        join(kubelet, 'config.yaml'),
        `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nserverTLSBootstrap: ${String(isOn)}\n`,
      );
      const { code, stderr } = await ca(worker, 'trust', carry(trusted), '--offline');
      assert.equal(code, 0, stderr);
      assert.equal(told.test(stderr), isOn, stderr);
    }
  });

  test('no key of a file is written', async (t) => {
    const { worker, carry } = rotated(t);
    const { code, stderr } = await ca(
      worker,
      'trust',
      carry('old', { sealedKeys: Buffer.alloc(300, 'sealed') }),
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(kept(worker), ['ca.cross.crt', 'ca.next.crt', 'ca.old.crt', 'plan.json']);
  });

  test('another plan, and one of another cluster, are refused', async (t) => {
    const { worker, carry, next } = rotated(t);
    await ca(worker, 'trust', carry('old'));
    const other = await ca(worker, 'trust', carry('old-next', { id: 'fedcba9876543210' }));
    assert.equal(other.code, 1);
    assert.match(other.stderr, /is of another rotation than the one that this node knows of/);
    const stranger = workerOf(t, quickTree(t), [next]);
    const file = carry('old-next');
    copyFileSync(join(worker.directory, file), join(stranger.directory, file));
    const refused = await ca(stranger, 'trust', file);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /is about another CA than \S+ca\.crt holds/);
  });

  test('a file that is neither is refused by what is wrong with it', async (t) => {
    const { worker, carry } = rotated(t);
    const path = join(worker.directory, carry('old'));
    writeFileSync(path, readFileSync(path).subarray(0, 2048));
    const { code, stderr } = await ca(worker, 'trust', '/old.tar');
    assert.equal(code, 1);
    assert.match(stderr, /is cut off/);
  });
});

test('a control plane takes a rotation over by its own commands', async (t) => {
  const { controlPlane, carry } = rotated(t);
  const { code, stderr } = await ca(controlPlane, 'trust', carry('old-next'));
  assert.equal(code, 1);
  assert.match(stderr, /is of a rotation, and this node is a control plane/);
  // As the file is named below the root.
  const { directory } = controlPlane;
  assert.ok(
    stderr.includes(
      `on a control plane: kubepki ca rotate prepare --import /old-next.tar --rootfs ${directory};`,
    ),
    stderr,
  );
});
