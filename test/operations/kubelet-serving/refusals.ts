import type { Check } from '../../../src/operations/kubelet-serving/kubelet-serving.ts';
import type { Selection } from '../../../src/operations/kubelet-serving/name-checks.ts';
import type { SigningRequest } from '../../../src/operations/kubelet-serving/signing-request.ts';
import type { ClusterNode, Surroundings } from '../../../src/operations/kubelet-serving/surroundings.ts';
import {
  derToPem,
  pemToDer,
  type RequestMaker,
  type Wanted,
} from '../../support/certificates/serving-request.ts';
import { selection } from './sample.ts';

/** A request with one thing wrong. */
export interface Refusal {
  readonly title: string;
  readonly check: Check;
  readonly wanted?: Partial<Wanted>;
  readonly object?: Partial<SigningRequest>;
  /** What the Node says of itself besides: a kubelet can write that. */
  readonly claims?: ClusterNode['addresses'];
  readonly surroundings?: Partial<Surroundings>;
  readonly selection?: Selection;
  /** What becomes of openssl's PEM on its way. */
  readonly spoil?: (pem: Buffer, maker: RequestMaker) => Buffer;
}

const oneName = (name: string, ...more: string[]): Partial<Wanted> => ({ names: [name, ...more] });
const claim = (type: string, address: string): ClusterNode['addresses'] => [{ type, address }];
const right = ['O = system:nodes', 'CN = system:node:node-1'];
const subject = (...lines: string[]): Partial<Wanted> => ({ subject: lines });
const extension = (...lines: string[]): Partial<Wanted> => ({ extensions: lines });
const onlyExtension = (...lines: string[]): Partial<Wanted> => ({ names: [], extensions: lines });

function swapped(from: string, to: string): (pem: Buffer) => Buffer {
  return (pem) => {
    const der = pemToDer(pem);
    const at = der.indexOf(from);
    if (at === -1 || from.length !== to.length) throw new Error(`no ${from} in the request`);
    der.write(to, at, 'latin1');
    return derToPem(der);
  };
}

const decided: Refusal[] = [
  ...['Approved', 'Denied', 'Failed'].map((condition): Refusal => ({
    title: `it is ${condition}`,
    check: 'pending',
    object: { conditions: [condition] },
  })),
  { title: 'it is issued', check: 'pending', object: { issued: true } },
];

const signers: Refusal[] = [
  'kubernetes.io/kube-apiserver-client',
  'kubernetes.io/kube-apiserver-client-kubelet',
  'kubernetes.io/legacy-unknown',
  'kubernetes.io/kubelet-serving ',
  'example.com/kubelet-serving',
  '',
].map((signerName) => ({ title: `signer ${signerName}`, check: 'signer', object: { signerName } }));

const requestors: Refusal[] = [
  ...[
    'kubernetes-admin',
    'system:serviceaccount:kube-system:node-1',
    'node-1',
    'system:node:',
    'system:node:Node-1',
    'system:node:a/../node-1',
    'System:node:node-1',
    'system:nodes:node-1',
  ].map((username): Refusal => ({
    title: `requestor ${username}`,
    check: 'requestor',
    object: { username },
  })),
  { title: 'in no group', check: 'requestor', object: { groups: [] } },
  {
    title: 'in other groups',
    check: 'requestor',
    object: { groups: ['system:masters', 'system:authenticated', 'system:node', 'system:nodes:x'] },
  },
];

const usages: Refusal[] = [
  ['client auth', 'digital signature', 'key encipherment'],
  ['client auth', 'digital signature', 'key encipherment', 'server auth'],
  ['digital signature', 'key encipherment'],
  ['server auth'],
  ['key encipherment', 'server auth'],
  ['digital signature', 'server auth', 'cert sign'],
  ['digital signature', 'digital signature', 'server auth'],
  ['any', 'digital signature', 'server auth'],
  // One text that reads like two, three, or some of each.
  ['digital signature, server auth'],
  ['digital signature', 'key encipherment, server auth'],
  ['digital signature, key encipherment', 'server auth'],
  ['digital signature,server auth'],
  ['digital signature\nserver auth'],
  [],
].map((list) => ({ title: `usages ${list.join()}`, check: 'usages', object: { usages: list } }));

