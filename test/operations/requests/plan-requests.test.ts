import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { SanSettings } from '../../../src/operations/names/change-sans.ts';
import type { PlannedRequest, Requestable } from '../../../src/operations/requests/plan-requests.ts';
import { distinguishedName } from '../../../src/pki/der/name.ts';
import { keyDigest } from '../../../src/pki/key/public-key.ts';
import { findExtension } from '../../../src/pki/extension/extension.ts';
import { parseSubjectAltName, subjectAltName } from '../../../src/pki/extension/subject-alt-name.ts';
import { profileOf } from '../../../src/pki/issue/profile.ts';
import { encodePrivateKey, generatePrivateKey, publicKeyOf } from '../../../src/pki/key/private-key.ts';
import { encodeCertificates } from '../../../src/pki/certificate/certificate.ts';
import {
  fixtureNode,
  inDays,
  issueFor,
  keyOf,
  layRequest,
  leafOf,
  pki,
  plannedNode,
  read,
  reissue,
  spareKey,
  stranger,
  withForeign,
} from '../../support/planners/planned-node.ts';
import { planRequest, saidBy, within } from '../../support/planners/planner-settings.ts';
import type { Cleanup, Tree } from '../../support/tree.ts';

const anotherKey = await generatePrivateKey({ type: 'ec', curve: 'P-256' });
// Of a curve that certificates may have, and kubeadm never makes.
const { privateKey: foreignCurve } = generateKeyPairSync('ec', { namedCurve: 'P-521' });

type Status = PlannedRequest['status'];
type Of<S extends Status> = Extract<PlannedRequest, { readonly status: S }>;
type Settings = Parameters<typeof planRequest>[3];

function must<S extends Status>(planned: PlannedRequest, status: S): Of<S> {
  const why = planned.status === 'refused' ? planned.error.oneLine : '';
  assert.equal(planned.status, status, why);
  return planned as Of<S>;
}

/** A node, and a CSR dir of its own. */
function csrNode(t: Cleanup): { readonly tree: Tree; readonly csr: string } {
  const tree = plannedNode(t);
  const csr = join(tree.directory, 'csr');
  mkdirSync(csr);
  return { tree, csr };
}

function ask(tree: Tree, directory: string, name: string, settings?: Settings): PlannedRequest {
  return planRequest(read(tree), directory, name, settings);
}

function requestableOf(planned: PlannedRequest): Requestable {
  return must(planned, 'requestable').requestable;
}

function refusal(tree: Tree, directory: string, name: string, settings?: Settings): string {
  const inventory = read(tree);
  return saidBy(must(planRequest(inventory, directory, name, settings), 'refused').error, inventory);
}

function sans(...names: readonly string[]): { readonly sans: SanSettings } {
  const missing = { status: 'missing' } as const;
  const pods = {
    ...{ etcd: missing, 'kube-apiserver': missing },
    ...{ 'kube-controller-manager': missing, 'kube-scheduler': missing },
  };
  return {
    sans: {
      wish: {
        kind: 'edit',
        add: { dnsNames: names, ipAddresses: [] },
        remove: { dnsNames: [], ipAddresses: [] },
      },
      sources: { kubeconfigs: [], pods },
      force: false,
    },
  };
}

const nowhere = '/nowhere/csr';

