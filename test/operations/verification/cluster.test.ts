import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { mayCallTheKubelets } from '../../../src/operations/verification/cluster/rights.ts';
import { isMadeByTheKubelet } from '../../../src/operations/verification/cluster/kubelets.ts';
import type {
  ApiServer,
  Asked,
  Cluster,
  Kubelet,
  KubeletRequest,
  RoleBinding,
  Shown,
} from '../../../src/operations/verification/cluster/cluster.ts';
import type { Observed } from '../../../src/operations/verification/observed.ts';
import { troublesOf, verification } from '../../../src/operations/verification/verification.ts';
import { findExtension } from '../../../src/pki/extension/extension.ts';
import { parseSubjectAltName } from '../../../src/pki/extension/subject-alt-name.ts';
import { identityOf } from '../../../src/operations/owners/identity.ts';
import { parseCertificates, type Certificate, type Chain } from '../../../src/pki/certificate/certificate.ts';
import { authorityOf, makeAuthority, type Authority } from '../../support/cluster/authority.ts';
import { judge } from '../../support/judge.ts';
import {
  answered,
  chainIn,
  clusterInfo,
  minutesBefore,
  tokenKeyOf,
  verifiedCluster,
} from '../../support/planners/verified-cluster.ts';
import { edit, found, observed, verifiedNode } from '../../support/planners/verified-node.ts';
import { copyFixture, temporaryDirectory, type Tree } from '../../support/tree.ts';

const unasked = { status: 'unasked', why: 'it refused (403)', hint: 'ask' } as const;
const absent = { status: 'absent' } as const;

interface Bed {
  readonly tree: Tree;
  readonly right: Cluster;
  /** What is found where the cluster differs so from a right one. */
  readonly differs: (changes: Partial<Cluster>, node?: Observed) => readonly string[];
}

function bed(t: TestContext): Bed {
  const tree = verifiedNode(t);
  const right = verifiedCluster(tree);
  return {
    tree,
    right,
    differs: (changes, node = observed(tree)) => found({ ...node, cluster: { ...right, ...changes } }),
  };
}

function pem(tree: Tree, name: string): string {
  return readFileSync(join(tree.certDir, name), 'utf8');
}

/** The one thing that is said. */
function said(node: Observed, cluster: Cluster): string {
  const [first, ...more] = troublesOf(verification({ ...node, cluster }));
  assert.deepEqual(more, []);
  return `${first?.file ?? ''}: ${first?.message ?? ''}`;
}

test('a right cluster is not accused, and each check has looked', (t) => {
  const { tree, right, differs } = bed(t);
  assert.deepEqual(differs({}), []);
  const results = verification({ ...observed(tree), cluster: right });
  const ofCluster = results.filter(({ id }) => id.startsWith('cluster-') && id !== 'cluster-signing');
  assert.equal(ofCluster.length, 9);
  for (const { id, status, looked } of ofCluster)
    assert.deepEqual([id, status, looked > 0], [id, 'passed', true]);
});

for (const role of [
  ...['external-ca', 'external-front-proxy', 'external-etcd', 'ca-bundle', 'leaf-chain', 'ipv6', 'symlinks'],
  ...['stacked-etcd-ecdsa', 'custom-subject', 'v1.35-dual-stack', 'v1.35-external-ca', 'v1.35-external-etcd'],
])
  test(`a right cluster of ${role} is not accused`, (t) => {
    const tree = copyFixture(t, role);
    const [leaf] = chainIn(tree, 'apiserver.crt');
    const at = new Date(leaf.notBefore.getTime() + 24 * 3_600_000);
    const right = verifiedCluster(tree);
    const name = parseSubjectAltName(findExtension(leaf.extensions, 'subjectAltName'))
      .flatMap((san) => (/^(?:DNS|IP):[^*]+$/.test(san) ? [san.replace(/^(?:DNS|IP):/, '')] : []))
      .at(-1);
    const server = `https://${name?.includes(':') === true ? `[${name}]` : String(name)}:6443`;
    const cluster: Cluster = {
      ...right,
      // Their names differ, and when they were made.
      clusterInfo: answered(clusterInfo(pem(tree, 'ca.crt'), server)),
      configuration: absent,
      ...{ namespaces: answered([]), requests: answered([]) },
    };
    const told = found({ ...observed(tree, { at }), cluster }).filter((line) => line.includes(' cluster-'));
    assert.deepEqual(told, ['note cluster-config kubeadm-config', ...needsBinding(tree)]);
  });

