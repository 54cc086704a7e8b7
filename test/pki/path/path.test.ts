import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { validatePath } from '../../../src/pki/path/path.ts';
import { isSoundAlgorithm } from '../../../src/pki/issue/signature.ts';
import { judge } from '../../support/judge.ts';
import { temporaryDirectory } from '../../support/tree.ts';

const ca = 'basicConstraints = critical, CA:TRUE';
const leaf =
  'basicConstraints = critical, CA:FALSE\nextendedKeyUsage = serverAuth\nsubjectAltName = DNS:node.test, IP:192.0.2.1';

interface Node {
  readonly extensions: string;
  readonly days?: number;
  /** Of the CA that signs it; a root signs itself. */
  readonly by?: string;
  /** Shares this one's key and subject. */
  readonly as?: string;
}

interface Case {
  readonly what: string;
  /** Beside a plain `root` and a plain `leaf`, which the last of them signs. */
  readonly nodes?: Readonly<Record<string, Node>>;
  readonly signer?: string;
  /** What came with the leaf. */
  readonly others?: readonly string[];
  readonly roots?: readonly string[];
  /** undefined: it is trusted, over these intermediates. */
  readonly over?: readonly string[];
  readonly reason?: RegExp;
  readonly opensslRefuses?: true;
}

const intermediate: Node = { extensions: ca, by: 'root' };

const cases: readonly Case[] = [
  { what: 'signed by the root', over: [] },
  {
    what: 'over an intermediate',
    nodes: { middle: intermediate },
    signer: 'middle',
    others: ['middle'],
    over: ['middle'],
  },
  {
    what: 'over two, given in the wrong order, with something else between',
    nodes: { upper: intermediate, lower: { extensions: ca, by: 'upper' }, odd: { extensions: ca } },
    signer: 'lower',
    others: ['upper', 'odd', 'lower'],
    over: ['lower', 'upper'],
  },
  {
    what: 'over an intermediate that is not there',
    nodes: { middle: intermediate },
    signer: 'middle',
    reason: /^unrelated$/,
  },
  {
    what: 'signed by another root',
    nodes: { other: { extensions: ca } },
    signer: 'other',
    reason: /^unrelated$/,
  },
  {
    what: 'over an intermediate that has expired',
    nodes: { middle: { ...intermediate, days: -1 } },
    signer: 'middle',
    others: ['middle'],
    reason: /^is signed by "CN=middle", which expired on \d{4}-/,
  },
  {
    what: 'over an intermediate of which there are two, one expired',
    nodes: { old: { ...intermediate, days: -1 }, now: { ...intermediate, as: 'old' } },
    signer: 'old',
    others: ['old', 'now'],
    over: ['now'],
  },
  {
    what: 'signed by a leaf',
    nodes: { middle: { extensions: leaf, by: 'root' } },
    signer: 'middle',
    others: ['middle'],
    reason: /^is signed by "CN=middle", which is no CA/,
  },
  {
    what: 'signed by a CA that must not sign certificates',
    nodes: { middle: { extensions: `${ca}\nkeyUsage = critical, cRLSign`, by: 'root' } },
    signer: 'middle',
    others: ['middle'],
    reason: /^is signed by "CN=middle", which must not sign certificates/,
  },
  ...(
    [
      [
        'has a critical extension that nobody knows',
        '1.2.3.4.5 = critical, ASN1:UTF8String:x',
        /a critical extension that Go/,
      ],
      [
        'is there for clients only',
        'extendedKeyUsage = clientAuth',
        /whose extended key usage lacks serverAuth/,
      ],
      [
        'may sign for one domain',
        'nameConstraints = critical, permitted;DNS:example.com',
        /must not sign for node\.test/,
      ],
      ['may not sign for our domain', 'nameConstraints = excluded;DNS:test', /must not sign for node\.test/],
      [
        'may sign for one network',
        'nameConstraints = critical, permitted;IP:10.0.0.0/255.0.0.0',
        /for IP 192\.0\.2\.1/,
      ],
    ] as const
  ).map(([of, extension, problem]) => ({
    what: `over an intermediate that ${of}`,
    nodes: { middle: { extensions: `${ca}\n${extension}`, by: 'root' } },
    signer: 'middle',
    others: ['middle'],
    reason: new RegExp(
      `^is signed by "CN=middle", which .*${problem.source}|^is signed by "CN=middle", ${problem.source}`,
    ),
  })),
  {
    what: 'over an intermediate whose constraints allow all the names',
    nodes: {
      middle: {
        extensions: `${ca}\nnameConstraints = critical, permitted;DNS:test, permitted;IP:192.0.2.0/255.255.255.0\nextendedKeyUsage = serverAuth, clientAuth`,
        by: 'root',
      },
    },
    signer: 'middle',
    others: ['middle'],
    over: ['middle'],
  },
  {
    what: 'over an intermediate that two roots have signed, of which we know the second',
    nodes: {
      stranger: { extensions: ca },
      cross: { extensions: ca, by: 'stranger' },
      middle: { extensions: ca, by: 'root', as: 'cross' },
    },
    signer: 'cross',
    others: ['cross', 'stranger', 'middle'],
    over: ['middle'],
    // openssl goes after the first that fits, and no further.
    opensslRefuses: true,
  },
  {
    what: 'by a root that has expired',
    nodes: { gone: { extensions: ca, days: -1 } },
    signer: 'gone',
    roots: ['gone'],
    reason: /^is signed by "CN=gone", which expired on /,
  },
  {
    what: 'by the one of two roots that is valid',
    nodes: { gone: { extensions: ca, days: -1 }, renewed: { extensions: ca, as: 'gone' } },
    signer: 'gone',
    roots: ['gone', 'renewed'],
    over: [],
  },
  {
    what: 'over an intermediate, where the root allows none',
    nodes: { strict: { extensions: `${ca}, pathlen:0` }, middle: { extensions: ca, by: 'strict' } },
    signer: 'middle',
    others: ['middle'],
    roots: ['strict'],
    reason: /^is signed over 1 intermediate CA\(s\), and "CN=strict" allows 0/,
  },
  {
    what: 'over as many intermediates as the root allows',
    nodes: {
      strict: { extensions: `${ca}, pathlen:1` },
      middle: { extensions: `${ca}, pathlen:0`, by: 'strict' },
    },
    signer: 'middle',
    others: ['middle'],
    roots: ['strict'],
    over: ['middle'],
  },
];

