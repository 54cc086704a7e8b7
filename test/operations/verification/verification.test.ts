import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { KubepkiError } from '../../../src/errors/error.ts';
import { FileSystemRoot } from '../../../src/filesystem/root.ts';
import { checks } from '../../../src/operations/verification/checks.ts';
import type { Observed } from '../../../src/operations/verification/observed.ts';
import {
  nodeVerification,
  troublesOf,
  verification,
} from '../../../src/operations/verification/verification.ts';
import { judge } from '../../support/judge.ts';
import { makeCa, resign } from '../../support/certificates/resigned.ts';
import { temporaryDirectory, type Tree } from '../../support/tree.ts';
import { verifiedCluster } from '../../support/planners/verified-cluster.ts';
import { edit, found, observed, put, verifiedNode } from '../../support/planners/verified-node.ts';

const later = { start: '20260101000000Z', end: '20271101000000Z' };

interface Breaking {
  readonly t: TestContext;
  readonly tree: Tree;
  readonly openssl: string;
  /** Path of a file below `etc/kubernetes/pki`. */
  readonly pki: (name: string) => string;
  /** A CA that nothing knows, without extension. */
  readonly stranger: () => string;
}

interface Case {
  readonly name: string;
  readonly breaks: (node: Breaking) => void;
  readonly found: readonly string[];
  readonly at?: string;
}

const kubelet = 'var/lib/kubelet';
const manifests = 'etc/kubernetes/manifests';