/** Up to kubeadm 1.28 the certificate needs none; the binding that the cluster has is that of 1.29. */
function needsBinding(tree: Tree): readonly string[] {
  const { organizations } = identityOf(chainIn(tree, 'apiserver-kubelet-client.crt')[0]);
  const isKnown = organizations.some((one) => /^(?:system:masters|kubeadm:cluster-admins)$/.test(one));
  return isKnown ? [] : ['error cluster-kubelet-rights apiserver-kubelet-client'];
}

test('without --cluster nothing is said of it', (t) => {
  const results = verification(observed(verifiedNode(t)));
  const ofCluster = results.filter(({ id }) => id.startsWith('cluster-') && id !== 'cluster-signing');
  assert.ok(ofCluster.every(({ status }) => status === 'not-asked'));
});

test('what could not be asked is not checked, and never well', (t) => {
  const { tree, right } = bed(t);
  // Every question of a cluster may have this answer, which the type of a record made of entries does not say.
  const nothing = Object.fromEntries(
    Object.keys(right).map((key) => [key, key === 'kubeconfig' ? right.kubeconfig : unasked]),
  ) as unknown as Cluster;
  const results = verification({ ...observed(tree), cluster: nothing });
  for (const { id, status, troubles } of results) {
    if (!id.startsWith('cluster-') || id === 'cluster-signing') continue;
    assert.equal(status, 'unchecked', id);
    for (const { file, message, hint } of troubles) {
      assert.deepEqual([file, hint], [right.kubeconfig, 'ask']);
      assert.match(message, /: it refused \(403\)$/);
    }
  }
});

describe('kube-root-ca.crt', () => {
  test('of another CA is found, whichever namespace has it', (t) => {
    const { tree, right, differs } = bed(t);
    const rootCas = answered([
      { namespace: 'default', pem: pem(tree, 'ca.crt') },
      ...['a', 'b', 'c', 'd', 'e', 'f', 'kube-system'].map((namespace) => ({
        namespace,
        pem: pem(tree, 'etcd/ca.crt'),
      })),
    ]);
    assert.deepEqual(differs({ rootCas }), ['error cluster-root-ca kube-root-ca.crt']);
    assert.match(
      said(observed(tree), { ...right, rootCas }),
      /^ConfigMap kube-root-ca\.crt: does not hold the CA of \S+\/ca\.crt in 7 namespaces, .*: a, b, c, d, e and 2 more$/,
    );
  });

  test('that holds this CA among others is right, also beside what cannot be read', (t) => {
    const { tree, differs } = bed(t);
    const broken = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';
    const bundle = `${broken}${pem(tree, 'etcd/ca.crt')}${pem(tree, 'ca.crt')}`;
    const rootCas = answered(['default', 'kube-system'].map((namespace) => ({ namespace, pem: bundle })));
    assert.deepEqual(differs({ rootCas }), []);
  });

  test('that holds the root alone is right, where the intermediate is served', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const { tree, right, differs } = bed(t);
    // What openssl makes here is valid from now on.
    const node = observed(tree, { at: new Date(Date.now() + 60_000) });
    const root = makeAuthority(openssl, temporaryDirectory(t), 'root');
    const { leaf, intermediate } = overIntermediate(t, openssl, root);
    const { inventory } = node.subject;
    const certificates = inventory.certificates.map((entry) =>
      entry.spec.name === 'apiserver' && entry.state.status === 'present'
        ? ({
            ...entry,
            state: { ...entry.state, value: { ...entry.state.value, chain: [leaf, intermediate] } },
          } as typeof entry)
        : entry,
    );
    const authorities = inventory.authorities.map((entry) =>
      entry.spec.name === 'ca'
        ? { ...entry, bundle: { status: 'present', value: [intermediate] } as const }
        : entry,
    );
    const { rootCas } = differsIn(right, root.ca.toString());
    const other = {
      ...node,
      subject: { ...node.subject, inventory: { ...inventory, certificates, authorities } },
    };
    assert.ok(
      !differs({ rootCas, namespaces: answered([]) }, other).some((line) => line.includes('cluster-root-ca')),
    );
    const { rootCas: wrong } = differsIn(right, pem(tree, 'ca.crt'));
    assert.ok(
      differs({ rootCas: wrong, namespaces: answered([]) }, other).includes(
        'error cluster-root-ca kube-root-ca.crt',
      ),
    );
  });

  function differsIn({ rootCas }: Cluster, text: string): Pick<Cluster, 'rootCas'> {
    if (rootCas.status !== 'answered') throw new Error('there are none');
    return { rootCas: answered(rootCas.value.map((one) => ({ ...one, pem: text }))) };
  }

  test('that holds nothing is found', (t) => {
    const { tree, differs } = bed(t);
    for (const text of [undefined, '', 'nonsense', '-----BEGIN CERTIFICATE-----\n']) {
      const rootCas = answered([
        { namespace: 'default', pem: text },
        { namespace: 'kube-system', pem: pem(tree, 'ca.crt') },
      ]);
      assert.deepEqual(differs({ rootCas }), ['error cluster-root-ca kube-root-ca.crt']);
    }
  });

  test('is missed in a namespace that should have it by now', (t) => {
    const { tree, right, differs } = bed(t);
    const rootCas = answered([{ namespace: 'default', pem: pem(tree, 'ca.crt') }]);
    assert.deepEqual(differs({ rootCas }), ['error cluster-root-ca kube-root-ca.crt']);
    assert.match(said(observed(tree), { ...right, rootCas }), /is missing in 1 namespace, .*: kube-system$/);
    assert.deepEqual(differs({ namespaces: unasked }), ['unchecked cluster-root-ca cluster']);
  });

  test('is not missed where this Kubernetes has none', (t) => {
    assert.deepEqual(bed(t).differs({ rootCas: answered([]) }), []);
  });
});