describe('a path to a CA, as openssl verifies it too', () => {
  for (const {
    what,
    nodes = {},
    signer = 'root',
    others = [],
    roots = ['root'],
    over,
    reason,
    ...odd
  } of cases) {
    test(what, (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const directory = temporaryDirectory(t);
      const path = (name: string): string => join(directory, name);
      make(openssl, directory, {
        root: { extensions: ca },
        ...nodes,
        leaf: { extensions: leaf, by: signer },
      });
      const read = (name: string): Certificate => parseCertificates(readFileSync(path(`${name}.crt`)))[0];
      const concatenated = (file: string, names: readonly string[]): string => {
        writeFileSync(path(file), names.map((name) => readFileSync(path(`${name}.crt`), 'utf8')).join(''));
        return path(file);
      };
      const [first = '', ...rest] = roots;
      const outcome = validatePath(
        read('leaf'),
        others.map(read),
        [read(first), ...rest.map(read)],
        new Date(Date.now() + 1000),
      );
      const judged = spawnSync(openssl, [
        ...['verify', '-purpose', 'sslserver', '-CAfile', concatenated('roots.pem', roots)],
        ...(others.length === 0 ? [] : ['-untrusted', concatenated('others.pem', others)]),
        path('leaf.crt'),
      ]);
      const accepted = judged.status === 0 || odd.opensslRefuses === true;
      assert.equal(accepted, outcome.status === 'trusted', String(judged.stderr));
      if (outcome.status === 'trusted') {
        assert.deepEqual(
          outcome.intermediates.map(({ der }) => der),
          over?.map((name) => read(name).der),
        );
      } else {
        assert.ok(reason, what);
        assert.match(outcome.status === 'unrelated' ? 'unrelated' : outcome.reason, reason);
      }
    });
  }
});