describe('a new request', () => {
  test('asks for what the certificate in use says, with a key of its kind, under flat names', () => {
    for (const name of ['apiserver', 'etcd-peer', 'admin.conf', 'front-proxy-client']) {
      const made = requestableOf(ask(fixtureNode, nowhere, name));
      const leaf = leafOf(fixtureNode, name);
      assert.ok(made.subject.equals(leaf.subject));
      assert.deepEqual(made.subjectAltName?.der, findExtension(leaf.extensions, 'subjectAltName')?.der);
      assert.deepEqual(made.keyAlgorithm, { type: 'ec', curve: 'P-256' });
      assert.deepEqual([made.warnings, made.stale, made.sans, made.nameless], [[], [], undefined, false]);
      const { request, key, certificatePath, besideKeyInUse } = made.files;
      assert.deepEqual(
        [request.path, key.path, certificatePath, besideKeyInUse],
        [`${nowhere}/${name}.csr`, `${nowhere}/${name}.key`, `${nowhere}/${name}.crt`, false],
      );
    }
  });

  test('in the cert dir it goes beside the key in use, never over it', () => {
    const place = (name: string): unknown => {
      const { files } = requestableOf(ask(fixtureNode, fixtureNode.certDir, name));
      const short = (path: string): string => path.slice(fixtureNode.certDir.length + 1);
      return [short(files.key.path), short(files.certificatePath), files.besideKeyInUse];
    };
    assert.deepEqual(place('apiserver'), ['apiserver.key.new', 'apiserver.crt.new', true]);
    // Their keys are in etcd/, and in the kubeconfig.
    assert.deepEqual(place('etcd-peer'), ['etcd-peer.key', 'etcd-peer.crt', false]);
    assert.deepEqual(place('admin.conf'), ['admin.conf.key', 'admin.conf.crt', false]);
  });

  test('also where the key in use is gone, or damaged: its place is not for a key that waits', (t) => {
    const tree = plannedNode(t);
    for (const breakIt of [
      (): void => {
        writeFileSync(pki(tree, 'apiserver.key'), 'garbage\n');
      },
      (): void => {
        rmSync(pki(tree, 'apiserver.key'));
      },
    ]) {
      breakIt();
      const { files } = requestableOf(ask(tree, tree.certDir, 'apiserver'));
      assert.equal(files.key.path, pki(tree, 'apiserver.key.new'));
    }
  });

  test('a key in use that was copied into the CSR dir stays as well', (t) => {
    const { tree, csr } = csrNode(t);
    copyFileSync(pki(tree, 'apiserver.key'), join(csr, 'apiserver.key'));
    const { files } = requestableOf(ask(tree, csr, 'apiserver'));
    assert.deepEqual([files.key.path, files.besideKeyInUse], [join(csr, 'apiserver.key.new'), true]);
  });

  test('a CSR of the key in use, as kubeadm leaves it, asks for nothing any more', (t) => {
    const { tree, csr } = csrNode(t);
    for (const directory of [tree.certDir, csr]) {
      layRequest(tree, directory, 'apiserver', { key: keyOf(tree, 'apiserver'), keyFile: false });
      const { stale } = requestableOf(ask(tree, directory, 'apiserver'));
      assert.deepEqual(stale, []);
    }
  });

  test('with other SANs asks for those', () => {
    const made = requestableOf(ask(fixtureNode, nowhere, 'apiserver', sans('new.example.com')));
    const before = parseSubjectAltName(
      findExtension(leafOf(fixtureNode, 'apiserver').extensions, 'subjectAltName'),
    );
    const after = parseSubjectAltName(made.subjectAltName);
    assert.deepEqual(
      after.filter((name) => !before.includes(name)),
      ['DNS:new.example.com'],
    );
    assert.deepEqual(made.sans?.edit?.added, ['DNS:new.example.com']);
  });

  test('says that a server would have no name', (t) => {
    const { tree, csr } = csrNode(t);
    const { extensions } = profileOf(leafOf(tree, 'etcd-peer'));
    const names = findExtension(extensions, 'subjectAltName');
    reissue(tree, 'etcd-peer', { profile: { extensions: extensions.filter((one) => one !== names) } });
    assert.equal(requestableOf(ask(tree, csr, 'etcd-peer')).nameless, true);
    const named = ask(tree, csr, 'etcd-peer', sans('peer.example.com'));
    assert.equal(requestableOf(named).nameless, false);
  });

  test('keeps a holder that no kubeadm has given it, and says so; the key is the configuration’s kind', (t) => {
    const { tree, csr } = csrNode(t);
    reissue(tree, 'admin.conf', { profile: { subject: distinguishedName(['ops'], 'jane') } });
    const encryptionAlgorithm = { name: 'ECDSA-P384', from: 'cluster' } as const;
    const { subject, warnings, keyAlgorithm } = requestableOf(
      ask(tree, csr, 'admin.conf', { encryptionAlgorithm }),
    );
    assert.ok(subject.equals(distinguishedName(['ops'], 'jane')));
    assert.deepEqual(keyAlgorithm, { type: 'ec', curve: 'P-384' });
    assert.match(warnings.join('\n'), /admin\.conf: is made out to CN=jane, O=ops, where kubeadm has /);
  });
});