/** What an operator, another program or time does to a node, and what is to be said of it. */
const cases: readonly Case[] = [
  {
    name: 'sa.pub of another cluster',
    breaks: ({ tree, openssl }) => {
      put(tree, 'etc/kubernetes/pki/sa.pub', newPublicKey(openssl));
    },
    found: [
      'error service-account sa',
      'error token-keys kube-apiserver',
      'error token-keys kube-controller-manager',
    ],
  },
  {
    name: 'no service-account key',
    breaks: ({ pki }) => {
      unlinkSync(pki('sa.key'));
    },
    found: [
      'error service-account sa',
      'error manifest-files kube-apiserver',
      'error manifest-files kube-controller-manager',
    ],
  },
  {
    name: 'the API server is called by a name that its certificate does not have',
    breaks: ({ tree }) => {
      edit(tree, 'etc/kubernetes/admin.conf', (text) =>
        text.replace('192.0.2.10:6443', 'lb.example.com:6443'),
      );
    },
    found: ['error server-names apiserver'],
  },
  {
    name: 'another address is advertised',
    breaks: ({ tree }) => {
      edit(tree, `${manifests}/kube-apiserver.yaml`, (text) =>
        text.replace('--advertise-address=192.0.2.10', '--advertise-address=192.0.2.99'),
      );
    },
    found: ['error server-names apiserver'],
  },
  {
    name: 'another range of services',
    breaks: ({ tree }) => {
      edit(tree, `${manifests}/kube-apiserver.yaml`, (text) =>
        text.replace('10.96.0.0/12', '10.100.0.0/16,fd00::/112'),
      );
    },
    found: ['error server-names apiserver'],
  },
  {
    name: 'etcd tells its clients another address',
    breaks: ({ tree }) => {
      edit(tree, `${manifests}/etcd.yaml`, (text) =>
        text.replace(
          '--advertise-client-urls=https://192.0.2.10',
          '--advertise-client-urls=https://192.0.2.77',
        ),
      );
    },
    found: ['error server-names etcd-server'],
  },
  {
    name: 'the PKI of another node',
    breaks: ({ tree }) => {
      for (const name of ['kube-apiserver', 'etcd']) {
        edit(tree, `${manifests}/${name}.yaml`, (text) =>
          text.replaceAll('192.0.2.10', '192.0.2.20').replaceAll('cp-1', 'cp-3'),
        );
      }
    },
    found: [
      'error server-names apiserver',
      'error server-names etcd-peer',
      'error server-names etcd-server',
      'error other-node apiserver',
      'error other-node etcd-peer',
      'error other-node etcd-server',
    ],
  },
  {
    name: 'a kubeconfig that trusts another CA',
    breaks: ({ tree, stranger }) => {
      replaceAuthorities(tree, 'scheduler.conf', readFileSync(`${stranger()}.crt`));
    },
    found: ['error kubeconfig-ca scheduler.conf'],
  },
  {
    name: 'an expired CA beside the right one in a kubeconfig',
    breaks: ({ tree, openssl, pki, t }) => {
      const old = join(temporaryDirectory(t), 'old');
      makeOldCa(openssl, old, 'kubernetes', { start: '20160101000000Z', end: '20260101000000Z' });
      replaceAuthorities(
        tree,
        'admin.conf',
        Buffer.concat([readFileSync(`${old}.crt`), readFileSync(pki('ca.crt'))]),
      );
    },
    found: ['warning kubeconfig-old-ca admin.conf'],
  },
  {
    name: "the scheduler's kubeconfig in the place of the controller manager's",
    breaks: ({ tree }) => {
      copyFileSync(
        join(tree.kubeconfigDir, 'scheduler.conf'),
        join(tree.kubeconfigDir, 'controller-manager.conf'),
      );
    },
    found: ['error kubeconfig-user controller-manager.conf'],
  },
  {
    name: 'a manifest that is no YAML',
    breaks: ({ tree }) => {
      put(tree, `${manifests}/kube-scheduler.yaml`, '{');
    },
    found: ['error manifest kube-scheduler'],
  },
  {
    name: 'a manifest names a file that is not there',
    breaks: ({ tree }) => {
      edit(tree, `${manifests}/etcd.yaml`, (text) =>
        text.replace(
          '--peer-trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt',
          '--peer-trusted-ca-file=/etc/kubernetes/pki/etcd/peer-ca.crt',
        ),
      );
    },
    found: ['error manifest-files etcd'],
  },
  {
    name: 'a manifest names a file that is not mounted',
    breaks: ({ tree }) => {
      edit(tree, `${manifests}/kube-apiserver.yaml`, (text) =>
        text.replace(
          '--tls-cert-file=/etc/kubernetes/pki/apiserver.crt',
          '--tls-cert-file=/srv/apiserver.crt',
        ),
      );
    },
    found: ['error manifest-files kube-apiserver'],
  },
  {
    name: 'a component that uses a copy',
    breaks: ({ tree, pki }) => {
      copyFileSync(pki('apiserver.crt'), pki('public.crt'));
      edit(tree, `${manifests}/kube-apiserver.yaml`, (text) =>
        text.replace(
          '--tls-cert-file=/etc/kubernetes/pki/apiserver.crt',
          '--tls-cert-file=/etc/kubernetes/pki/public.crt',
        ),
      );
    },
    found: ['warning manifest-other-file kube-apiserver'],
  },
  {
    name: 'a component that may not read its key',
    breaks: ({ tree }) => {
      edit(tree, `${manifests}/kube-scheduler.yaml`, (text) =>
        text.replace(
          '  hostNetwork: true',
          '  hostNetwork: true\n  securityContext: {runAsUser: 4242, runAsGroup: 4242}',
        ),
      );
    },
    found: [
      'error manifest-access kube-scheduler',
      'error manifest-access kube-scheduler',
      'error manifest-access kube-scheduler',
    ],
  },
  {
    name: 'a component that trusts another CA',
    breaks: ({ tree, pki, stranger }) => {
      copyFileSync(`${stranger()}.crt`, pki('clients.crt'));
      edit(tree, `${manifests}/kube-apiserver.yaml`, (text) =>
        text.replace(
          '--client-ca-file=/etc/kubernetes/pki/ca.crt',
          '--client-ca-file=/etc/kubernetes/pki/clients.crt',
        ),
      );
    },
    found: ['error manifest-trust kube-apiserver'],
  },
  {
    name: 'a bundle as the CA that signs',
    breaks: ({ pki, stranger }) => {
      appendFileSync(pki('ca.crt'), readFileSync(`${stranger()}.crt`));
    },
    found: ['error cluster-signing kube-controller-manager'],
  },
  {
    name: 'another key than that of the CA that signs',
    breaks: ({ tree, pki, stranger }) => {
      copyFileSync(`${stranger()}.key`, pki('signing.key'));
      edit(tree, `${manifests}/kube-controller-manager.yaml`, (text) =>
        text.replace(
          '--cluster-signing-key-file=/etc/kubernetes/pki/ca.key',
          '--cluster-signing-key-file=/etc/kubernetes/pki/signing.key',
        ),
      );
    },
    found: ['error cluster-signing kube-controller-manager'],
  },
  {
    name: 'kubelet.conf holds an expired certificate, and what it has rotated to is well',
    breaks: ({ tree, openssl, pki, t }) => {
      embedKubelet(tree, openssl, t, pki('ca'), { start: '20250101000000Z', end: '20251101000000Z' });
    },
    found: ['error kubelet-kubeconfig kubelet.conf'],
  },
  {
    name: "the kubelet's certificate has gone",
    breaks: ({ tree }) => {
      rmSync(join(tree.directory, kubelet, 'pki'), { recursive: true });
    },
    found: ['error kubelet-kubeconfig kubelet.conf'],
  },
  {
    name: "the kubelet's certificate has gone, and it may ask for another",
    breaks: ({ tree }) => {
      rmSync(join(tree.directory, kubelet, 'pki'), { recursive: true });
      put(tree, 'etc/kubernetes/bootstrap-kubelet.conf', 'apiVersion: v1\n');
    },
    found: ['warning kubelet-kubeconfig kubelet.conf'],
  },
  {
    name: "the kubelet's certificate is no link",
    breaks: ({ tree }) => {
      const pki = join(tree.directory, kubelet, 'pki');
      const [file = ''] = readdirSync(pki).filter((name) => name.startsWith('kubelet-client-2'));
      unlinkSync(join(pki, 'kubelet-client-current.pem'));
      renameSync(join(pki, file), join(pki, 'kubelet-client-current.pem'));
    },
    found: ['warning kubelet-client kubelet'],
  },
  {
    name: 'rotation is off',
    breaks: ({ tree }) => {
      edit(tree, `${kubelet}/config.yaml`, (text) =>
        text.replace('rotateCertificates: true', 'rotateCertificates: false'),
      );
    },
    found: ['warning kubelet-client kubelet'],
  },
  {
    name: 'the kubelet judges its callers by another CA',
    breaks: ({ tree, stranger }) => {
      put(tree, 'etc/kubernetes/other-ca.crt', readFileSync(`${stranger()}.crt`, 'utf8'));
      edit(tree, `${kubelet}/config.yaml`, (text) => text.replace('/pki/ca.crt', '/other-ca.crt'));
    },
    found: ['error kubelet-client-ca kubelet'],
  },
  {
    name: 'the kubelet serves an expired certificate',
    breaks: ({ tree, openssl, t }) => {
      const own = join(temporaryDirectory(t), 'own');
      makeOldCa(openssl, own, 'cp-1-ca@1', { start: '20240101000000Z', end: '20250101000000Z' });
      put(tree, `${kubelet}/pki/kubelet.crt`, readFileSync(`${own}.crt`, 'utf8'));
    },
    found: ['warning kubelet-serving kubelet'],
  },
  {
    name: 'the kubelet asks the cluster for its serving certificate, and has its own',
    breaks: ({ tree, stranger }) => {
      put(tree, `${kubelet}/pki/kubelet.crt`, readFileSync(`${stranger()}.crt`, 'utf8'));
      edit(tree, `${kubelet}/config.yaml`, (text) => `${text}serverTLSBootstrap: true\n`);
    },
    found: ['error kubelet-serving kubelet'],
  },
  {
    name: 'an old copy of admin.conf in the home of root',
    breaks: ({ tree, openssl, pki, t }) => {
      const conf = readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8');
      put(
        tree,
        'root/.kube/config',
        withCertificate(conf, openssl, t, pki('ca'), { start: '20250101000000Z', end: '20261130000000Z' }),
      );
    },
    found: ['error admin-copy root/.kube/config'],
  },
  {
    name: 'a weak key',
    breaks: ({ openssl, pki }) => {
      const key = execFileSync(openssl, ['genrsa', '1024'], { stdio: ['ignore', 'pipe', 'ignore'] });
      writeFileSync(pki('front-proxy-client.key'), key);
      resign(openssl, pki('front-proxy-client'), { by: pki('front-proxy-ca'), ...later });
    },
    found: ['warning weak-key front-proxy-client'],
  },
  {
    name: 'a certificate that ends soon',
    breaks: () => undefined,
    at: '2027-11-12T00:00:00Z',
    found: [
      'admin.conf',
      'apiserver',
      'apiserver-etcd-client',
      'apiserver-kubelet-client',
      'controller-manager.conf',
      'etcd-healthcheck-client',
      'etcd-peer',
      'etcd-server',
      'front-proxy-client',
      'scheduler.conf',
      'super-admin.conf',
    ]
      .map((name) => `warning ends-soon ${name}`)
      .concat('warning kubelet-client kubelet'),
  },
  {
    name: 'a CA that ends within two years',
    breaks: ({ openssl, pki }) => {
      resign(openssl, pki('front-proxy-ca'), {
        by: pki('front-proxy-ca'),
        ...{ start: '20200101000000Z', end: '20280101000000Z' },
        extensions: caExtensions,
      });
    },
    found: ['warning ca-ends front-proxy-ca'],
  },
];

