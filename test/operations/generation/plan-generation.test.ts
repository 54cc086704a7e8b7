import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { initSpecs, type InitSpec } from '../../../src/catalog/init-order.ts';
import type { KubepkiError } from '../../../src/errors/error.ts';
import type { NodeIdentity } from '../../../src/operations/names/node-names.ts';
import { encodePrivateKey } from '../../../src/pki/key/private-key.ts';
import { extendedKeyUsage } from '../../../src/pki/extension/key-usage.ts';
import { profileOf, withExtension } from '../../../src/pki/issue/profile.ts';
import {
  editKubeconfig,
  inDays,
  leafOf,
  pki,
  reissue,
  remakeAuthority,
  spareKey,
  stranger,
} from '../../support/planners/planned-node.ts';
import { planGenerationIn } from '../../support/planners/planner-settings.ts';
import { copyFixture, fixturePath, temporaryDirectory, type Cleanup, type Tree } from '../../support/tree.ts';

/** What kubeadm 1.35 made, ECDSA, with all that it makes. */
const role = 'v1.35-stacked-etcd-p384';
const untouched = treeAt(fixturePath(role, '.'));

/** The configuration that it was made of. */
const node: NodeIdentity = {
  kubeletServer: 'own',
  nodeName: 'cp-1',
  advertiseAddress: '192.0.2.10',
  bindPort: 6443,
  clusterName: 'kubernetes',
  controlPlaneEndpoint: { host: '127.0.0.1', port: 1 },
  serviceSubnets: ['10.96.0.0/12'],
  dnsDomain: 'cluster.local',
  apiServerSans: [],
  etcdServerSans: [],
  etcdPeerSans: [],
};