const forms: Refusal[] = [
  { title: 'no PEM', check: 'request', spoil: pemToDer },
  { title: 'empty', check: 'request', spoil: () => Buffer.alloc(0) },
  { title: 'noise', check: 'request', spoil: () => derToPem(Buffer.from('30820123deadbeef', 'hex')) },
  { title: 'another PEM label', check: 'request', spoil: (pem) => derToPem(pemToDer(pem), 'CERTIFICATE') },
  {
    title: 'the label of old tools',
    check: 'request',
    spoil: (pem) => derToPem(pemToDer(pem), 'NEW CERTIFICATE REQUEST'),
  },
  { title: 'two requests', check: 'request', spoil: (pem) => Buffer.concat([pem, pem]) },
  { title: 'text before it', check: 'request', spoil: (pem) => Buffer.concat([Buffer.from('hello\n'), pem]) },
  {
    title: 'a PEM header',
    check: 'request',
    spoil: (pem) => Buffer.from(pem.toString().replace('REQUEST-----\n', 'REQUEST-----\nA: b\n\n')),
  },
  {
    title: 'bytes behind it',
    check: 'request',
    spoil: (pem) => derToPem(Buffer.concat([pemToDer(pem), Buffer.from([5, 0])])),
  },
  { title: 'cut off', check: 'request', spoil: (pem) => derToPem(pemToDer(pem).subarray(0, -9)) },
  {
    title: 'larger than any request',
    check: 'request',
    spoil: (pem) => Buffer.concat([pem, Buffer.alloc(70_000, '\n')]),
  },
  {
    title: 'version 2',
    check: 'request',
    wanted: { key: 'RSA-2048' },
    // After the headers of two SEQUENCEs with lengths of two bytes each: INTEGER 0.
    spoil: signedAgain((der) => der.writeUInt8(1, 10)),
  },
  {
    title: 'two lists of extensions',
    check: 'request',
    // openssl makes no second one: 1.9.13 becomes 1.9.14.
    wanted: { key: 'RSA-2048', attributes: ['1.2.840.113549.1.9.13 = second'] },
    spoil: signedAgain((der) => der.writeUInt8(14, der.indexOf('2a864886f70d01090d', 'hex') + 8)),
  },
];

/** With a right signature, so that nothing but the change is wrong. */
function signedAgain(change: (der: Buffer) => void): NonNullable<Refusal['spoil']> {
  return (pem, maker) => {
    const der = pemToDer(pem);
    change(der);
    const info = der.subarray(4, 8 + der.readUInt16BE(6));
    const signature = maker.sign('RSA-2048', info);
    return derToPem(Buffer.concat([der.subarray(0, -signature.length), signature]));
  };
}

const keys: Refusal[] = (
  [
    'RSA-1024',
    'RSA-2047',
    'RSA-8200',
    'RSA-2048, exponent 3',
    'RSA-PSS',
    'P-521',
    'secp256k1',
    'P-256 in numbers',
    'Ed25519',
  ] as const
).map((key) => ({ title: `key ${key}`, check: 'key', wanted: { key } }));

const signatures: Refusal[] = [
  {
    title: 'a bit of the signature',
    check: 'signature',
    wanted: { key: 'RSA-2048' },
    spoil: (pem) => {
      const der = pemToDer(pem);
      der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
      return derToPem(der);
    },
  },
  { title: 'the name, once signed', check: 'signature', spoil: swapped('node-1.example', 'node-9.example') },
  {
    title: "another key's signature",
    check: 'signature',
    wanted: { key: 'RSA-2048' },
    spoil: (pem, maker) => {
      const der = pemToDer(pem);
      const signature = maker.sign('RSA-2048', Buffer.from('something else'));
      return derToPem(Buffer.concat([der.subarray(0, -signature.length), signature]));
    },
  },
  { title: 'SHA-1', check: 'signature', wanted: { options: ['-sha1'] } },
  { title: 'SHA-1 with RSA', check: 'signature', wanted: { key: 'RSA-2048', options: ['-sha1'] } },
  {
    title: 'PSS',
    check: 'signature',
    wanted: { key: 'RSA-2048', options: ['-sigopt', 'rsa_padding_mode:pss'] },
  },
];

/** With a subject of other string types than openssl writes, and right otherwise. */
function typed(attribute: string, tag: number): NonNullable<Refusal['spoil']> {
  return signedAgain((der) => {
    const at = der.indexOf(attribute);
    if (der[at - 2] !== utf8String) throw new Error(`no ${attribute} in the request`);
    der.writeUInt8(tag, at - 2);
  });
}

const utf8String = 12;