describe('no request', () => {
  test('for what is missing; what cannot be read is refused', (t) => {
    const { tree, csr } = csrNode(t);
    must(ask(tree, csr, 'super-admin.conf'), 'missing');
    writeFileSync(pki(tree, 'apiserver.crt'), 'garbage\n');
    assert.equal(
      refusal(tree, csr, 'apiserver'),
      'bad-pem: /etc/kubernetes/pki/apiserver.crt: is not PEM: no certificate found',
    );
  });

  test('for what is not due, or is wrong otherwise; the CA need not even be there', (t) => {
    const { tree, csr } = csrNode(t);
    rmSync(pki(tree, 'etcd/ca.key'));
    copyFileSync(pki(tree, 'etcd/peer.key'), pki(tree, 'etcd/server.key'));
    reissue(tree, 'apiserver', { until: inDays(10) });
    must(ask(tree, csr, 'etcd-peer', within(30)), 'not-due');
    must(ask(tree, csr, 'etcd-server', within(30)), 'unsound');
    requestableOf(ask(tree, csr, 'etcd-server', { ...within(30), insisted: true }));
    requestableOf(ask(tree, csr, 'apiserver', within(30)));
    requestableOf(ask(tree, csr, 'etcd-peer'));
  });

  test('for SANs that are there already, where none waits', (t) => {
    const { tree, csr } = csrNode(t);
    const { sans: change } = must(ask(tree, csr, 'apiserver', sans('kubernetes')), 'same-sans');
    assert.deepEqual(change.alreadyThere, ['DNS:kubernetes']);
    requestableOf(ask(tree, csr, 'apiserver', { ...sans('kubernetes'), ...within(365) }));
  });

  test('for a kind of key that kubeadm cannot make', (t) => {
    const { tree, csr } = csrNode(t);
    writeFileSync(
      pki(tree, 'apiserver.crt'),
      encodeCertificates([issueFor(tree, 'apiserver', { key: foreignCurve })]),
    );
    assert.match(
      refusal(tree, csr, 'apiserver'),
      /^unsupported-key: .*\/apiserver\.crt: has a key of the kind /,
    );
  });

  test('for another user’s file, unless it is the CA’s, kubeadm’s name, and the key is there', (t) => {
    const { tree, csr } = csrNode(t);
    requestableOf(planRequest(withForeign(read(tree), 'apiserver'), csr, 'apiserver'));
    reissue(tree, 'apiserver', { by: stranger('kubernetes') });
    const { error } = must(
      planRequest(withForeign(read(tree), 'apiserver'), csr, 'apiserver', { insisted: true }),
      'refused',
    );
    assert.equal(error.code, 'no-permission');
  });

  test('of another CA’s certificate is for a person to sign, not for the cluster', (t) => {
    const { tree, csr } = csrNode(t);
    reissue(tree, 'apiserver', { by: stranger('kubernetes') });
    reissue(tree, 'front-proxy-client', {
      by: stranger('front-proxy-ca'),
      profile: { subject: distinguishedName(['system:masters'], 'somebody') },
    });
    requestableOf(ask(tree, csr, 'apiserver'));
    const cluster = { signer: 'cluster' } as const;
    assert.match(refusal(tree, csr, 'apiserver', cluster), /^foreign-issuer: .*is not signed by the CA of /);
    const insisted = { ...cluster, insisted: true };
    requestableOf(ask(tree, csr, 'apiserver', insisted));
    const { subject } = requestableOf(ask(tree, csr, 'front-proxy-client', insisted));
    assert.ok(subject.equals(distinguishedName([], 'front-proxy-client')));
  });
});