describe('cluster-info', () => {
  test('of another CA, or of none, is found', (t) => {
    const { tree, differs } = bed(t);
    for (const ca of [pem(tree, 'etcd/ca.crt'), ''])
      assert.deepEqual(differs({ clusterInfo: answered(clusterInfo(ca)) }), [
        'error cluster-info cluster-info',
      ]);
    const both = pem(tree, 'etcd/ca.crt') + pem(tree, 'ca.crt');
    assert.deepEqual(differs({ clusterInfo: answered(clusterInfo(both)) }), []);
  });

  test('that leads elsewhere is found', (t) => {
    const { tree, right, differs } = bed(t);
    const led = answered(clusterInfo(pem(tree, 'ca.crt'), 'https://old.example.com:6443'));
    assert.deepEqual(differs({ clusterInfo: led }), ['error cluster-info cluster-info']);
    assert.match(
      said(observed(tree), { ...right, clusterInfo: led }),
      /^ConfigMap kube-public\/cluster-info: leads new nodes to old\.example\.com, which is no SAN of any API server$/,
    );
    // What is not known may have the name.
    assert.ok(
      differs({ clusterInfo: led, apiServers: unasked }).includes('unchecked cluster-info cluster-info'),
    );
  });

  test('may lead to the API server of another node', (t) => {
    const { tree, differs } = bed(t);
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const files = { certificate: join(tree.certDir, 'ca.crt'), key: join(tree.certDir, 'ca.key') };
    const chain = issued(t, openssl, files, 'IP:192.0.2.11,DNS:kubernetes');
    const other: ApiServer = {
      ...{ host: '192.0.2.11', port: 6443, shown: { status: 'shown', chain } },
      tokenKeys: answered([tokenKeyOf(tree)]),
    };
    const led = answered(clusterInfo(pem(tree, 'ca.crt'), 'https://192.0.2.11:6443'));
    assert.deepEqual(differs({ clusterInfo: led, apiServers: answered([other]) }), []);
    const silent: ApiServer = { ...other, shown: { status: 'silent', why: 'no answer' } };
    assert.deepEqual(differs({ clusterInfo: led, apiServers: answered([silent]) }), [
      'unchecked cluster-info cluster-info',
      'unchecked cluster-api-servers kube-apiserver',
    ]);
  });

  test('may be gone, but not empty', (t) => {
    const { differs } = bed(t);
    assert.deepEqual(differs({ clusterInfo: absent }), []);
    for (const text of [undefined, '', 'a: [', '- 1', 'kind: Config\n'])
      assert.deepEqual(differs({ clusterInfo: answered(text) }), ['error cluster-info cluster-info']);
  });

  test('with a certificate of its own for some names, its names are not judged', (t) => {
    const { tree, differs } = bed(t);
    withFlag(tree, '--tls-sni-cert-key=/etc/kubernetes/pki/lb.crt,/etc/kubernetes/pki/lb.key');
    const led = answered(clusterInfo(pem(tree, 'ca.crt'), 'https://lb.example.com:6443'));
    assert.deepEqual(differs({ clusterInfo: led }), []);
  });
});