describe('a node that is as kubeadm makes it', () => {
  test('is well, and nothing is said of it', (t) => {
    const node = observed(verifiedNode(t));
    assert.deepEqual(found(node), []);
    const results = verification(node);
    assert.equal(nodeVerification('', { results, rows: [] }).verdict, 'well');
    const silent = results.filter(({ status }) => status === 'none').map(({ id }) => id);
    // Nothing of these is there.
    assert.deepEqual(silent, ['manifest-access', 'kubelet-serving', 'admin-copy', 'modes', 'rotation']);
  });

  test('is well for one who may see no key', (t) => {
    assert.deepEqual(found(observed(verifiedNode(t), { certsOnly: true })), []);
  });
});

describe("a person's kubeconfig that the command line names", () => {
  test('is well where it can be read, whose ever it is', (t) => {
    const tree = verifiedNode(t);
    assert.deepEqual(found(observed(tree, { kubeconfigs: ['/etc/kubernetes/admin.conf'] })), []);
  });

  test('is wrong where it is not there or cannot be read; one in a home may be anything', (t) => {
    const tree = verifiedNode(t);
    put(tree, 'srv/ci.conf', 'nothing');
    put(tree, 'root/.kube/config', 'nothing');
    const said = found(observed(tree, { kubeconfigs: ['/srv/ci.conf', '/srv/gone.conf'] }));
    assert.deepEqual(
      said.map((one) => one.replace(tree.directory, '')),
      ['error admin-copy /srv/ci.conf', 'error admin-copy /srv/gone.conf'],
    );
  });

  test('is wrong where its certificate is not there or has expired, which is said once', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = verifiedNode(t);
    const stranger = join(temporaryDirectory(t), 'stranger');
    makeCa(openssl, stranger, 'another cluster');
    const admin = readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8');
    const past = { start: '20250101000000Z', end: '20261130000000Z' };
    put(
      tree,
      'srv/ci.conf',
      admin.replace(/client-certificate-data: \S+/, 'client-certificate: /srv/gone.pem'),
    );
    put(tree, 'srv/elsewhere.conf', withCertificate(admin, openssl, t, stranger, past));
    put(tree, 'srv/copy.conf', withCertificate(admin, openssl, t, join(tree.certDir, 'ca'), past));
    const kubeconfigs = ['/srv/ci.conf', '/srv/elsewhere.conf', '/srv/copy.conf'];
    const said = troublesOf(verification(observed(tree, { kubeconfigs })));
    assert.deepEqual(
      said.map(({ grade, name, message }) => `${grade} ${name.replace(tree.directory, '')} ${message}`),
      [
        'error /srv/copy.conf is an older copy of admin.conf, whose certificate expired on 2026-11-30T00:00:00Z',
        'error /srv/ci.conf names /srv/gone.pem, which is not there',
        'error /srv/elsewhere.conf holds a certificate that expired on 2026-11-30T00:00:00Z',
      ],
    );
  });
});

