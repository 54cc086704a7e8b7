import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { authorityOf } from '../../support/cluster/authority.ts';
import { nodeOfCluster } from '../../support/cluster/node.ts';
import { objectsApi, type NamedObject, type ObjectsByPath } from '../../support/cluster/objects-api.ts';
import type { Faults } from '../../support/cluster/server.ts';
import { judge } from '../../support/judge.ts';
import type { Outcome } from '../../support/kubepki.ts';
import { changes, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';
import { ca, done, freshNode, stage, unasked } from '../ca-rotate/rotated-node.ts';

interface Row {
  readonly kind: string;
  readonly namespace: string | null;
  readonly name: string;
  readonly field: string | null;
  readonly authority: string | null;
  readonly holds: string | null;
  readonly command: string | null;
}

interface Document {
  readonly kind: string;
  readonly rotation: string | null;
  readonly references: readonly Row[];
  readonly unpublished: readonly string[];
  readonly notLookedAt: readonly { readonly what: string; readonly reason: string }[];
}

const secretText = 'the secret of the shop, and of no one else';

interface Bed {
  readonly tree: Tree;
  readonly old: string;
  readonly lists: ObjectsByPath;
  readonly references: (...args: readonly string[]) => Promise<Outcome>;
  readonly document: (...args: readonly string[]) => Promise<Document>;
}

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

function named(name: string, namespace?: string, more: object = {}): NamedObject['metadata'] {
  return { name, ...(namespace === undefined ? {} : { namespace }), ...more };
}

/** A cluster in which strangers have written the old CA everywhere, and a node that trusts both. */
async function bed(t: TestContext, wishes: { readonly faults?: Faults } = {}): Promise<Bed | undefined> {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const tree = await freshNode(t);
  const files = { certificate: join(tree.certDir, 'ca.crt'), key: join(tree.certDir, 'ca.key') };
  const leaf = authorityOf(openssl, files, temporaryDirectory(t)).issue({ subject: '/CN=shop' });
  const old = readFileSync(files.certificate, 'utf8');
  await done(tree.directory, 'rotate', 'prepare', 'ca', ...unasked);
  await stage(tree.directory, 'trust');
  const both = readFileSync(files.certificate, 'utf8');
  const lists = listsOf(old, both, leaf.certificate.toString());
  await nodeOfCluster(t, { tree, apis: () => [objectsApi(lists)], ...wishes });
  const references: Bed['references'] = (...args) => ca(tree.directory, 'references', ...args);
  return {
    tree,
    old,
    lists,
    references,
    document: async (...args) => JSON.parse((await references('-o', 'json', ...args)).stdout) as Document,
  };
}

function listsOf(old: string, both: string, leaf: string): ObjectsByPath {
  const kubeconfig = (pem: string): string =>
    `apiVersion: v1\nkind: Config\nclusters:\n- name: prod\n  cluster:\n    certificate-authority-data: ${base64(pem)}\n`;
  const registration = '/apis/admissionregistration.k8s.io/v1';
  const hook = (name: string, pem?: string): object => ({
    name,
    clientConfig: { url: 'https://192.0.2.9/', ...(pem === undefined ? {} : { caBundle: base64(pem) }) },
  });
  const pod = (name: string, startTime: string, more: object = {}, isTold = true): object => ({
    metadata: named(name, 'default', more),
    spec: {
      volumes: isTold
        ? [{ name: 'token', projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } }]
        : [{ name: 'data', emptyDir: {} }],
    },
    status: { phase: 'Running', startTime },
  });
  const owned = (kind: string, name: string): object => ({
    ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: '1', controller: true }],
    labels: { 'pod-template-hash': '7f9' },
  });
  const lists = {
    [`${registration}/validatingwebhookconfigurations`]: [
      { metadata: named('policy'), webhooks: [hook('other.test'), hook('policy.test', old)] },
      { metadata: named('foreign'), webhooks: [hook('foreign.test', leaf)] },
    ],
    [`${registration}/mutatingwebhookconfigurations`]: [
      { metadata: named('inject'), webhooks: [hook('inject.test', both)] },
    ],
    '/apis/apiregistration.k8s.io/v1/apiservices': [
      { metadata: named('v1.apps'), spec: {} },
      { metadata: named('v1.shop.test'), spec: { caBundle: base64(old) } },
    ],
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions': [
      {
        metadata: named('orders.shop.test'),
        spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig: { caBundle: base64(old) } } } },
      },
    ],
    '/api/v1/secrets': [
      {
        metadata: named('token', 'default'),
        type: 'kubernetes.io/service-account-token',
        data: { 'ca.crt': base64(old), token: base64(secretText) },
      },
      {
        metadata: named('tls', 'shop'),
        type: 'kubernetes.io/tls',
        data: { 'ca.crt': base64(old), 'tls.crt': base64(leaf), 'tls.key': base64(secretText) },
      },
      {
        metadata: named('argocd', 'ci'),
        type: 'Opaque',
        data: { config: base64(JSON.stringify({ tlsClientConfig: { caData: base64(old) } })) },
      },
    ],
    '/api/v1/configmaps': [
      {
        metadata: named('kube-root-ca.crt', 'default', {
          managedFields: [{ manager: 'kube-controller-manager', time: '2026-11-30T12:00:00Z' }],
        }),
        data: { 'ca.crt': both },
      },
      {
        metadata: named('trust', 'shop'),
        data: { 'ca.crt': old, note: 'ours' },
        binaryData: { b: base64(old) },
      },
      { metadata: named('ci', 'ci'), data: { kubeconfig: kubeconfig(old) } },
    ],
    '/api/v1/pods': [
      pod('web-7f9-a', '2026-11-20T12:00:00Z', owned('ReplicaSet', 'web-7f9')),
      pod('web-7f9-b', '2026-11-21T12:00:00Z', owned('ReplicaSet', 'web-7f9')),
      pod('proxy-x', '2026-11-20T12:00:00Z', owned('DaemonSet', 'proxy')),
      pod('young', '2026-12-01T12:00:00Z'),
      pod('untold', '2026-11-20T12:00:00Z', {}, false),
    ],
  };
  const kinds = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration', 'APIService'];
  const allKinds = [...kinds, 'CustomResourceDefinition', 'Secret', 'ConfigMap', 'Pod'];
  return Object.fromEntries(
    Object.entries(lists).map(([path, items], index) => [
      path,
      // Two on a page: no list ends with its first.
      { kind: allKinds[index] ?? '', items: items as readonly NamedObject[], pageSize: 2 },
    ]),
  );
}