describe('a request that waits', () => {
  test('with its key is kept, and said where it is', (t) => {
    const { tree, csr } = csrNode(t);
    layRequest(tree, csr, 'apiserver');
    const { files } = must(ask(tree, csr, 'apiserver'), 'pending');
    assert.deepEqual(
      [files.request.path, files.key.path, files.certificatePath],
      ['csr', 'key', 'crt'].map((suffix) => join(csr, `apiserver.${suffix}`)),
    );
    layRequest(tree, tree.certDir, 'apiserver', { beside: true });
    const beside = must(ask(tree, tree.certDir, 'apiserver'), 'pending').files;
    assert.deepEqual(
      [beside.key.path, beside.certificatePath, beside.besideKeyInUse],
      [pki(tree, 'apiserver.key.new'), pki(tree, 'apiserver.crt.new'), true],
    );
  });

  test('must ask for the SANs that are asked for now', (t) => {
    const { tree, csr } = csrNode(t);
    layRequest(tree, csr, 'apiserver');
    // The certificate has them, and so has the request.
    must(ask(tree, csr, 'apiserver', sans('kubernetes')), 'pending');
    const inventory = read(tree);
    const { error } = must(planRequest(inventory, csr, 'apiserver', sans('new.example.com')), 'refused');
    assert.equal(
      saidBy(error, inventory),
      'conflict: /csr/apiserver.csr: waits already, and asks for other SANs: not for DNS:new.example.com',
    );
    assert.equal(error.hint, 'move it away, or replace it (a backup is kept): --force');
    requestableOf(ask(tree, csr, 'apiserver', { ...sans('new.example.com'), force: true }));
    const more = subjectAltName(['kubernetes', 'more.example.com'], []);
    assert.ok(more);
    layRequest(tree, csr, 'apiserver', { subjectAltName: more });
    assert.match(
      refusal(tree, csr, 'apiserver', sans('kubernetes')),
      /asks for other SANs: not for DNS:control-plane-1, .*; also for DNS:more\.example\.com$/,
    );
    must(ask(tree, csr, 'apiserver'), 'pending');
  });

  test('counts only where its key is known to be ours, if another user decides what lies there', (t) => {
    const { tree, csr } = csrNode(t);
    layRequest(tree, csr, 'apiserver');
    const isInReach = true;
    assert.match(
      refusal(tree, csr, 'apiserver', { isInReach }),
      /^no-permission: \/csr\/apiserver\.key: is where another user decides which file has this name/,
    );
    const requestedKeys = [{ name: 'apiserver', digest: keyDigest(publicKeyOf(spareKey)) }];
    must(ask(tree, csr, 'apiserver', { isInReach, requestedKeys }), 'pending');
    requestableOf(ask(tree, csr, 'apiserver', { isInReach, force: true }));
  });

  const broken: readonly (readonly [string, (tree: Tree, csr: string) => void, string])[] = [
    [
      'without its key',
      (_, csr) => {
        rmSync(join(csr, 'apiserver.key'));
      },
      '/csr/apiserver.csr: is there, but not the key it was made with',
    ],
    [
      'of which only the key is there',
      (_, csr) => {
        rmSync(join(csr, 'apiserver.csr'));
      },
      '/csr/apiserver.key: is there, but no request that was made with it',
    ],
    [
      'that was made with another key',
      (tree, csr) => {
        layRequest(tree, csr, 'apiserver', { key: anotherKey, keyFile: false });
      },
      '/csr/apiserver.csr: was not made with the key /csr/apiserver.key',
    ],
    [
      'that cannot be read',
      (_, csr) => {
        writeFileSync(join(csr, 'apiserver.csr'), 'garbage\n');
      },
      '/csr/apiserver.csr: is not PEM: no certificate request found',
    ],
    [
      'whose key cannot be read',
      (_, csr) => {
        writeFileSync(join(csr, 'apiserver.key'), 'needed elsewhere\n');
      },
      '/csr/apiserver.key: is not PEM: no private key found',
    ],
  ];
  for (const [what, breakIt, message] of broken) {
    test(`${what} is refused, and replaced by --force`, (t) => {
      const { tree, csr } = csrNode(t);
      layRequest(tree, csr, 'apiserver');
      breakIt(tree, csr);
      const inventory = read(tree);
      const { error } = must(planRequest(inventory, csr, 'apiserver'), 'refused');
      assert.equal(saidBy(error, inventory), `conflict: ${message}`);
      assert.equal(error.hint, 'move it away, or replace it (a backup is kept): --force');
      requestableOf(ask(tree, csr, 'apiserver', { force: true }));
    });
  }
});