describe('extension-apiserver-authentication', () => {
  test('without a CA of this node is found, and each is told', (t) => {
    const { tree, differs } = bed(t);
    const [ca, frontProxyCa] = [pem(tree, 'ca.crt'), pem(tree, 'front-proxy-ca.crt')];
    const trouble = 'error cluster-authentication extension-apiserver-authentication';
    for (const [clientCas, requestHeaderCas, expected] of [
      [ca, ca, [trouble]],
      [undefined, frontProxyCa, [trouble]],
      [frontProxyCa, ca, [trouble, trouble]],
      // The API servers only ever add to it.
      [frontProxyCa + ca, ca + frontProxyCa, []],
    ] as const)
      assert.deepEqual(differs({ authentication: answered({ clientCas, requestHeaderCas }) }), expected);
  });

  test('that is gone is worth a look', (t) => {
    assert.deepEqual(bed(t).differs({ authentication: absent }), [
      'warning cluster-authentication extension-apiserver-authentication',
    ]);
  });

  test('need not have what this API server does not', (t) => {
    const { tree, differs } = bed(t);
    edit(tree, 'etc/kubernetes/manifests/kube-apiserver.yaml', (text) =>
      text.replace(/\n.*--requestheader-client-ca-file=.*/, ''),
    );
    const authentication = answered({ clientCas: pem(tree, 'ca.crt'), requestHeaderCas: undefined });
    assert.deepEqual(differs({ authentication }), []);
  });
});

describe('kubeadm-config', () => {
  function configured(
    { right, differs }: Bed,
    naming: object,
    more: { readonly config?: object; readonly otherCertDir?: string } = {},
  ): readonly string[] {
    if (right.configuration.status !== 'answered') throw new Error('nothing is configured');
    const { value } = right.configuration;
    return differs({
      configuration: answered({
        ...value,
        config: { ...value.config, ...more.config },
        naming: { ...value.naming, ...naming },
        otherCertDir: more.otherCertDir,
      }),
    });
  }

  test('whose names the certificate lacks is found', (t) => {
    const node = bed(t);
    for (const [naming, expected] of [
      [{ controlPlaneEndpoint: { host: 'api.example.com', port: 6443 } }, 'error'],
      [{ serviceSubnets: ['10.64.0.0/16'] }, 'error'],
      [{ apiServerSans: ['127.0.0.1', '*.example.com'] }, 'warning'],
      [{ dnsDomain: 'example.internal' }, 'warning'],
    ] as const)
      assert.deepEqual(configured(node, naming), [`${expected} cluster-config apiserver`]);
  });

  test('that says less than the certificate has is right', (t) => {
    const naming = {
      ...{ controlPlaneEndpoint: undefined, serviceSubnets: undefined, dnsDomain: undefined },
      apiServerSans: [],
    };
    assert.deepEqual(configured(bed(t), naming), []);
  });

  test('with another certificatesDir is found', (t) => {
    assert.deepEqual(configured(bed(t), {}, { otherCertDir: '/data/pki' }), [
      'warning cluster-config kubeadm-config',
    ]);
  });

  test('with an external etcd that this node does not use is found', (t) => {
    const etcd = {
      ...{ kind: 'external', endpoints: ['https://192.0.2.20:2379'], keyFile: undefined },
      ...{ caFile: '/etc/kubernetes/pki/etcd/ca.crt', certFile: '/etc/etcd/client.crt' },
    };
    // One runs here, and the API server shows another certificate.
    assert.deepEqual(configured(bed(t), {}, { config: { etcd } }), [
      'warning cluster-config kubeadm-config',
      'warning cluster-config kubeadm-config',
    ]);
  });

  test('that is gone is noted', (t) => {
    assert.deepEqual(bed(t).differs({ configuration: absent }), ['note cluster-config kubeadm-config']);
  });
});