/** Go reads such an attribute as no text: the signer would issue for nobody what was judged as a node's. */
const noTexts: Refusal[] = Object.entries({
  'a BOOLEAN': 1,
  'an INTEGER': 2,
  'a BIT STRING': 3,
  'an OCTET STRING': 4,
  'an ENUMERATED': 10,
  'a VisibleString': 26,
  'a GeneralString': 27,
  'a context-specific tag': 0x8c,
}).flatMap(([type, tag]) =>
  ['system:node:node-1', 'system:nodes'].map((attribute): Refusal => ({
    title: `${attribute} is ${type}`,
    check: 'request',
    wanted: { key: 'RSA-2048' },
    spoil: typed(attribute, tag),
  })),
);

const subjects: Refusal[] = [
  ...noTexts,
  {
    title: "another node's common name",
    check: 'common-name',
    wanted: subject('O = system:nodes', 'CN = system:node:node-2'),
  },
  {
    title: 'a common name without the prefix',
    check: 'common-name',
    wanted: subject('O = system:nodes', 'CN = node-1'),
  },
  {
    title: 'a common name in capitals',
    check: 'common-name',
    wanted: subject('O = system:nodes', 'CN = system:node:NODE-1'),
  },
  { title: 'no common name', check: 'common-name', wanted: subject('O = system:nodes') },
  {
    title: 'two common names',
    check: 'common-name',
    wanted: subject('O = system:nodes', '0.CN = system:node:node-1', '1.CN = kubernetes'),
  },
  {
    title: 'the requestor is another node',
    check: 'common-name',
    object: { username: 'system:node:node-2' },
  },
  {
    title: 'another organization',
    check: 'organization',
    wanted: subject('O = system:masters', 'CN = system:node:node-1'),
  },
  { title: 'no organization', check: 'organization', wanted: subject('CN = system:node:node-1') },
  {
    title: 'two organizations',
    check: 'organization',
    wanted: subject('0.O = system:nodes', '1.O = system:masters', 'CN = system:node:node-1'),
  },
  {
    title: 'the organization twice',
    check: 'organization',
    wanted: subject('0.O = system:nodes', '1.O = system:nodes', 'CN = system:node:node-1'),
  },
  {
    title: 'two organizations in one RDN',
    check: 'organization',
    wanted: subject('0.O = system:nodes', '+1.O = system:masters', 'CN = system:node:node-1'),
  },
  { title: 'an organizational unit', check: 'subject', wanted: subject(...right, 'OU = masters') },
  {
    title: 'an e-mail address in the subject',
    check: 'subject',
    wanted: subject(...right, 'emailAddress = a@b.c'),
  },
  {
    title: 'a serial number in the subject',
    check: 'subject',
    wanted: subject(...right, 'serialNumber = 1'),
  },
];

const extensions: Refusal[] = [
  { title: 'CA:TRUE', check: 'extensions', wanted: extension('basicConstraints = critical, CA:TRUE') },
  { title: 'CA:FALSE', check: 'extensions', wanted: extension('basicConstraints = CA:FALSE') },
  { title: 'keyCertSign', check: 'extensions', wanted: extension('keyUsage = keyCertSign') },
  { title: 'key usages', check: 'extensions', wanted: extension('keyUsage = digitalSignature') },
  {
    title: 'clientAuth',
    check: 'extensions',
    wanted: extension('extendedKeyUsage = clientAuth, serverAuth'),
  },
  { title: 'an unknown extension', check: 'extensions', wanted: extension('1.2.3.4 = DER:0500') },
  {
    title: 'the SAN twice',
    check: 'extensions',
    // DNS:kubernetes
    wanted: extension('2.5.29.17 = DER:300c820a6b756265726e65746573'),
  },
  {
    title: 'a challenge password',
    check: 'extensions',
    wanted: { attributes: ['challengePassword = guessed'] },
  },
  {
    title: "Microsoft's attribute for extensions",
    check: 'extensions',
    wanted: { attributes: ['1.3.6.1.4.1.311.2.1.14 = other'] },
  },
];