function put(tree: Tree, path: string, text: string): void {
  mkdirSync(dirname(join(tree.directory, path)), { recursive: true });
  writeFileSync(join(tree.directory, path), text);
}

const told = ({ references }: Document): string[] =>
  references.map(({ kind, namespace, name, field, holds }) =>
    [kind, namespace ?? '-', name, field ?? '-', holds ?? '-'].join(' '),
  );

test('everything in the cluster that holds the old CA is found, and no content of it is shown', async (t) => {
  const made = await bed(t);
  if (made === undefined) return;
  const { tree, references, document } = made;
  const before = snapshot(tree.directory);
  const found = await document();
  assert.deepEqual(changes(before, snapshot(tree.directory)), []);
  assert.equal(found.kind, 'CaReferences');
  assert.match(found.rotation ?? '', /^[0-9a-f]{16}$/);
  assert.deepEqual(told(found), [
    'ValidatingWebhookConfiguration - policy webhooks[1] policy.test old',
    'ValidatingWebhookConfiguration - foreign webhooks[0] foreign.test issued',
    'MutatingWebhookConfiguration - inject webhooks[0] inject.test both',
    'APIService - v1.shop.test caBundle old',
    'CustomResourceDefinition - orders.shop.test caBundle old',
    'Secret shop tls ca.crt old',
    'Secret shop tls tls.crt issued',
    'Secret ci argocd config old',
    'ConfigMap shop trust ca.crt old',
    'ConfigMap shop trust b old',
    'ConfigMap ci ci kubeconfig old',
    'Pod default deployment/web - -',
    'Pod default daemonset/proxy - -',
  ]);
  assert.deepEqual([found.unpublished, found.notLookedAt], [[], []]);
  const { code, stdout, stderr } = await references();
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /^Secret shop\/tls, ca\.crt: trusts the old CA alone \(ca\)\n {4}kubectl -n shop patch /m,
  );
  assert.ok(!(stdout + stderr + JSON.stringify(found)).includes(secretText));
  assert.ok(!JSON.stringify(found).includes(base64(secretText)));
});