test('what a manifest names and the inventory has is the same, and is not read again', (t) => {
  const { manifestFiles, subject } = observed(verifiedNode(t));
  const [used] = manifestFiles.filter(
    ({ flag, component }) => component === 'kube-apiserver' && flag === 'tls-cert-file',
  );
  const kept = subject.inventory.certificates.find(({ spec }) => spec.name === 'apiserver')?.state;
  assert.ok(used?.content.status === 'present' && used.content.value.kind === 'certificates');
  assert.ok(kept?.status === 'present');
  assert.equal(used.content.value.chain, kept.value.chain);
});

test("what is unreadable of the kubelet's has a next step, which takes it out of the way", (t) => {
  const tree = verifiedNode(t);
  put(tree, `${kubelet}/pki/kubelet-client-2026-11-28-20-50-00.pem`, 'nothing');
  put(tree, `${kubelet}/pki/kubelet.crt`, 'nothing');
  const said = troublesOf(verification(observed(tree)));
  const client = `${tree.directory}/${kubelet}/pki/kubelet-client-current.pem`;
  const madeAnew = `move ${client} and ${tree.kubeconfigDir}/kubelet.conf away; kubepki certs generate kubelet.conf --rootfs /node; systemctl restart kubelet`;
  assert.deepEqual(
    said.map(({ hint }) => hint),
    [
      madeAnew,
      madeAnew,
      'the kubelet makes another when it starts and the file is not there: move it away with its key, and restart the kubelet',
    ],
  );
});