describe('API servers', () => {
  function withSecond(
    { tree, right }: Bed,
    shown: Shown,
    tokenKeys: Asked<readonly string[]> = answered([tokenKeyOf(tree)]),
  ): Partial<Cluster> {
    if (right.apiServers.status !== 'answered') throw new Error('there are none');
    const [first, second] = right.apiServers.value;
    assert.ok(first !== undefined && second !== undefined);
    return { apiServers: answered([first, { ...second, shown, tokenKeys }]) };
  }

  test('of another CA, or with a certificate that has ended, are found', (t) => {
    const node = bed(t);
    const { tree, right, differs } = node;
    const other = withSecond(node, { status: 'shown', chain: chainIn(tree, 'etcd/server.crt') });
    assert.deepEqual(differs(other), ['error cluster-api-servers kube-apiserver']);
    assert.match(
      said(observed(tree), { ...right, ...other }),
      /^192\.0\.2\.11:6443: the API server serves a certificate of another CA than \S+\/ca\.crt$/,
    );
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const files = { certificate: join(tree.certDir, 'ca.crt'), key: join(tree.certDir, 'ca.key') };
    const expired = ended(issued(t, openssl, files, 'DNS:kubernetes'));
    assert.deepEqual(differs(withSecond(node, { status: 'shown', chain: expired })), [
      'error cluster-api-servers kube-apiserver',
    ]);
  });

  test('that do not answer are not checked', (t) => {
    const node = bed(t);
    assert.deepEqual(node.differs(withSecond(node, { status: 'silent', why: 'no answer' }, unasked)), [
      'unchecked cluster-api-servers kube-apiserver',
      'unchecked cluster-token-keys kube-apiserver',
    ]);
  });

  test('that do not know the key of the tokens are found, and those that know another', (t) => {
    const node = bed(t);
    const { tree, right, differs } = node;
    const shown = { status: 'shown', chain: chainIn(tree, 'apiserver.crt') } as const;
    const other = withSecond(node, shown, answered(['another']));
    assert.deepEqual(differs(other), ['error cluster-token-keys kube-apiserver']);
    assert.match(
      said(observed(tree), { ...right, ...other }),
      /^192\.0\.2\.11:6443: .* does not know the key of \S+\/sa\.key/,
    );
    assert.deepEqual(differs(withSecond(node, shown, answered(['another', tokenKeyOf(tree)]))), [
      'warning cluster-token-keys kube-apiserver',
    ]);
    // One that does not publish its keys is not accused.
    assert.deepEqual(differs(withSecond(node, shown, absent)), []);
  });

  test('are not asked for keys where another program signs the tokens', (t) => {
    const node = bed(t);
    withFlag(node.tree, '--service-account-signing-endpoint=/run/signer.sock');
    const shown = { status: 'shown', chain: chainIn(node.tree, 'apiserver.crt') } as const;
    assert.deepEqual(node.differs(withSecond(node, shown, answered(['another']))), []);
  });

  test('name a key by the SHA-256 of its SubjectPublicKeyInfo', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = verifiedNode(t);
    const run = (args: readonly string[], input?: Buffer): Buffer => execFileSync(openssl, args, { input });
    const info = run(['pkey', '-pubin', '-in', join(tree.certDir, 'sa.pub'), '-outform', 'der']);
    assert.equal(tokenKeyOf(tree), run(['dgst', '-sha256', '-binary'], info).toString('base64url'));
  });
});

