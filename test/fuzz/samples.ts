import type { InputKind, Sample } from './input.ts';

const inPki = (role: string, name: string): Sample => ({ role, file: `etc/kubernetes/pki/${name}` });
const kubeconfig = (role: string, name: string): Sample => ({ role, file: `etc/kubernetes/${name}` });
const config = (role: string): Sample => ({ role, file: 'kubeadm.yaml' });
const asDer = (sample: Sample): Sample => ({ ...sample, der: true });

const leaves = ['stacked-etcd-rsa', 'rsa-ca-ecdsa-leaves', 'custom-subject', 'leaf-chain'].map((role) =>
  inPki(role, 'apiserver.crt'),
);

/** What is handed to a parser as it is. */
export const parserInputs = {
  certificatePem: { name: 'certificates in PEM', form: 'pem', samples: leaves },
  certificateDer: {
    name: 'certificates in DER',
    form: 'der',
    samples: [...leaves, inPki('stacked-etcd-rsa', 'ca.crt')].map(asDer),
  },
  privateKey: {
    name: 'private keys',
    form: 'pem',
    samples: [
      inPki('stacked-etcd-rsa', 'ca.key'),
      inPki('rsa-ca-ecdsa-leaves', 'apiserver.key'),
      inPki('rsa-ca-ecdsa-leaves', 'front-proxy-client.key'),
      { role: 'bad', file: 'encrypted.key' },
    ],
  },
  kubeconfig: {
    name: 'kubeconfigs',
    form: 'yaml',
    samples: [
      kubeconfig('stacked-etcd-rsa', 'admin.conf'),
      kubeconfig('kubeconfig-rich', 'admin.conf'),
      kubeconfig('kubeconfig-rich', 'scheduler.conf'),
      kubeconfig('kubeconfig-rich', 'controller-manager.conf'),
    ],
  },
  kubeadmConfig: {
    name: 'kubeadm configurations',
    form: 'yaml',
    samples: ['stacked-etcd-rsa', 'external-etcd', 'super-admin'].map(config),
  },
} as const satisfies Record<string, InputKind>;

/** What the commands find in a tree, in this process. */
export const commandInputs: readonly InputKind[] = [
  {
    name: 'commands: a leaf certificate',
    form: 'pem',
    samples: [
      inPki('stacked-etcd-rsa', 'apiserver.crt'),
      inPki('custom-subject', 'apiserver.crt'),
      inPki('leaf-chain', 'apiserver.crt'),
      inPki('ipv6', 'etcd/server.crt'),
    ],
  },
  {
    name: 'commands: a CA certificate',
    form: 'pem',
    samples: ['stacked-etcd-rsa', 'ca-bundle', 'leaf-chain', 'super-admin'].map((role) =>
      inPki(role, 'ca.crt'),
    ),
  },
  {
    name: 'commands: the CA certificate of etcd',
    form: 'pem',
    samples: ['stacked-etcd-rsa', 'ipv6'].map((role) => inPki(role, 'etcd/ca.crt')),
  },
  {
    name: 'commands: a CA key',
    form: 'pem',
    samples: ['stacked-etcd-rsa', 'ipv6'].map((role) => inPki(role, 'ca.key')),
  },
  {
    name: 'commands: DER in the place of PEM',
    form: 'der',
    samples: ['apiserver.crt', 'ca.crt', 'ca.key', 'etcd/ca.crt'].map((name) =>
      asDer(inPki('stacked-etcd-rsa', name)),
    ),
  },
  {
    name: 'commands: a kubeconfig',
    form: 'yaml',
    samples: [
      kubeconfig('stacked-etcd-rsa', 'admin.conf'),
      kubeconfig('kubeconfig-files', 'admin.conf'),
      kubeconfig('kubeconfig-rich', 'admin.conf'),
      kubeconfig('kubeconfig-rich', 'scheduler.conf'),
      kubeconfig('kubeconfig-rich', 'controller-manager.conf'),
    ],
  },
  {
    name: 'commands: the file of --config',
    form: 'yaml',
    samples: ['stacked-etcd-rsa', 'external-etcd', 'super-admin'].map(config),
  },
];

// An ECDSA tree, where the keys of a renewal are made in no time.
const inIpv6 = (sample: Sample): Sample => ({ ...sample, from: sample.role, role: 'ipv6' });

/** What the real process finds in a tree. */
export const processInputs: readonly InputKind[] = [
  {
    name: 'process: a leaf certificate',
    form: 'pem',
    samples: [inPki('ipv6', 'apiserver.crt'), inIpv6(inPki('custom-subject', 'apiserver.crt'))],
  },
  {
    name: 'process: a CA certificate',
    form: 'pem',
    samples: [inPki('ipv6', 'ca.crt'), inPki('ipv6', 'etcd/ca.crt')],
  },
  {
    name: 'process: a CA key',
    form: 'pem',
    samples: ['ipv6', 'rsa-ca-ecdsa-leaves'].map((role) => inPki(role, 'ca.key')),
  },
  {
    name: 'process: DER in the place of PEM',
    form: 'der',
    samples: ['apiserver.crt', 'ca.crt', 'ca.key'].map((name) => asDer(inPki('ipv6', name))),
  },
  {
    name: 'process: a kubeconfig',
    form: 'yaml',
    samples: [
      kubeconfig('ipv6', 'admin.conf'),
      inIpv6(kubeconfig('kubeconfig-rich', 'admin.conf')),
      inIpv6(kubeconfig('kubeconfig-rich', 'scheduler.conf')),
    ],
  },
  {
    name: 'process: the file of --config',
    form: 'yaml',
    samples: ['super-admin', 'external-etcd'].map((role) => inIpv6(config(role))),
  },
];