describe('what an earlier run has left', () => {
  const file = '/etc/kubernetes/pki/.kubepki';

  test('is told by how bad it is', (t) => {
    const kinds = ['requests', 'hook', 'restart', 'manifest-away', 'unfinished-change'] as const;
    const waiting = kinds.map((kind) => ({ kind, file, command: 'kubepki certs recover' }));
    assert.deepEqual(found({ ...observed(verifiedNode(t)), waiting }), [
      'error waiting kubepki',
      'error waiting kubepki',
      'warning waiting kubepki',
      'warning waiting kubepki',
      'note waiting kubepki',
    ]);
  });

  test('is not known while another run is at work', (t) => {
    const waiting = [{ kind: 'busy', file }] as const;
    assert.deepEqual(found({ ...observed(verifiedNode(t)), waiting }), ['unchecked waiting kubepki']);
  });

  test('is not known where it may not be read', (t) => {
    const error = new KubepkiError('no-permission', 'permission denied', { file });
    const waiting = [{ kind: 'unreadable', file, error }] as const;
    assert.deepEqual(found({ ...observed(verifiedNode(t)), waiting }), ['unchecked waiting kubepki']);
  });
});

describe('who may read keys', () => {
  /** As if the files were this machine's own. */
  const own = (tree: Tree, cis: boolean): Observed => {
    const node = observed(tree, { cis });
    const { subject } = node;
    const root = FileSystemRoot.open(undefined, '/');
    const layout = { ...subject.inventory.layout, root };
    return { ...node, subject: { ...subject, inventory: { ...subject.inventory, layout } } };
  };

  test('is right on a node as kubeadm leaves it', (t) => {
    assert.deepEqual(found(own(verifiedNode(t), false)), []);
  });

  test('is wrong where it is every user', (t) => {
    const tree = verifiedNode(t);
    chmodSync(join(tree.certDir, 'sa.key'), 0o604);
    chmodSync(join(tree.kubeconfigDir, 'admin.conf'), 0o644);
    assert.deepEqual(found(own(tree, false)), ['error modes sa.key', 'error modes admin.conf']);
  });

  test('is judged as the benchmark does where that is asked for', (t) => {
    const tree = verifiedNode(t);
    chmodSync(join(tree.certDir, 'etcd/peer.key'), 0o640);
    chmodSync(join(tree.certDir, 'ca.crt'), 0o664);
    chmodSync(join(tree.kubeconfigDir, 'kubelet.conf'), 0o640);
    const { guarded } = observed(tree, { cis: true });
    const owned = guarded.map((file) => ({ ...file, uid: 0, gid: file.path.endsWith('sa.pub') ? 7 : 0 }));
    const said = found({ ...observed(tree, { cis: true }), guarded: owned });
    assert.deepEqual(said, [
      'warning cis ca.crt',
      'warning cis sa.pub',
      'warning cis peer.key',
      'warning cis kubelet.conf',
      'warning cis ca.crt',
    ]);
  });
});