const names: Refusal[] = [
  { title: 'no SAN', check: 'names-present', wanted: { names: [] } },
  { title: 'an empty SAN', check: 'names-present', wanted: onlyExtension('subjectAltName = DER:3000') },
  { title: 'e-mail', check: 'name-kinds', wanted: oneName('IP:192.0.2.10', 'email:root@node-1') },
  { title: 'URI', check: 'name-kinds', wanted: oneName('IP:192.0.2.10', 'URI:https://node-1/') },
  { title: 'dirName', check: 'name-kinds', wanted: oneName('IP:192.0.2.10', 'dirName:dir') },
  { title: 'otherName', check: 'name-kinds', wanted: oneName('DNS:node-1', 'otherName:1.2.3.4;UTF8:x') },
  { title: 'registered ID', check: 'name-kinds', wanted: oneName('DNS:node-1', 'RID:1.2.3.4') },
  {
    title: 'an address of five bytes',
    check: 'name-kinds',
    wanted: onlyExtension('subjectAltName = DER:30078705c000020a00'),
  },
  {
    title: 'an INTEGER, whose number is that of DNS names',
    check: 'name-kinds',
    wanted: onlyExtension('subjectAltName = DER:300802066e6f64652d31'),
  },
  { title: 'a SAN that is no list', check: 'request', wanted: onlyExtension('subjectAltName = DER:0500') },
  ...[
    ['a wildcard', 'DNS:*.example.internal', claim('InternalDNS', '*.example.internal')],
    ['a lone wildcard', 'DNS:*', claim('Hostname', '*')],
    ['a dot at the end', 'DNS:node-1.', claim('Hostname', 'node-1.')],
    ['an underscore', 'DNS:node_1', claim('Hostname', 'node_1')],
    ['an address as a name', 'DNS:192.0.2.10', claim('Hostname', '192.0.2.10')],
    ['localhost', 'DNS:localhost', claim('Hostname', 'localhost')],
    ['a loopback address', 'IP:127.0.0.1', claim('InternalIP', '127.0.0.1')],
    ['the IPv6 loopback address', 'IP:::1', claim('InternalIP', '::1')],
    ['a mapped loopback address', 'IP:::ffff:127.0.0.2', claim('InternalIP', '127.0.0.2')],
    ['a link-local address', 'IP:169.254.169.254', claim('InternalIP', '169.254.169.254')],
    ['an IPv6 link-local address', 'IP:fe80::1', claim('InternalIP', 'fe80::1')],
    ['a multicast address', 'IP:224.0.0.1', claim('InternalIP', '224.0.0.1')],
    ['an IPv6 multicast address', 'IP:ff02::1', claim('InternalIP', 'ff02::1')],
    ['the unspecified address', 'IP:0.0.0.0', claim('InternalIP', '0.0.0.0')],
    ['the unspecified IPv6 address', 'IP:::', claim('InternalIP', '::')],
    ['the broadcast address', 'IP:255.255.255.255', claim('InternalIP', '255.255.255.255')],
  ].map(([title, name, claims]) => ({
    title: title as string,
    check: 'name-values' as const,
    wanted: oneName(name as string),
    claims: claims as ClusterNode['addresses'],
  })),
  {
    title: 'a NUL in a name',
    check: 'name-values',
    wanted: onlyExtension('subjectAltName = DER:300a8208'.concat('6e6f64652d310061')),
  },
];

const ofTheNode: Refusal[] = [
  { title: 'no such Node', check: 'node', surroundings: { nodes: [] } },
  {
    title: 'a Node of nearly that name',
    check: 'node',
    surroundings: { nodes: [{ name: 'node-10', addresses: claim('Hostname', 'node-1') }] },
  },
  {
    title: 'one name more than the Node has',
    check: 'node-addresses',
    wanted: oneName('DNS:node-1', 'DNS:node-3'),
  },
  { title: 'one address more', check: 'node-addresses', wanted: oneName('IP:192.0.2.10', 'IP:192.0.2.11') },
  { title: 'a name below its own', check: 'node-addresses', wanted: oneName('DNS:www.node-1') },
  {
    title: 'an address of a kind that is none',
    check: 'node-addresses',
    wanted: oneName('DNS:node-1.example.org'),
    claims: claim('Alias', 'node-1.example.org'),
  },
  {
    title: 'a Node without addresses',
    check: 'node-addresses',
    surroundings: { nodes: [{ name: 'node-1', addresses: [] }] },
  },
];