function treeAt(directory: string): Tree {
  const kubeconfigDir = join(directory, 'etc/kubernetes');
  return { directory, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
}

function emptyNode(t: Cleanup): Tree {
  const tree = treeAt(temporaryDirectory(t));
  mkdirSync(pki(tree, 'etcd'), { recursive: true });
  return tree;
}

/** The node as kubeadm made it, without these files. */
function nodeWithout(t: Cleanup, ...paths: readonly string[]): Tree {
  const tree = copyFixture(t, role);
  for (const path of paths) rmSync(join(tree.kubeconfigDir, path));
  return tree;
}

function pair(baseName: string): string[] {
  return ['crt', 'key'].map((suffix) => `pki/${baseName}.${suffix}`);
}

interface Asking {
  /** undefined: all. */
  readonly names?: readonly string[];
  readonly node?: Partial<NodeIdentity>;
  readonly etcd?: 'stacked' | 'external';
}

function named(names: readonly string[]): readonly InitSpec[] {
  return initSpecs.filter(({ name }) => names.includes(name));
}

function plan(
  tree: Tree,
  { names, node: other, etcd = 'stacked' }: Asking = {},
): ReturnType<typeof planGenerationIn> {
  const specs = names === undefined ? undefined : named(names);
  return planGenerationIn(tree, {
    selected: specs ?? initSpecs,
    settings: { node: { ...node, ...other }, etcd, named: new Set(specs) },
  });
}

/** Each name's status, but for what is as expected: `existing`. */
function statuses(tree: Tree, asking?: Asking): Record<string, string> {
  const { planned } = plan(tree, asking);
  return Object.fromEntries(planned.map(({ spec, status }) => [spec.name, status]));
}

function others(tree: Tree, expected: string, asking?: Asking): Record<string, string> {
  return Object.fromEntries(
    Object.entries(statuses(tree, asking)).filter(([, status]) => status !== expected),
  );
}

function warnings(tree: Tree, asking?: Asking): string[] {
  return plan(tree, asking)
    .planned.flatMap((one) => ('warnings' in one ? (one.warnings ?? []) : []))
    .map((text) => text.replaceAll(`${tree.directory}/`, '/'));
}

/** `name: code: file: message` of each refusal, and the hint of the first. */
function refusals(tree: Tree, asking?: Asking): { readonly said: readonly string[]; readonly hint: string } {
  const errors = plan(tree, asking).planned.flatMap((one): [string, KubepkiError][] =>
    one.status === 'refused' ? [[one.spec.name, one.error]] : [],
  );
  return {
    said: errors.map(([name, { code, oneLine }]) =>
      `${name}: ${code}: ${oneLine}`.replaceAll(`${tree.directory}/`, '/'),
    ),
    hint: errors[0]?.[1].hint?.replaceAll(`${tree.directory}/`, '/') ?? '',
  };
}

describe('what is made', () => {
  test('everything, where there is nothing, in the order of kubeadm init', (t) => {
    const { planned, issuers } = plan(emptyNode(t));
    assert.deepEqual(
      planned.map(({ spec, status }) => [spec.name, status]),
      initSpecs.map(({ name }) => [name, 'new']),
    );
    assert.deepEqual(warnings(emptyNode(t)), []);
    assert.equal(issuers.size, 0);
  });

  test('nothing, where all is there as kubeadm makes it', () => {
    assert.deepEqual(others(untouched, 'existing'), {});
    assert.deepEqual(warnings(untouched), []);
    assert.deepEqual([...plan(untouched).issuers.keys()].sort(), ['ca', 'etcd-ca', 'front-proxy-ca']);
  });

  test('what is missing, signed by the CA that is there', (t) => {
    const tree = nodeWithout(
      t,
      ...pair('apiserver'),
      ...pair('etcd/peer'),
      'scheduler.conf',
      'super-admin.conf',
    );
    const expected = {
      apiserver: 'new',
      'etcd-peer': 'new',
      'super-admin.conf': 'new',
      'scheduler.conf': 'new',
    };
    assert.deepEqual(others(tree, 'existing'), expected);
    assert.deepEqual(warnings(tree), []);
  });

  test('all but a CA of one’s own', (t) => {
    const tree = emptyNode(t);
    for (const path of pair('ca'))
      copyFileSync(join(untouched.kubeconfigDir, path), join(tree.kubeconfigDir, path));
    assert.deepEqual(others(tree, 'new'), { ca: 'existing' });
  });

  test('what was asked for, and what is not asked for stops nothing', (t) => {
    const tree = nodeWithout(t, ...pair('apiserver'), 'pki/sa.key');
    mkdirSync(pki(tree, 'sa.key'));
    writeFileSync(pki(tree, 'etcd/peer.crt'), 'garbage\n');
    assert.deepEqual(statuses(tree, { names: ['apiserver'] }), { apiserver: 'new' });
    const all = refusals(tree).said;
    assert.equal(all.length, 2);
    assert.match(all[0] ?? '', /^etcd-peer: bad-pem: \/etc\/kubernetes\/pki\/etcd\/peer\.crt: is not PEM/);
    assert.match(all[1] ?? '', /^sa: not-a-file: \/etc\/kubernetes\/pki\/sa\.key: is a directory/);
  });

  test('nothing of etcd, where it is external, whatever lies about', () => {
    const expected = [
      'etcd-ca',
      'etcd-server',
      'etcd-peer',
      'etcd-healthcheck-client',
      'apiserver-etcd-client',
    ];
    assert.deepEqual(
      others(untouched, 'existing', { etcd: 'external' }),
      Object.fromEntries(expected.map((name) => [name, 'unmanaged'])),
    );
  });
});

describe('an external CA', () => {
  test('with everything in place', (t) => {
    const tree = nodeWithout(t, 'pki/ca.key', 'pki/etcd/ca.key');
    assert.deepEqual(others(tree, 'existing'), { ca: 'keyless', 'etcd-ca': 'keyless' });
    assert.deepEqual([...plan(tree).issuers.keys()], ['front-proxy-ca']);
  });

  test('all that only it could sign is listed', (t) => {
    const gone = [...pair('apiserver'), ...pair('etcd/peer'), 'scheduler.conf', 'kubelet.conf'];
    const tree = nodeWithout(t, 'pki/ca.key', 'pki/etcd/ca.key', ...gone);
    const lacks = (name: string, path: string, ca: string): string =>
      `${name}: not-found: /etc/kubernetes/${path}: no such file, and the key of /etc/kubernetes/pki/${ca}.crt is not here to make it (external CA)`;
    const { said, hint } = refusals(tree);
    assert.deepEqual(said, [
      lacks('apiserver', 'pki/apiserver.crt', 'ca'),
      lacks('etcd-peer', 'pki/etcd/peer.crt', 'etcd/ca'),
      lacks('kubelet.conf', 'kubelet.conf', 'ca'),
      lacks('scheduler.conf', 'scheduler.conf', 'ca'),
    ]);
    assert.equal(hint, 'put it in place with its key, as the CA has made it or from a backup');
  });

  test('what only the first node has may be left out, with a warning, unless it is named', (t) => {
    const tree = nodeWithout(t, 'pki/ca.key', 'super-admin.conf');
    assert.deepEqual(others(tree, 'existing'), { ca: 'keyless', 'super-admin.conf': 'left-out' });
    assert.deepEqual(warnings(tree), [
      '/etc/kubernetes/super-admin.conf: no such file, and the key of /etc/kubernetes/pki/ca.crt is not here to make it (external CA)',
    ]);
    assert.deepEqual(statuses(tree, { names: ['super-admin.conf'] }), { 'super-admin.conf': 'refused' });
  });

  test('that has expired is refused, with all that it has signed', (t) => {
    const tree = nodeWithout(t, 'pki/front-proxy-ca.key');
    copyFileSync(fixturePath('bad', 'expired-ca.crt'), pki(tree, 'front-proxy-ca.crt'));
    const { said, hint } = refusals(tree);
    assert.equal(said.length, 2);
    for (const text of said) {
      assert.match(
        text,
        /: bad-issuer: \/etc\/kubernetes\/pki\/front-proxy-ca\.crt: holds a certificate which expired on /,
      );
    }
    assert.equal(hint, 'put the CA certificate of this cluster in place');
  });
});

describe('a CA, or the service-account key, that is not there', () => {
  test('is not made anew beside what it has signed', (t) => {
    const tree = nodeWithout(t, ...pair('ca'));
    const { said, hint } = refusals(tree);
    const signed = ['ca', 'apiserver', 'apiserver-kubelet-client', 'admin.conf', 'super-admin.conf'];
    const all = [...signed, 'kubelet.conf', 'controller-manager.conf', 'scheduler.conf'];
    const message =
      'conflict: /etc/kubernetes/pki/ca.crt: no such file, but /etc/kubernetes/pki/apiserver.crt is there: a second one would not be trusted by what exists';
    assert.deepEqual(
      said,
      all.map((name) => `${name}: ${message}`),
    );
    assert.equal(hint, 'mount or restore what is missing; if a new one is wanted: kubepki certs generate ca');
  });

  test('one kubeconfig, one key, one unreadable file is enough of a sign', (t) => {
    for (const [path, name] of [
      ['admin.conf', 'ca'],
      ['pki/apiserver.key', 'ca'],
      ['pki/front-proxy-client.crt', 'front-proxy-ca'],
      ['pki/etcd/server.crt', 'etcd-ca'],
    ] as const) {
      const tree = emptyNode(t);
      writeFileSync(join(tree.kubeconfigDir, path), 'garbage\n');
      const said = refusals(tree).said.filter((text) => text.startsWith(`${name}: `));
      assert.equal(said.length, 1, path);
      assert.ok(said[0]?.includes(`no such file, but /etc/kubernetes/${path} is there`), said[0]);
    }
  });

  test('is made where it is named, and what is there then belongs to nothing', (t) => {
    const tree = nodeWithout(t, ...pair('front-proxy-ca'));
    assert.deepEqual(statuses(tree, { names: ['front-proxy-ca'] }), { 'front-proxy-ca': 'new' });
    assert.deepEqual(warnings(tree, { names: ['front-proxy-ca'] }), [
      '/etc/kubernetes/pki/front-proxy-client.crt: is there already, and is not signed by the new front-proxy-ca',
    ]);
    assert.deepEqual(refusals(tree, { names: ['front-proxy-ca', 'front-proxy-client'] }).said, [
      'front-proxy-client: foreign-issuer: /etc/kubernetes/pki/front-proxy-client.crt: cannot be signed by the CA of /etc/kubernetes/pki/front-proxy-ca.crt, which is new',
    ]);
  });

  test('and was not asked for: what it would sign says so', (t) => {
    const { said, hint } = refusals(emptyNode(t), { names: ['apiserver', 'admin.conf'] });
    const message = 'not-found: /etc/kubernetes/pki/ca.crt: no such file: the CA certificate is missing';
    assert.deepEqual(said, [`apiserver: ${message}`, `admin.conf: ${message}`]);
    assert.equal(hint, 'put your own CA in place, or make one: kubepki certs generate ca');
  });

  test('the service-account key: a kubeconfig, or both certificates of the API server’s own', (t) => {
    const sa = ['pki/sa.key', 'pki/sa.pub'];
    const said = (tree: Tree, asking?: Asking): string | undefined =>
      refusals(tree, asking).said.find((text) => text.startsWith('sa: '));
    assert.match(
      said(nodeWithout(t, ...sa)) ?? '',
      /^sa: conflict: \/etc\/kubernetes\/pki\/sa\.key: no such file, but \S+ is there: a second one would not be/,
    );
    assert.deepEqual(statuses(nodeWithout(t, ...sa), { names: ['sa'] }), { sa: 'new' });
    const kubeconfigs = initSpecs.filter(({ kind }) => kind === 'kubeconfig').map(({ name }) => name);
    // Not so with an external etcd.
    const bare = nodeWithout(t, ...sa, ...kubeconfigs);
    assert.match(said(bare) ?? '', /, but \/etc\/kubernetes\/pki\/apiserver\.crt is there/);
    // One may be put there before the first run.
    for (const path of pair('apiserver-kubelet-client')) rmSync(join(bare.kubeconfigDir, path));
    assert.equal(said(bare), undefined);
    assert.equal(statuses(bare)['sa'], 'new');
    copyFileSync(join(untouched.kubeconfigDir, 'scheduler.conf'), join(bare.kubeconfigDir, 'scheduler.conf'));
    assert.match(said(bare) ?? '', /, but \/etc\/kubernetes\/scheduler\.conf is there/);
  });

  test('behind a link that leads nowhere is a disk that is not mounted', (t) => {
    const tree = emptyNode(t);
    for (const name of ['ca.crt', 'ca.key', 'sa.key', 'sa.pub'])
      symlinkSync(`/mnt/usb/${name}`, pki(tree, name));
    const { said } = refusals(tree);
    const of = (name: string): string => said.find((text) => text.startsWith(`${name}: `)) ?? '';
    assert.match(of('ca'), /pki\/ca\.crt: the symbolic link .*ca\.crt leads to something that is not there$/);
    assert.match(of('sa'), /pki\/sa\.key: the symbolic link /);
    assert.match(of('apiserver'), /the symbolic link /);
  });
});

describe('half of a pair', () => {
  for (const [gone, name, left] of [
    ['pki/etcd/server.key', 'etcd-server', 'pki/etcd/server.crt'],
    ['pki/front-proxy-client.crt', 'front-proxy-client', 'pki/front-proxy-client.key'],
    ['pki/sa.key', 'sa', 'pki/sa.pub'],
    ['pki/sa.pub', 'sa', 'pki/sa.key'],
  ] as const) {
    test(`without ${gone}`, (t) => {
      const { said, hint } = refusals(nodeWithout(t, gone));
      assert.deepEqual(said, [
        `${name}: conflict: /etc/kubernetes/${left}: is there without /etc/kubernetes/${gone}`,
      ]);
      assert.equal(hint, 'put the other half in place, or move this one away');
    });
  }

  test('of a CA is its key alone, which stops all that it would sign', (t) => {
    const tree = nodeWithout(t, 'pki/etcd/ca.crt');
    const message =
      'conflict: /etc/kubernetes/pki/etcd/ca.key: is there without /etc/kubernetes/pki/etcd/ca.crt';
    const names = ['etcd-ca', 'etcd-server', 'etcd-peer', 'etcd-healthcheck-client', 'apiserver-etcd-client'];
    assert.deepEqual(
      refusals(tree).said,
      names.map((name) => `${name}: ${message}`),
    );
  });

  test('of two pairs of the service accounts', (t) => {
    const tree = nodeWithout(t);
    writeFileSync(pki(tree, 'sa.key'), encodePrivateKey(spareKey));
    assert.deepEqual(refusals(tree).said, [
      'sa: conflict: /etc/kubernetes/pki/sa.pub: is not the public key of /etc/kubernetes/pki/sa.key',
    ]);
  });
});

describe('what is there is checked', () => {
  interface Wrong {
    readonly what: string;
    readonly breakIt: (tree: Tree) => void;
    readonly said: RegExp;
  }
  const wrongs: readonly Wrong[] = [
    {
      what: 'a leaf of another CA',
      breakIt: (tree) => reissue(tree, 'apiserver', { by: stranger('kubernetes') }),
      said: /^apiserver: foreign-issuer: \/etc\/kubernetes\/pki\/apiserver\.crt: is not signed by the CA of \/etc\/kubernetes\/pki\/ca\.crt$/,
    },
    {
      what: 'a kubeconfig of another CA',
      breakIt: (tree) => reissue(tree, 'admin.conf', { by: stranger('kubernetes') }),
      said: /^admin\.conf: foreign-issuer: \/etc\/kubernetes\/admin\.conf: is not signed by the CA of /,
    },
    {
      what: 'a leaf with the key of another',
      breakIt: (tree) => {
        copyFileSync(pki(tree, 'etcd/server.key'), pki(tree, 'etcd/peer.key'));
      },
      said: /^etcd-peer: conflict: \/etc\/kubernetes\/pki\/etcd\/peer\.key: is not the key of its certificate$/,
    },
    {
      what: 'one that has expired',
      breakIt: (tree) => reissue(tree, 'apiserver', { until: inDays(-1) }),
      said: /^apiserver: bad-certificate: .*apiserver\.crt: expired on 2026-12-31T00:00:00Z$/,
    },
    {
      what: 'one that is not valid yet',
      breakIt: (tree) => reissue(tree, 'apiserver', { from: inDays(1) }),
      said: /^apiserver: bad-certificate: .*apiserver\.crt: is not valid before 2027-01-02T00:00:00Z$/,
    },
    {
      what: 'one that is for another use',
      breakIt: (tree) =>
        reissue(tree, 'apiserver', {
          profile: withExtension(profileOf(leafOf(tree, 'apiserver')), extendedKeyUsage(['clientAuth'])),
        }),
      said: /^apiserver: bad-certificate: .*apiserver\.crt: lacks the extended key usage serverAuth$/,
    },
    {
      what: 'the CA in the place of a leaf',
      breakIt: (tree) => {
        for (const suffix of ['crt', 'key'])
          copyFileSync(pki(tree, `ca.${suffix}`), pki(tree, `apiserver.${suffix}`));
      },
      said: /^apiserver: bad-certificate: .*apiserver\.crt: is a CA certificate \(CA:TRUE\)$/,
    },
    {
      what: 'one that is damaged',
      breakIt: (tree) => {
        writeFileSync(pki(tree, 'apiserver.crt'), 'garbage\n');
      },
      said: /^apiserver: bad-pem: .*apiserver\.crt: is not PEM: no certificate found$/,
    },
    {
      what: 'a kubeconfig that trusts another CA, in kubeadm’s words',
      breakIt: (tree) => {
        const other = readFileSync(pki(tree, 'etcd/ca.crt'), 'utf8');
        editKubeconfig(tree, 'admin.conf', { 'certificate-authority-data': other });
      },
      said: /^admin\.conf: foreign-issuer: .*a kubeconfig file ".*admin\.conf" exists already but has got the wrong CA cert$/,
    },
    {
      what: 'a kubeconfig that waits for its certificate',
      breakIt: (tree) => {
        edit(tree, 'admin.conf', /^.*client-certificate-data: .*\n/m, '');
      },
      said: /^admin\.conf: bad-kubeconfig: .*admin\.conf: holds no client certificate with its key$/,
    },
    {
      what: 'a kubeconfig whose files are not there, as on a running node',
      breakIt: (tree) => {
        const current = '/var/lib/kubelet/pki/kubelet-client-current.pem';
        edit(tree, 'kubelet.conf', /client-certificate-data: .*/, `client-certificate: ${current}`);
        edit(tree, 'kubelet.conf', /client-key-data: .*/, `client-key: ${current}`);
      },
      said: /^kubelet\.conf: bad-kubeconfig: .*: names files that are not there: \/var\/lib\/kubelet\/pki\/kubelet-client-current\.pem/,
    },
    {
      what: 'a kubeconfig that is none',
      breakIt: (tree) => {
        writeFileSync(join(tree.kubeconfigDir, 'scheduler.conf'), 'clusters: 7\n');
      },
      said: /^scheduler\.conf: bad-kubeconfig: \/etc\/kubernetes\/scheduler\.conf: /,
    },
  ];
  for (const { what, breakIt, said } of wrongs) {
    test(`${what}: refused, and nothing else is`, (t) => {
      const tree = nodeWithout(t);
      breakIt(tree);
      const all = refusals(tree).said;
      assert.equal(all.length, 1, all.join('\n'));
      assert.match(all[0] ?? '', said);
    });
  }

  for (const [what, breakIt, said] of [
    [
      'with the key of another',
      (tree: Tree) => {
        copyFileSync(pki(tree, 'front-proxy-ca.key'), pki(tree, 'etcd/ca.key'));
      },
      /bad-issuer: \/etc\/kubernetes\/pki\/etcd\/ca\.key: does not belong to the CA certificate/,
    ],
    [
      'that has expired',
      (tree: Tree) => {
        remakeAuthority(tree, 'etcd-ca', { until: inDays(-1) });
      },
      /bad-issuer: \/etc\/kubernetes\/pki\/etcd\/ca\.crt: the CA expired on 2026-12-31T00:00:00Z/,
    ],
  ] as const) {
    test(`a CA ${what} signs nothing, and what it has signed is not judged well`, (t) => {
      const tree = nodeWithout(t);
      breakIt(tree);
      const all = refusals(tree).said;
      assert.deepEqual(
        all.map((text) => text.split(':')[0]),
        ['etcd-ca', 'etcd-server', 'etcd-peer', 'etcd-healthcheck-client', 'apiserver-etcd-client'],
      );
      for (const text of all) assert.match(text, said);
    });
  }
});

describe('what is there and used all the same is warned of', () => {
  test('a name that the configuration has got since, with the command that adds it', (t) => {
    const later = { apiServerSans: ['new.example.com', '192.0.2.77'], etcdPeerSans: ['peer.example.com'] };
    assert.deepEqual(others(untouched, 'existing', { node: later }), {});
    assert.deepEqual(warnings(untouched, { node: later }), [
      '/etc/kubernetes/pki/apiserver.crt: lacks SANs that the configuration asks for: DNS:new.example.com, IP:192.0.2.77; to add them: kubepki certs renew apiserver --add-san new.example.com,192.0.2.77',
      '/etc/kubernetes/pki/etcd/peer.crt: lacks SANs that the configuration asks for: DNS:peer.example.com; to add them: kubepki certs renew etcd-peer --add-san peer.example.com',
    ]);
    const external = nodeWithout(t, 'pki/ca.key');
    assert.match(
      warnings(external, { node: later })[0] ?? '',
      / --add-san new\.example\.com,192\.0\.2\.77 --csr-only$/,
    );
  });

  test('a kubeconfig for another API server, in kubeadm’s words', (t) => {
    const tree = nodeWithout(t);
    edit(tree, 'admin.conf', 'https://127.0.0.1:1', 'https://192.0.2.1:6443');
    assert.deepEqual(others(tree, 'existing'), {});
    assert.deepEqual(warnings(tree), [
      'a kubeconfig file "/etc/kubernetes/admin.conf" exists already but has an unexpected API Server URL: expected: https://127.0.0.1:1, got: https://192.0.2.1:6443',
    ]);
  });

  test('a kubelet.conf for the endpoint: right before 1.33, wrong since, either where no version is known', (t) => {
    const tree = nodeWithout(t);
    edit(tree, 'kubelet.conf', 'https://192.0.2.10:6443', 'https://127.0.0.1:1');
    assert.deepEqual(warnings(tree, { node: { kubeletServer: 'endpoint' } }), []);
    assert.deepEqual(warnings(tree, { node: { kubeletServer: 'unknown' } }), []);
    assert.match(
      warnings(tree, { node: { kubeletServer: 'own' } }).join('\n'),
      /kubelet\.conf" exists already but has an unexpected API Server URL: expected: https:\/\/192\.0\.2\.10:6443,/,
    );
  });

  test('a kubeconfig that names no CA', (t) => {
    const tree = nodeWithout(t);
    edit(tree, 'admin.conf', /^.*certificate-authority-data: .*\n/m, '');
    assert.deepEqual(warnings(tree), [
      '/etc/kubernetes/admin.conf: names no CA, so a client that uses it trusts those of the system',
    ]);
  });

  test('a new kubeconfig that leads to a name which the API server’s certificate lacks', (t) => {
    const tree = nodeWithout(t, 'admin.conf');
    const asking = { node: { controlPlaneEndpoint: { host: 'api.example.com', port: 6443 } } };
    assert.deepEqual(warnings(tree, { ...asking, names: ['admin.conf'] }), [
      '/etc/kubernetes/admin.conf: leads to https://api.example.com:6443, and /etc/kubernetes/pki/apiserver.crt lacks the SAN DNS:api.example.com; to add it: kubepki certs renew apiserver --add-san api.example.com',
    ]);
    // Where that certificate is looked at as well, it is told of itself.
    const both = warnings(tree, { ...asking, names: ['apiserver', 'admin.conf'] });
    assert.equal(both.length, 1);
    assert.match(
      both[0] ?? '',
      /apiserver\.crt: lacks SANs that the configuration asks for: DNS:api\.example\.com;/,
    );
    assert.deepEqual(warnings(tree, { names: ['admin.conf'] }), []);
  });
});

function edit(tree: Tree, name: string, old: string | RegExp, next: string): void {
  const path = join(tree.kubeconfigDir, name);
  const text = readFileSync(path, 'utf8');
  const edited = text.replace(old, next);
  assert.notEqual(edited, text);
  writeFileSync(path, edited);
}