describe('kubelets', () => {
  function shows({ right }: Bed, chain: Chain): Partial<Cluster> {
    if (right.kubelets.status !== 'answered') throw new Error('there are none');
    const [first, second] = right.kubelets.value;
    assert.ok(first !== undefined && second !== undefined);
    return { kubelets: answered([first, { ...second, shown: { status: 'shown', chain } }]) };
  }

  const trouble = (grade: string): string => `${grade} cluster-kubelets kubelet`;

  test('that made their certificate for themselves are noted, more where the cluster should sign it', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const node = bed(t);
    const own = shows(node, ownMade(t, openssl));
    assert.deepEqual(node.differs(own), [trouble('note')]);
    edit(node.tree, 'var/lib/kubelet/config.yaml', (text) => `${text}serverTLSBootstrap: true\n`);
    // This node's kubelet has none yet.
    const none = 'error kubelet-serving kubelet';
    assert.deepEqual(node.differs(own), [none, trouble('warning')]);
    withFlag(node.tree, '--kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt');
    assert.deepEqual(node.differs(own), [none, trouble('error')]);
  });

  test('whose certificate has ended are found, one of their own less so', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const node = bed(t);
    assert.deepEqual(node.differs(shows(node, ended(ownMade(t, openssl)))), [trouble('warning')]);
    const files = {
      certificate: join(node.tree.certDir, 'ca.crt'),
      key: join(node.tree.certDir, 'ca.key'),
    };
    const expired = ended(issued(t, openssl, files, 'IP:192.0.2.11'));
    assert.deepEqual(node.differs(shows(node, expired)), [trouble('error')]);
  });

  test('with a certificate of another CA are noted', (t) => {
    const node = bed(t);
    assert.deepEqual(node.differs(shows(node, chainIn(node.tree, 'etcd/server.crt'))), [trouble('note')]);
  });

  test('that do not answer are not checked, in one line however many', (t) => {
    const { tree, right, differs } = bed(t);
    const kubelets = answered(
      Array.from({ length: 3000 }, (_, index) => ({
        ...{ node: `node-${String(index)}`, isReady: index > 0 },
        shown: { status: 'silent', why: 'no answer' } as const,
      })),
    );
    assert.deepEqual(differs({ kubelets }), [trouble('unchecked')]);
    assert.match(
      said(observed(tree), { ...right, kubelets }),
      /^3000 Nodes: the kubelet shows no certificate: node-0 \(not Ready; no answer\), node-1 \(no answer\), .* and 2995 more$/,
    );
  });

  test('that were not asked in time are told apart', (t) => {
    const { tree, right, differs } = bed(t);
    const kubelets = answered<readonly Kubelet[]>([
      { node: 'cp-1', isReady: true, shown: { status: 'silent', why: 'no answer' } },
      { node: 'cp-2', isReady: true, shown: { status: 'late' } },
    ]);
    assert.deepEqual(differs({ kubelets }), [trouble('unchecked'), trouble('unchecked')]);
    const late = {
      ...right,
      kubelets: answered(kubelets.status === 'answered' ? kubelets.value.slice(1) : []),
    };
    assert.match(
      said(observed(tree), late),
      /^1 Node: the kubelet was not asked, as the time was over: cp-2$/,
    );
  });

  test('are told from others by the CA that they make', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    assert.ok(isMadeByTheKubelet(ownMade(t, openssl)[0]));
    assert.ok(!isMadeByTheKubelet(chainIn(verifiedNode(t), 'apiserver.crt')[0]));
  });
});