describe('each thing that is wrong is found, and no other is', () => {
  for (const { name, breaks, found: expected, at } of cases) {
    test(name, (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const tree = verifiedNode(t);
      breaks({
        t,
        tree,
        openssl,
        pki: (file) => join(tree.certDir, file),
        stranger: () => {
          const path = join(temporaryDirectory(t), 'stranger');
          makeCa(openssl, path, 'kubernetes');
          return path;
        },
      });
      const node = observed(tree, at === undefined ? {} : { at: new Date(at) });
      const said = found(node);
      const dead = troublesOf(verification(node)).filter(({ hint }) => hint === undefined);
      assert.deepEqual(dead, [], 'each has a next step');
      assert.deepEqual(
        said.map((one) => one.replace(`${tree.directory}/`, '')),
        expected,
      );
    });
  }

  test('what a flag asks for is not said to be well without it', (t) => {
    const tree = verifiedNode(t);
    const notAsked = (node: Observed): readonly (string | undefined)[] =>
      verification(node).flatMap(({ status, flag }) => (status === 'not-asked' ? [flag] : []));
    const live = { answers: [], processes: [] };
    assert.deepEqual([...new Set(notAsked(observed(tree)))].sort(), ['--cis', '--cluster', '--live']);
    assert.deepEqual(
      notAsked({ ...observed(tree, { cis: true }), live, cluster: verifiedCluster(tree) }),
      [],
    );
  });

  test('every check has a name of its own', () => {
    assert.equal(new Set(checks.map(({ id }) => id)).size, checks.length);
  });
});

const caExtensions = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign',
  'subjectKeyIdentifier=hash',
].join('\n');

function makeOldCa(
  openssl: string,
  path: string,
  name: string,
  dates: { readonly start: string; readonly end: string },
): void {
  makeCa(openssl, path, name);
  resign(openssl, path, { by: path, ...dates, extensions: caExtensions });
}

function newPublicKey(openssl: string): string {
  const key = execFileSync(openssl, ['ecparam', '-name', 'prime256v1', '-genkey', '-noout']);
  return execFileSync(openssl, ['ec', '-pubout'], {
    input: key,
    stdio: ['pipe', 'pipe', 'ignore'],
  }).toString();
}

function replaceAuthorities(tree: Tree, name: string, pem: Buffer): void {
  edit(tree, `etc/kubernetes/${name}`, (text) =>
    text.replace(/certificate-authority-data: \S+/, `certificate-authority-data: ${pem.toString('base64')}`),
  );
}

/** Puts a certificate with other dates into a kubeconfig, for the key that is there. */
function withCertificate(
  kubeconfig: string,
  openssl: string,
  t: TestContext,
  by: string,
  dates: { readonly start: string; readonly end: string },
): string {
  const scratch = join(temporaryDirectory(t), 'client');
  mkdirSync(dirname(scratch), { recursive: true });
  const held = (field: string): Buffer =>
    Buffer.from(new RegExp(`${field}: (\\S+)`).exec(kubeconfig)?.[1] ?? '', 'base64');
  writeFileSync(`${scratch}.crt`, held('client-certificate-data'));
  writeFileSync(`${scratch}.key`, held('client-key-data'));
  resign(openssl, scratch, { by, ...dates });
  const certificate = readFileSync(`${scratch}.crt`).toString('base64');
  return kubeconfig.replace(/client-certificate-data: \S+/, `client-certificate-data: ${certificate}`);
}

/** As before the kubelet has rotated: the certificate is in kubelet.conf itself. */
function embedKubelet(
  tree: Tree,
  openssl: string,
  t: TestContext,
  by: string,
  dates: { readonly start: string; readonly end: string },
): void {
  const pem = readFileSync(
    join(tree.directory, kubelet, 'pki/kubelet-client-current.pem').replace('current', '2026-11-28-20-50-00'),
  );
  const data = pem.toString('base64');
  edit(tree, 'etc/kubernetes/kubelet.conf', (text) =>
    withCertificate(
      text
        .replace(/client-certificate: \S+/, `client-certificate-data: ${data}`)
        .replace(/client-key: \S+/, `client-key-data: ${data}`),
      openssl,
      t,
      by,
      dates,
    ),
  );
}