describe('the algorithm of a signature', () => {
  const pss = (hash: string): string[] => [`-${hash}`, '-sigopt', 'rsa_padding_mode:pss'];
  // What Go's crypto/x509 verifies (x509.SignatureAlgorithm), SHA-1 not since 1.18.
  const algorithms = [
    ['rsa', ['-sha256'], true],
    ['rsa', ['-sha384'], true],
    ['rsa', ['-sha512'], true],
    ['rsa', ['-sha1'], false],
    ['rsa', ['-md5'], false],
    // Go wants a salt as long as the hash, and one hash for everything.
    ['rsa', [...pss('sha256'), '-sigopt', 'rsa_pss_saltlen:32'], true],
    ['rsa', [...pss('sha512'), '-sigopt', 'rsa_pss_saltlen:64'], true],
    ['rsa', [...pss('sha256'), '-sigopt', 'rsa_pss_saltlen:222'], false],
    ['rsa', [...pss('sha1'), '-sigopt', 'rsa_pss_saltlen:20'], false],
    ['rsa', [...pss('sha1'), '-sigopt', 'rsa_pss_saltlen:20', '-sigopt', 'rsa_mgf1_md:sha256'], false],
    ['rsa', [...pss('sha256'), '-sigopt', 'rsa_pss_saltlen:32', '-sigopt', 'rsa_mgf1_md:sha512'], false],
    ['ec', ['-sha256'], true],
    ['ec', ['-sha384'], true],
    ['ec', ['-sha1'], false],
    ['ed25519', [], true],
  ] as const;
  for (const [key, flags, sound] of algorithms) {
    test(`${key} ${flags.join(' ')}: ${sound ? 'sound' : 'refused'}`, (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const directory = temporaryDirectory(t);
      const newKey = {
        rsa: ['rsa:2048'],
        ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
        ed25519: ['ed25519'],
      }[key];
      execFileSync(
        openssl,
        [
          ...['req', '-x509', '-nodes', '-subj', '/CN=one', '-newkey', ...newKey, ...flags],
          ...['-keyout', join(directory, 'key'), '-out', join(directory, 'crt')],
        ],
        { stdio: 'pipe' },
      );
      const [certificate] = parseCertificates(readFileSync(join(directory, 'crt')));
      assert.equal(isSoundAlgorithm(certificate.signatureAlgorithm), sound);
    });
  }
});

/** Each with the key and the subject of its own name. */
function make(openssl: string, directory: string, nodes: Readonly<Record<string, Node>>): void {
  const path = (name: string): string => join(directory, name);
  const run = (...args: readonly string[]): void => {
    execFileSync(openssl, args, { stdio: 'pipe' });
  };
  for (const [name, { extensions, days = 30, by, as }] of Object.entries(nodes)) {
    const identity = as ?? name;
    if (as === undefined) {
      run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path(`${name}.key`));
      run('req', '-new', '-key', path(`${name}.key`), '-subj', `/CN=${name}`, '-out', path(`${name}.csr`));
    }
    writeFileSync(path('extensions'), `${extensions}\nsubjectKeyIdentifier = hash\n`);
    run(
      ...['x509', '-req', '-in', path(`${identity}.csr`), '-out', path(`${name}.crt`)],
      ...['-extfile', path('extensions'), '-days', String(days)],
      ...(by === undefined
        ? ['-key', path(`${identity}.key`)]
        : ['-CA', path(`${by}.crt`), '-CAkey', path(`${by}.key`)]),
    );
  }
}