describe('requests', () => {
  const pending: KubeletRequest = {
    ...{ name: 'csr-z', createdAt: minutesBefore(16), username: 'system:node:cp-3', state: 'pending' },
    signerName: 'kubernetes.io/kubelet-serving',
  };
  const others = answered<readonly Kubelet[]>([]);

  test('that wait for longer than a kubelet does are told', (t) => {
    const { tree, right, differs } = bed(t);
    const requests = answered([pending]);
    assert.deepEqual(differs({ requests }), ['warning cluster-requests kubernetes.io/kubelet-serving']);
    assert.match(
      said(observed(tree), { ...right, requests }),
      /^1 CertificateSigningRequest: nobody has decided about a serving certificate, the oldest since 2026-11-30T23:44:00Z: system:node:cp-3$/,
    );
    const client = { ...pending, signerName: 'kubernetes.io/kube-apiserver-client-kubelet' };
    assert.deepEqual(differs({ requests: answered([pending, client]) }), [
      'warning cluster-requests kubernetes.io/kubelet-serving',
      'warning cluster-requests kubernetes.io/kube-apiserver-client-kubelet',
    ]);
  });

  test('that are new, decided, or of no known age are not', (t) => {
    const { differs } = bed(t);
    for (const change of [
      { createdAt: minutesBefore(14) },
      { createdAt: undefined },
      { state: 'approved' as const },
      { state: 'refused' as const },
    ])
      assert.deepEqual(differs({ requests: answered([{ ...pending, ...change }]) }), []);
  });

  test('do not matter once a later one was approved, or the certificate is there', (t) => {
    const { tree, differs } = bed(t);
    const later: KubeletRequest = { ...pending, createdAt: minutesBefore(3), state: 'approved' };
    assert.deepEqual(differs({ requests: answered([pending, later]), kubelets: others }), []);
    const earlier = { ...later, createdAt: minutesBefore(17) };
    assert.deepEqual(differs({ requests: answered([pending, earlier]) }), [
      'warning cluster-requests kubernetes.io/kubelet-serving',
    ]);
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const chain = chainIn(tree, 'apiserver.crt');
    const kubelets = answered<readonly Kubelet[]>([
      { node: 'cp-3', isReady: true, shown: { status: 'shown', chain } },
    ]);
    // The certificate that it serves is older than the request, and then younger.
    const old = { ...pending, createdAt: new Date(chain[0].notBefore.getTime() - 60_000) };
    assert.deepEqual(differs({ requests: answered([old]), kubelets }), []);
    assert.deepEqual(differs({ requests: answered([pending]), kubelets }), [
      'warning cluster-requests kubernetes.io/kubelet-serving',
    ]);
  });

  test('are judged in a moment, however many there are', (t) => {
    const { differs } = bed(t);
    const many = Array.from({ length: 50_000 }, (_, index) => ({
      ...pending,
      username: `system:node:n-${String(index)}`,
    }));
    const before = performance.now();
    assert.deepEqual(differs({ requests: answered(many) }), [
      'warning cluster-requests kubernetes.io/kubelet-serving',
    ]);
    assert.ok(performance.now() - before < 5000);
  });
});

describe('the rights of the API server on the kubelets', () => {
  const user = { kind: 'User', name: 'kube-apiserver-kubelet-client' };
  const binding = (change: Partial<RoleBinding>): RoleBinding => ({
    ...{ name: 'kubeadm:apiserver-kubelet-client', role: 'system:kubelet-api-admin', subjects: [user] },
    ...change,
  });
  const trouble = (grade: string): readonly string[] => [
    `${grade} cluster-kubelet-rights apiserver-kubelet-client`,
  ];

  /** A node whose certificate has these organisations. */
  function madeOutTo(t: TestContext, organizations: readonly string[]): Observed | undefined {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return undefined;
    const tree = verifiedNode(t);
    const node = observed(tree);
    const authority = makeAuthority(openssl, temporaryDirectory(t), 'kubernetes');
    const subject = [...organizations.map((one) => `/O=${one}`), '/CN=kube-apiserver-kubelet-client'].join(
      '',
    );
    const chain = parseCertificates(authority.issue({ subject }).certificate);
    const certificates = node.subject.inventory.certificates.map((entry) =>
      entry.spec.name === 'apiserver-kubelet-client' && entry.state.status === 'present'
        ? ({ ...entry, state: { ...entry.state, value: { ...entry.state.value, chain } } } as typeof entry)
        : entry,
    );
    return {
      ...node,
      // What openssl makes here lasts 30 days.
      withinMs: -1,
      subject: { ...node.subject, inventory: { ...node.subject.inventory, certificates } },
    };
  }

  test('are from the binding, where the certificate has no organisation', (t) => {
    const node = madeOutTo(t, []);
    if (node === undefined) return;
    const { differs } = bed(t);
    for (const [bindings, expected] of [
      [[], trouble('error')],
      [[binding({})], []],
      [[binding({ name: 'made-by-hand', role: 'cluster-admin' })], []],
      [[binding({ subjects: [{ kind: 'Group', name: 'system:authenticated' }] })], []],
      [[binding({ subjects: [{ kind: 'ServiceAccount', name: user.name }] })], trouble('error')],
      [[binding({ subjects: [{ kind: 'Group', name: 'kubeadm:cluster-admins' }] })], trouble('error')],
      [[binding({ role: 'our-kubelet-access' })], trouble('note')],
    ] as const)
      assert.deepEqual(differs({ bindings: answered(bindings) }, node), expected);
  });

  test("are its group's, where that has them", (t) => {
    const { differs } = bed(t);
    assert.deepEqual(differs({ bindings: answered([]) }), trouble('error'));
    const group = { kind: 'Group', name: 'kubeadm:cluster-admins' };
    assert.deepEqual(
      differs({ bindings: answered([binding({ role: 'cluster-admin', subjects: [group] })]) }),
      [],
    );
  });

  test('need no binding with system:masters, or without RBAC', (t) => {
    const node = madeOutTo(t, ['system:masters']);
    const { tree, differs } = bed(t);
    if (node !== undefined) assert.deepEqual(differs({ bindings: unasked }, node), []);
    withFlag(tree, '--authorization-mode=Node,Webhook');
    assert.deepEqual(differs({ bindings: answered([]) }), []);
  });

  for (const flag of [
    '--authorization-mode=Node,RBAC,Webhook',
    '--authorization-config=/etc/kubernetes/a.yaml',
  ])
    test(`may come from elsewhere with ${flag}`, (t) => {
      const { tree, differs } = bed(t);
      withFlag(tree, flag);
      const rights = differs({ bindings: answered([]) }).filter((one) => one.includes('kubelet-rights'));
      assert.deepEqual(rights, trouble('note'));
      const cluster = { ...verifiedCluster(tree), bindings: answered([]) };
      const [told] = mayCallTheKubelets({ ...observed(tree), cluster }).troubles;
      assert.match(
        told?.hint ?? '',
        /can-i get nodes --subresource proxy --as kube-apiserver-kubelet-client --as-group \S+$/,
      );
      assert.deepEqual(
        differs({ bindings: answered([binding({})]) }).filter((one) => one.includes('kubelet-rights')),
        [],
      );
    });
});

