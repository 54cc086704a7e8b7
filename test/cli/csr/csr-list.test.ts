import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { servingBed, type ServingBed } from '../../support/cluster/serving-bed.ts';
import type { Api } from '../../support/cluster/server.ts';
import { judge } from '../../support/judge.ts';
import { temporaryDirectory } from '../../support/tree.ts';

function kubelet(bed: ServingBed, ...lines: readonly string[]): string {
  const directory = join(bed.tree.directory, 'var/lib/kubelet');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'config.yaml');
  writeFileSync(
    path,
    ['apiVersion: kubelet.config.k8s.io/v1beta1', 'kind: KubeletConfiguration', ...lines, ''].join('\n'),
  );
  return path;
}

const kubeletServing = 'kubernetes.io/kubelet-serving';
const nodeUser = 'system:node:node-1';
const twoNames = 'DNS:node-1,IP:192.0.2.10';

/** Whatever it is, in seconds. */
function age(table: string, line: number): string {
  const [, found = 'none'] = /^\S+ +(\d+s) /.exec(table.split('\n')[line] ?? '') ?? [];
  return found;
}

describe('csr list', () => {
  test('shows every request, and what it asks for', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1', {}, { names: ['DNS:node-1', 'IP:192.0.2.10'] });
    bed.put(
      'csr-2',
      { signerName: 'example.com/signer', username: 'somebody', expirationSeconds: 3600 },
      { key: 'RSA-2048', names: [] },
    );
    bed.put('csr-3', { request: Buffer.from('nonsense') });
    bed.csr.decide('csr-3', { type: 'Denied', reason: 'x', message: 'x' });
    const { stdout, stderr, code } = await bed.run('list');
    assert.deepEqual(
      stdout.split('\n').map((line) => line.split(/ {2,}/)),
      [
        [
          ...['NAME', 'AGE', 'SIGNERNAME', 'REQUESTOR', 'REQUESTEDDURATION', 'CONDITION'],
          ...['KEY', 'REQUESTED NAMES'],
        ],
        ['csr-1', age(stdout, 1), kubeletServing, nodeUser, '<none>', 'Pending', 'ECDSA P-256', twoNames],
        ['csr-2', age(stdout, 2), 'example.com/signer', 'somebody', '60m', 'Pending', 'RSA 2048', '<none>'],
        ['csr-3', age(stdout, 3), kubeletServing, nodeUser, '<none>', 'Denied', '<invalid>', '<invalid>'],
        [''],
      ],
    );
    assert.deepEqual([stderr, code], ['', 0]);
    // Nothing else is asked for: the list of their names, and each by itself.
    const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
    assert.deepEqual(
      bed.server.seen.map(({ path }) => path),
      [requests, ...['csr-1', 'csr-2', 'csr-3'].map((name) => `${requests}/${name}`)],
    );
  });

  test('an object that cannot be read is a row that says so', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1');
    bed.csr.put('csr-2', { request: '%', signerName: kubeletServing, usages: [], username: 'x', groups: [] });
    bed.put('csr-3');
    const { stdout, stderr, code } = await bed.run('list');
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
    const invalid = ['<unknown>', ...Array.from({ length: 6 }, () => '<invalid>')];
    assert.deepEqual(rows[2], ['csr-2', ...invalid]);
    assert.deepEqual(
      rows.map(([name]) => name),
      ['NAME', 'csr-1', 'csr-2', 'csr-3', ''],
    );
    const why =
      "the API server's answer is not the CertificateSigningRequest csr-2: spec.request is not base64";
    assert.deepEqual([stderr, code], [`warning: ${why}\n`, 0]);
    const { requests } = JSON.parse((await bed.run('list', '-o', 'json')).stdout) as {
      requests: readonly Readonly<Record<string, unknown>>[];
    };
    assert.deepEqual(Object.keys(requests[1] ?? {}), Object.keys(requests[0] ?? {}));
    assert.deepEqual([requests[1]?.['name'], requests[1]?.['names']], ['csr-2', null]);
    const all = await bed.run(
      ...['approve', '--all', '--allow-cidr', '192.0.2.0/24,203.0.113.0/24,2001:db8::/32'],
      ...['--allow-dns', 'node-1,example.internal'],
    );
    assert.deepEqual(
      [all.stderr, all.code],
      [`warning: csr-2 is not approved: ${why}\nhint: look at it: kubectl get csr csr-2 -o yaml | less\n`, 0],
    );
    assert.deepEqual(bed.standing(), { 'csr-1': 'Approved', 'csr-2': 'pending', 'csr-3': 'Approved' });
  });

  test('its columns are those that kubectl draws of the same objects', async (t) => {
    const kubectl = judge(t, 'kubectl');
    if (kubectl === undefined) return;
    const bed = await servingBed(t, { before: discovery });
    if (bed === undefined) return;
    bed.put('csr-1');
    bed.put('csr-2', { signerName: 'example.com/signer', username: 'somebody' });
    bed.put('csr-longer-than-the-others', { conditions: ['Denied'] });
    const home = temporaryDirectory(t);
    const custom =
      'NAME:.metadata.name,SIGNERNAME:.spec.signerName,REQUESTOR:.spec.username,REQUESTEDDURATION:.spec.expirationSeconds';
    const { stdout } = await promisify(execFile)(
      kubectl,
      [
        ...['get', 'csr', '-o', `custom-columns=${custom}`, '--cache-dir', home],
        ...['--kubeconfig', join(bed.tree.kubeconfigDir, 'admin.conf')],
      ],
      { env: { PATH: process.env['PATH'], HOME: home } },
    );
    const ours = (await bed.run('list')).stdout.split('\n').map((line) => {
      const [name, , signer, requestor, duration] = line.split(/ {2,}/);
      return [name, signer, requestor, duration].join();
    });
    assert.deepEqual(
      ours,
      stdout
        .split('\n')
        .map((line) => line.trimEnd().split(/ {2,}/).concat('', '', '', '').slice(0, 4).join()),
    );
  });

  test('as a document', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1', {}, { names: ['DNS:node-1'] });
    const { stdout } = await bed.run('list', '-o', 'json');
    const [kept] = bed.csr.kept();
    assert.deepEqual(JSON.parse(stdout), {
      kind: 'SigningRequestList',
      apiVersion: 'kubepki/v1',
      requests: [
        {
          name: 'csr-1',
          created: kept?.metadata.creationTimestamp,
          signerName: 'kubernetes.io/kubelet-serving',
          requestor: 'system:node:node-1',
          groups: ['system:nodes', 'system:authenticated'],
          usages: ['digital signature', 'key encipherment', 'server auth'],
          expirationSeconds: null,
          condition: 'Pending',
          key: 'ECDSA P-256',
          names: ['DNS:node-1'],
        },
      ],
    });
  });

  test("says that this node's kubelet does not ask, when nothing is pending", async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    // Pending, but not of a kubelet for its serving certificate.
    bed.put('csr-1', { signerName: 'kubernetes.io/kube-apiserver-client-kubelet' });
    assert.equal((await bed.run('list')).stderr, '', 'no kubelet here');
    const path = kubelet(bed, 'rotateCertificates: true');
    const said = `note: this node's kubelet asks for no serving certificate: ${path} lacks serverTLSBootstrap
hint: set serverTLSBootstrap: true there, and in the ConfigMap kubelet-config of kube-system for nodes to come, then: systemctl restart kubelet
`;
    assert.equal((await bed.run('list')).stderr, said);
    assert.equal((await bed.run('list', '-o', 'json')).stderr, said);
    kubelet(bed, 'serverTLSBootstrap: false');
    assert.equal((await bed.run('list')).stderr, said);
    kubelet(bed, 'serverTLSBootstrap: true');
    assert.equal((await bed.run('list')).stderr, '');
    // A drop-in has the last word, and a flag over it.
    const dropIn = join(bed.tree.directory, 'etc/kubernetes/kubelet.conf.d/90-own.conf');
    const defaults = join(bed.tree.directory, 'etc/default/kubelet');
    for (const file of [dropIn, defaults]) mkdirSync(dirname(file), { recursive: true });
    writeFileSync(dropIn, 'serverTLSBootstrap: false\n');
    writeFileSync(defaults, 'KUBELET_EXTRA_ARGS=--config-dir=/etc/kubernetes/kubelet.conf.d\n');
    assert.match(
      (await bed.run('list')).stderr,
      new RegExp(
        `^note: .*: ${dropIn} says serverTLSBootstrap: false\nhint: set serverTLSBootstrap: true there`,
      ),
    );
    writeFileSync(defaults, 'KUBELET_EXTRA_ARGS=--rotate-server-certificates=false\n');
    assert.match(
      (await bed.run('list')).stderr,
      /^note: .*: its flag --rotate-server-certificates=false says so\nhint: take the flag away, set /,
    );
    writeFileSync(defaults, 'KUBELET_EXTRA_ARGS=--rotate-server-certificates\n');
    kubelet(bed, 'serverTLSBootstrap: false');
    assert.equal((await bed.run('list')).stderr, '');
    kubelet(bed, 'serverTLSBootstrap: [');
    assert.match(
      (await bed.run('list')).stderr,
      /^note: whether this node's kubelet asks .* is not known: \S+config\.yaml: /,
    );
    kubelet(bed);
    bed.put('csr-2');
    assert.equal((await bed.run('list')).stderr, '', 'one is pending');
  });

  test('without a kubeconfig it says which to give', async (t) => {
    const bed = await servingBed(t);
    if (bed === undefined) return;
    bed.put('csr-1');
    const admin = join(bed.tree.kubeconfigDir, 'admin.conf');
    const elsewhere = join(temporaryDirectory(t), 'some.conf');
    writeFileSync(elsewhere, readFileSync(admin));
    const root = temporaryDirectory(t);
    for (const args of [['list'], ['approve', 'csr-1'], ['deny', 'csr-1']]) {
      const { stdout, stderr, code } = await kubepki(['csr', ...args, '--rootfs', root]);
      assert.equal(
        stderr,
        `error: ${root}/etc/kubernetes/admin.conf: no such file, and it says how to reach the cluster
hint: name the kubeconfig of somebody who may do this: --kubeconfig FILE
`,
      );
      assert.deepEqual([stdout, code], ['', 1]);
    }
    assert.match((await kubepki(['csr', 'list', '--kubeconfig', elsewhere])).stdout, /^csr-1 /m);
  });
});

/** What kubectl asks before it asks for anything. */
const discovery: Api = ({ method, path }) => {
  const group = { groupVersion: 'certificates.k8s.io/v1', version: 'v1' };
  const resource = {
    ...{ name: 'certificatesigningrequests', singularName: 'certificatesigningrequest', namespaced: false },
    ...{ kind: 'CertificateSigningRequest', verbs: ['get', 'list'], shortNames: ['csr'] },
  };
  const bodies: Readonly<Record<string, unknown>> = {
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [] },
    '/apis': {
      ...{ kind: 'APIGroupList', apiVersion: 'v1' },
      groups: [{ name: 'certificates.k8s.io', versions: [group], preferredVersion: group }],
    },
    '/apis/certificates.k8s.io/v1': {
      ...{ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: group.groupVersion },
      resources: [resource],
    },
  };
  const body = method === 'GET' ? bodies[path] : undefined;
  return body === undefined ? undefined : { status: 200, body };
};
