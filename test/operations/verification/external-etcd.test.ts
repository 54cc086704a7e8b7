import assert from 'node:assert/strict';
import { copyFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { verification } from '../../../src/operations/verification/verification.ts';
import { judge } from '../../support/judge.ts';
import { makeCa, resign } from '../../support/certificates/resigned.ts';
import { temporaryDirectory, type Tree } from '../../support/tree.ts';
import {
  edit,
  found,
  moveEtcdElsewhere,
  observed,
  verifiedNode,
} from '../../support/planners/verified-node.ts';

interface Elsewhere {
  readonly t: TestContext;
  readonly tree: Tree;
  /** The directory of the CA and of the client's certificate and key. */
  readonly directory: string;
  readonly openssl: string;
}

interface Case {
  readonly name: string;
  readonly breaks?: (node: Elsewhere) => void;
  readonly found: readonly string[];
}

const client = 'apiserver-etcd-client';

const cases: readonly Case[] = [
  { name: 'is well', found: [] },
  {
    name: 'has another key than that of its certificate',
    breaks: ({ tree, directory }) => {
      copyFileSync(join(tree.certDir, 'apiserver.key'), join(directory, 'client.key'));
    },
    found: [`error key-other ${client}`],
  },
  {
    name: 'has no key',
    breaks: ({ directory }) => {
      unlinkSync(join(directory, 'client.key'));
    },
    found: [`error key-missing ${client}`, 'error manifest-files kube-apiserver'],
  },
  {
    name: 'is not there',
    breaks: ({ directory }) => {
      unlinkSync(join(directory, 'client.crt'));
    },
    found: [`error missing ${client}`, 'error manifest-files kube-apiserver'],
  },
  {
    name: 'is no certificate',
    breaks: ({ directory }) => {
      writeFileSync(join(directory, 'client.crt'), 'nothing');
    },
    found: [`error unreadable ${client}`, 'error manifest-files kube-apiserver'],
  },
  {
    // etcd may trust another CA for its clients than the one that its own certificates are from.
    name: 'is of another CA than the file that is named for it',
    breaks: ({ t, directory, openssl }) => {
      const stranger = join(temporaryDirectory(t), 'stranger');
      makeCa(openssl, stranger, 'etcd-ca');
      copyFileSync(`${stranger}.crt`, join(directory, 'ca.crt'));
    },
    found: [`warning foreign ${client}`],
  },
  {
    name: 'has expired',
    breaks: ({ directory, openssl }) => {
      const dates = { start: '20260101000000Z', end: '20261101000000Z' };
      resign(openssl, join(directory, 'client'), { by: join(directory, 'ca'), ...dates });
    },
    found: [`error expired ${client}`],
  },
  {
    name: 'ends soon',
    breaks: ({ directory, openssl }) => {
      const dates = { start: '20260101000000Z', end: '20261211000000Z' };
      resign(openssl, join(directory, 'client'), { by: join(directory, 'ca'), ...dates });
    },
    found: [`warning ends-soon ${client}`],
  },
];

describe('the client certificate of an etcd elsewhere, of which only the manifest tells', () => {
  for (const { name, breaks, found: expected } of cases) {
    test(name, (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const tree = verifiedNode(t);
      const directory = moveEtcdElsewhere(tree);
      breaks?.({ t, tree, directory, openssl });
      assert.deepEqual(found(observed(tree)), expected);
    });
  }

  test('is never said to be renewed by kubepki', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = verifiedNode(t);
    const directory = moveEtcdElsewhere(tree);
    const dates = { start: '20260101000000Z', end: '20261211000000Z' };
    resign(openssl, join(directory, 'client'), { by: join(directory, 'ca'), ...dates });
    const node = observed(tree);
    assert.deepEqual(
      node.subject.inventory.certificates.filter(({ spec }) => spec.name === client),
      [],
    );
    const troubles = verification(node).flatMap((result) => result.troubles);
    assert.deepEqual(
      troubles.map(({ hint }) => hint),
      ['the external etcd has its own CA: have it sign a new one, and put it in place'],
    );
  });

  test('of a CA that cannot be read is not to be signed anew: the CA is to be restored', (t) => {
    const tree = verifiedNode(t);
    writeFileSync(join(moveEtcdElsewhere(tree), 'ca.crt'), 'nothing');
    const troubles = verification(observed(tree)).flatMap((result) => result.troubles);
    assert.deepEqual(
      troubles.map(({ hint }) => hint),
      ['see to its CA first', 'restore the file, or correct the manifest'],
    );
  });

  test("has a name of its own where kubeadm's is there too", (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = verifiedNode(t);
    const directory = moveEtcdElsewhere(tree);
    for (const file of ['crt', 'key'])
      copyFileSync(join(directory, `client.${file}`), join(tree.certDir, `${client}.${file}`));
    const dates = { start: '20260101000000Z', end: '20261101000000Z' };
    resign(openssl, join(directory, 'client'), { by: join(directory, 'ca'), ...dates });
    const said = found(observed(tree));
    assert.ok(said.includes('error expired etcd-client'), said.join());
    assert.ok(!said.includes(`error expired ${client}`), said.join());
    assert.ok(said.includes('warning manifest-other-file kube-apiserver'), said.join());
  });
});

test("kubeadm's own client certificate is looked at once, however the manifest names it", (t) => {
  const tree = verifiedNode(t);
  assert.equal(observed(tree).subject.inventory.etcdClient, undefined);
  edit(tree, 'etc/kubernetes/manifests/kube-apiserver.yaml', (text) =>
    text.replace('/pki/apiserver-etcd-client.crt', '/pki/./etcd/../apiserver-etcd-client.crt'),
  );
  assert.equal(observed(tree).subject.inventory.etcdClient, undefined);
});