describe('--force', () => {
  test('takes along what was signed for the request that it replaces, and nothing else', (t) => {
    const { tree, csr } = csrNode(t);
    layRequest(tree, csr, 'apiserver');
    const signed = encodeCertificates([issueFor(tree, 'apiserver', { key: spareKey })]);
    const other = encodeCertificates([issueFor(tree, 'apiserver', { key: anotherKey })]);
    const stale = (): string[] =>
      requestableOf(ask(tree, csr, 'apiserver', { force: true })).stale.map(({ path }) => path);
    writeFileSync(join(csr, 'apiserver.crt'), signed);
    writeFileSync(join(csr, 'apiserver.pem'), signed);
    assert.deepEqual(stale(), [join(csr, 'apiserver.crt'), join(csr, 'apiserver.pem')]);
    writeFileSync(join(csr, 'apiserver.crt'), other);
    rmSync(join(csr, 'apiserver.pem'));
    assert.deepEqual(stale(), []);
    writeFileSync(join(csr, 'apiserver.crt'), encodeCertificates([leafOf(tree, 'apiserver')]));
    assert.deepEqual(stale(), []);
    // Nor the pair in use, copied there, with a CSR of it.
    copyFileSync(join(csr, 'apiserver.crt'), join(csr, 'apiserver.pem'));
    layRequest(tree, csr, 'apiserver', { key: keyOf(tree, 'apiserver') });
    assert.deepEqual(stale(), []);
  });

  for (const target of ['pki/ca.crt', 'pki/sa.key', 'admin.conf', 'pki/apiserver.crt', 'pki/etcd/peer.key']) {
    test(`does not write through a link to ${target}`, (t) => {
      const { tree, csr } = csrNode(t);
      symlinkSync(join('../etc/kubernetes', target), join(csr, 'apiserver.csr'));
      assert.match(
        refusal(tree, csr, 'apiserver', { force: true }),
        /^conflict: \/csr\/apiserver\.csr: .*never replaced$/,
      );
    });
  }

  test('nor over a key in use that a link leads to: its own goes beside it', (t) => {
    const { tree, csr } = csrNode(t);
    symlinkSync('../etc/kubernetes/pki/etcd/peer.key', join(csr, 'apiserver.key'));
    const { files } = requestableOf(ask(tree, csr, 'apiserver', { force: true }));
    assert.equal(files.key.path, join(csr, 'apiserver.key.new'));
    writeFileSync(join(csr, 'apiserver.key.new'), encodePrivateKey(spareKey));
    assert.match(
      refusal(tree, csr, 'apiserver'),
      /^conflict: \/csr\/apiserver\.key\.new: is there, but no request/,
    );
  });
});