/** A certificate for a server, of the CA in these files. */
function issued(
  t: TestContext,
  openssl: string,
  files: { readonly certificate: string; readonly key: string },
  names: string,
): Chain {
  const authority = authorityOf(openssl, files, temporaryDirectory(t));
  return parseCertificates(authority.issue({ subject: '/CN=server', names }).certificate);
}

/** A server's certificate from an intermediate CA of this root. */
function overIntermediate(
  t: TestContext,
  openssl: string,
  root: Authority,
): { readonly leaf: Certificate; readonly intermediate: Certificate } {
  const directory = temporaryDirectory(t);
  const path = (name: string): string => join(directory, name);
  const run = (...args: readonly string[]): void => {
    execFileSync(openssl, args, { stdio: 'pipe' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path('sub.key')];
  run('req', '-new', ...key, '-subj', '/CN=intermediate', '-out', path('sub.csr'));
  writeFileSync(path('sub.ext'), 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n');
  run(
    ...['x509', '-req', '-in', path('sub.csr'), '-out', path('sub.crt'), '-extfile', path('sub.ext')],
    ...['-CA', root.files.certificate, '-CAkey', root.files.key, '-set_serial', '7', '-days', '3650'],
  );
  const files = { certificate: path('sub.crt'), key: path('sub.key') };
  const [leaf] = issued(t, openssl, files, 'DNS:kubernetes');
  const [intermediate] = parseCertificates(readFileSync(files.certificate));
  return { leaf, intermediate };
}

/** What a kubelet makes for itself: signed by a CA that it makes for this one certificate. */
function ownMade(t: TestContext, openssl: string): Chain {
  const authority = makeAuthority(openssl, temporaryDirectory(t), 'cp-2-ca@1764400000');
  return parseCertificates(
    authority.issue({ subject: '/CN=cp-2@1764400000', names: 'DNS:cp-2' }).certificate,
  );
}

/** The same, an hour after its end. */
function ended([leaf, ...others]: Chain): Chain {
  return [{ ...leaf, notAfter: minutesBefore(60) }, ...others];
}

function withFlag(tree: Tree, flag: string): void {
  edit(tree, 'etc/kubernetes/manifests/kube-apiserver.yaml', (text) =>
    text.replace('- --secure-port=6443', `- --secure-port=6443\n    - ${flag}`),
  );
}