test('each command puts in what this node trusts now, in the words of kubectl', async (t) => {
  const made = await bed(t);
  const kubectl = judge(t, 'kubectl');
  if (made === undefined || kubectl === undefined) return;
  const { tree, lists, document } = made;
  const { references } = await document();
  const bundle = readFileSync(join(tree.certDir, 'ca.crt'), 'utf8');
  const scratch = temporaryDirectory(t);
  // Says which words it got, one to a line of JSON, as the shell has made them.
  writeFileSync(
    join(scratch, 'kubectl'),
    `#!/bin/sh\nexec ${process.execPath} -e 'console.log(JSON.stringify(process.argv.slice(1)))' -- "$@"\n`,
    { mode: 0o755 },
  );
  const patches = references.filter(({ command }) => command?.includes(' patch ') === true);
  assert.equal(patches.length, 7);
  for (const { kind, namespace, name, field, command } of patches) {
    const pasted = command?.replaceAll('/etc/kubernetes/pki/ca.crt', join(tree.certDir, 'ca.crt')) ?? '';
    const env = { ...process.env, PATH: `${scratch}:${process.env['PATH'] ?? ''}` };
    const words = JSON.parse(execFileSync('sh', ['-c', pasted], { env }).toString()) as string[];
    const [type, patch] = [words.find((word) => word.startsWith('--type=')), words.at(-1)];
    const [, list] = Object.entries(lists).find(([, one]) => one.kind === kind) ?? [];
    const item = list?.items.find(
      ({ metadata }) =>
        metadata.name === name && ('namespace' in metadata ? metadata.namespace : null) === namespace,
    );
    const versions: Readonly<Record<string, string>> = {
      ValidatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
      MutatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
      APIService: 'apiregistration.k8s.io/v1',
      CustomResourceDefinition: 'apiextensions.k8s.io/v1',
    };
    const file = join(scratch, 'object.json');
    writeFileSync(file, JSON.stringify({ kind, apiVersion: versions[kind] ?? 'v1', ...item }));
    const args = ['patch', '--local', '-f', file, type ?? '', '-p', patch ?? '', '-o', 'json'];
    const patched = execFileSync(kubectl, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
    const value = kind === 'ConfigMap' && field === 'ca.crt' ? JSON.stringify(bundle) : `"${base64(bundle)}"`;
    assert.ok(patched.includes(value), `${kind} ${name}: ${patched}`);
  }
});

test('files of this node that are no part of a rotation are found, with the command for each', async (t) => {
  const made = await bed(t);
  if (made === undefined) return;
  const { tree, old, document } = made;
  const kubeconfig = readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8').replace(
    /certificate-authority-data: .*/,
    `certificate-authority-data: ${base64(old)}`,
  );
  put(tree, 'etc/cni/net.d/multus.d/multus.kubeconfig', kubeconfig);
  put(tree, 'etc/cni/net.d/10-net.conflist', '{"cniVersion":"1.0.0"}\n');
  put(tree, 'etc/kubernetes/it is mine.conf', old);
  put(tree, 'root/.kube/config', kubeconfig);
  put(
    tree,
    'etc/kubernetes/pki/audit.yaml',
    `clusters:\n- cluster: {certificate-authority-data: ${base64(old)}}\n`,
  );
  const manifest = join(tree.kubeconfigDir, 'manifests/kube-apiserver.yaml');
  const withAudit = readFileSync(manifest, 'utf8').replace(
    /^( *)- --client-ca-file=.*$/m,
    '$&\n$1- --audit-webhook-config-file=/etc/kubernetes/pki/audit.yaml',
  );
  writeFileSync(manifest, withAudit);
  const { references } = await document('--offline');
  assert.deepEqual(
    references.map(({ name, holds, command }) => [name, holds, command]),
    [
      [
        '/etc/cni/net.d/multus.d/multus.kubeconfig',
        'old',
        'kubectl config --kubeconfig=/etc/cni/net.d/multus.d/multus.kubeconfig set-cluster kubernetes --certificate-authority=/etc/kubernetes/pki/ca.crt --embed-certs=true',
      ],
      ['/etc/cni/net.d/multus.d/multus.kubeconfig', 'issued', null],
      [
        '/etc/kubernetes/it is mine.conf',
        'old',
        "cat /etc/kubernetes/pki/ca.crt > '/etc/kubernetes/it is mine.conf'",
      ],
      [
        '/root/.kube/config',
        'old',
        'kubectl config --kubeconfig=/root/.kube/config set-cluster kubernetes --certificate-authority=/etc/kubernetes/pki/ca.crt --embed-certs=true',
      ],
      ['/root/.kube/config', 'issued', null],
      ['/etc/kubernetes/pki/audit.yaml', 'old', null],
    ],
  );
});

test('what the API server does not show is named, and the rest is found', async (t) => {
  const made = await bed(t, {
    faults: ({ path }) =>
      path === '/api/v1/secrets'
        ? { status: 403, body: { kind: 'Status', apiVersion: 'v1', message: 'secrets is forbidden' } }
        : undefined,
  });
  if (made === undefined) return;
  const { code, stdout } = await made.references();
  assert.equal(code, 1);
  assert.match(stdout, /^Secrets: not looked at: .*refused \(403\): secrets is forbidden$/m);
  assert.match(stdout, /^ConfigMap shop\/trust, ca\.crt: /m);
});

test('without a rotation the CAs of this node are looked for; a cluster that does not answer is named', async (t) => {
  const tree = await freshNode(t);
  put(tree, 'etc/cni/net.d/ca.pem', readFileSync(join(tree.certDir, 'etcd/ca.crt'), 'utf8'));
  const { code, stdout } = await ca(tree.directory, 'references', '--offline');
  assert.equal(code, 0);
  assert.equal(
    stdout,
    'File /etc/cni/net.d/ca.pem: trusts the CA etcd-ca\n    cat /etc/kubernetes/pki/etcd/ca.crt > /etc/cni/net.d/ca.pem\n',
  );
  writeFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'none\n');
  const asked = await ca(tree.directory, 'references');
  assert.equal(asked.code, 1);
  assert.match(asked.stdout, /^the cluster: not looked at: /m);
});