const taken: Refusal[] = (
  [
    ['other-node', 'DNS:node-2.example.internal', claim('Hostname', 'node-2.example.internal')],
    ['other-node', 'DNS:NODE-2', claim('Hostname', 'node-2')],
    ['other-node', 'IP:192.0.2.20', claim('InternalIP', '192.0.2.20')],
    ['other-node', 'IP:::ffff:192.0.2.20', claim('InternalIP', '192.0.2.20')],
    ['other-node', 'IP:2001:db8:0:0::20', claim('ExternalIP', '2001:db8::20')],
    ['service', 'IP:10.96.0.1', claim('InternalIP', '10.96.0.1')],
    ['service', 'IP:10.96.0.77', claim('InternalIP', '10.96.0.77')],
    ['service', 'IP:fd00:96::77', claim('InternalIP', 'fd00:96::77')],
    ['service', 'IP:198.51.100.7', claim('ExternalIP', '198.51.100.7')],
    ['service', 'IP:198.51.100.8', claim('ExternalIP', '198.51.100.8')],
    ['service', 'DNS:lb.example.com', claim('ExternalDNS', 'lb.example.com')],
    ['service', 'DNS:kubernetes', claim('Hostname', 'kubernetes')],
    ['service', 'DNS:kubernetes.default', claim('InternalDNS', 'kubernetes.default')],
    ['service', 'DNS:kubernetes.default.svc', claim('InternalDNS', 'kubernetes.default.svc')],
    [
      'service',
      'DNS:Kubernetes.default.svc.cluster.local',
      claim('InternalDNS', 'kubernetes.default.svc.cluster.local'),
    ],
    ['service', 'DNS:web', claim('Hostname', 'web')],
    ['service', 'DNS:web.shop', claim('Hostname', 'web.shop')],
    ['service', 'DNS:db.shop.svc', claim('Hostname', 'db.shop.svc')],
    ['service', 'DNS:later.shop.svc', claim('Hostname', 'later.shop.svc')],
    ['service', 'DNS:a.svc.other.domain', claim('Hostname', 'a.svc.other.domain')],
    ['service', 'DNS:node-1.cluster.local', claim('Hostname', 'node-1.cluster.local')],
    ['kubernetes-endpoints', 'IP:192.0.2.100', claim('InternalIP', '192.0.2.100')],
    ['kubernetes-endpoints', 'IP:2001:db8::100', claim('InternalIP', '2001:db8::100')],
    ['control-plane-endpoint', 'DNS:API.example.internal', claim('Hostname', 'api.example.internal')],
  ] as const
).map(([check, name, claims]) => ({
  title: `${name}, which the Node claims`,
  check,
  // It is among others: the first that is wrong counts, wherever it stands.
  wanted: oneName('DNS:node-1', name),
  claims,
}));

const allowed: Refusal[] = [
  {
    title: 'a controlPlaneEndpoint that is an address',
    check: 'control-plane-endpoint',
    wanted: oneName('IP:192.0.2.99'),
    claims: claim('InternalIP', '192.0.2.99'),
    surroundings: { controlPlaneEndpoint: { host: '192.0.2.99', addresses: ['192.0.2.99'] } },
  },
  {
    title: 'an address that the name of the controlPlaneEndpoint leads to',
    check: 'control-plane-endpoint',
    wanted: oneName('DNS:node-1', 'IP:192.0.2.98'),
    claims: claim('InternalIP', '192.0.2.98'),
    surroundings: {
      controlPlaneEndpoint: { host: 'api.example.internal', addresses: ['192.0.2.97', '::ffff:192.0.2.98'] },
    },
  },
  { title: '--all with no lists', check: 'allow-list', selection: selection('all', [], []) },
  {
    title: '--all and names without --allow-dns',
    check: 'allow-list',
    selection: selection('all', ['192.0.2.0/24', '203.0.113.0/24', '2001:db8::/32'], []),
  },
  {
    title: '--all and addresses without --allow-cidr',
    check: 'allow-list',
    selection: selection('all', [], ['node-*', 'example.internal']),
  },
  ...(
    [
      ['all', ['192.0.2.0/28', '2001:db8::/32'], ['node-*', 'example.internal']],
      ['all', ['192.0.2.0/24', '203.0.113.0/24'], ['node-*', 'example.internal']],
      ['all', ['192.0.2.0/24', '203.0.113.0/24', '2001:db8::/32'], ['node-*']],
      ['all', ['192.0.2.0/24', '203.0.113.0/24', '2001:db8::/32'], ['node-*', '*.example.org']],
      ['name', ['198.51.100.0/24'], []],
      ['name', [], ['.example.internal']],
    ] as const
  ).map(([by, cidrs, dns]): Refusal => ({
    title: `${by} with ${[...cidrs, ...dns].join(' ')}`,
    check: 'allow-list',
    selection: selection(by, cidrs, dns),
  })),
];

export const refusals: readonly Refusal[] = [
  ...[...decided, ...signers, ...requestors, ...usages, ...forms, ...keys, ...signatures],
  ...[...subjects, ...extensions, ...names, ...ofTheNode, ...taken, ...allowed],
];
