import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { kubepkiCommand, type Outcome } from '../../support/kubepki.ts';
import { samplesOf } from '../../support/metrics.ts';
import { copyFixture, fixturePath, temporaryDirectory } from '../../support/tree.ts';

const at = '2027-01-01T00:00:00Z';
const roles = [
  'stacked-etcd-rsa',
  'expired-leaf',
  'missing-leaf',
  'external-ca',
  'ca-bundle',
  'external-etcd',
];

/** How each command prints a document, and what it is asked when documents are read. */
const commands = {
  verify: { words: ['verify'], printing: [] },
  'check-expiration': { words: ['certs', 'check-expiration'], printing: ['--all', '--offline'] },
} as const;
type Name = keyof typeof commands;

function print(name: Name, role: string, ...args: readonly string[]): Promise<Outcome> {
  const { words, printing } = commands[name];
  return kubepki([...words, ...printing, '--rootfs', fixturePath(role, ''), '--at', at, ...args]);
}

function read(name: Name, from: readonly string[], ...args: readonly string[]): Promise<Outcome> {
  return kubepki([...commands[name].words, '--from', ...from, '--at', at, ...args]);
}

/** The documents of these nodes, as `cp-1` and so on. @returns their files */
async function documents(t: TestContext, name: Name, ...of: readonly string[]): Promise<string[]> {
  const directory = temporaryDirectory(t);
  const files: string[] = [];
  for (const [index, role] of of.entries()) {
    const { stdout } = await print(name, role, '-o', 'json');
    const node = `cp-${String(index + 1)}`;
    files.push(join(directory, `${node}.json`));
    writeFileSync(
      files[index] ?? '',
      stdout.replace(/"node": (?:"control-plane-1"|null)/, `"node": "${node}"`),
    );
  }
  return files;
}

function put(t: TestContext, content: string | Buffer): string {
  const file = join(temporaryDirectory(t), 'sent.json');
  writeFileSync(file, content);
  return file;
}

/** The lines of a table without its spaces and its node. */
function rowsOf(text: string): string[] {
  return text.split('\n').map((line) =>
    line
      .replace(/^cp-1 +/, '')
      .replace(/ +/g, ' ')
      .trim(),
  );
}

describe('a document that is read back at its own moment', () => {
  for (const role of roles) {
    test(`verify says the same of ${role}`, async (t) => {
      const files = await documents(t, 'verify', role);
      const own = await print('verify', role);
      const later = await read('verify', files);
      assert.deepEqual(rowsOf(later.stdout), rowsOf(own.stdout));
      assert.equal(later.code, own.code);
      assert.equal(later.stderr, '');
    });

    test(`check-expiration says the same of ${role}`, async (t) => {
      const files = await documents(t, 'check-expiration', role);
      for (const args of [[], ['--within', '30d'], ['--within', '5y']]) {
        const own = await print('check-expiration', role, ...args);
        const later = await read('check-expiration', files, ...args);
        assert.equal(later.code, own.code, later.stderr);
        const names = (text: string): string[] => text.match(/(?:![A-Z]+! )?[\w.-]+(?= )/g) ?? [];
        if (args.length === 0) assert.ok(names(own.stdout).length > 0);
      }
      // One tree among several has the same table.
      const root = fixturePath(role, '');
      const trees = await kubepki([
        ...['certs', 'check-expiration', '--all', '--at', at, '--rootfs', root, root, '--rootfs', '/nowhere'],
      ]);
      const own = trees.stdout.split('\n').filter((line) => line.startsWith(root));
      const later = (await read('check-expiration', files)).stdout.split('\n').slice(1, -1);
      assert.deepEqual(
        later.map((line) => line.replace(/^cp-1 +/, '').replace(/ +/g, ' ')),
        own.map((line) => line.replace(/^\S+ +/, '').replace(/ +/g, ' ')),
      );
    });

    test(`and so do the metrics of ${role}`, async (t) => {
      const files = await documents(t, 'check-expiration', role);
      const values = (text: string): string[] =>
        samplesOf(text)
          .map(({ name, labels, value }) => {
            const {
              name: of,
              serial_number: serial,
              embedded_key: user,
              subject_CN: subject,
              block,
            } = labels;
            return JSON.stringify([name, of, serial, user, subject, block, value]);
          })
          .sort();
      const own = await print('check-expiration', role, '-o', 'prometheus');
      const later = await read('check-expiration', files, '-o', 'prometheus');
      assert.deepEqual(values(later.stdout), values(own.stdout));
    });
  }
});

test('a file that the node could not read is exit 1 there and here', async (t) => {
  const tree = copyFixture(t, 'stacked-etcd-rsa');
  writeFileSync(join(tree.certDir, 'etcd/peer.crt'), 'no certificate');
  const line = ['certs', 'check-expiration', '--all', '--offline', '--at', at, '--rootfs', tree.directory];
  const { code, stdout } = await kubepki([...line, '-o', 'json']);
  const later = await read('check-expiration', [put(t, stdout)]);
  assert.deepEqual([code, later.code], [1, 1]);
  assert.match(later.stdout, /!INVALID! etcd-peer/);
  assert.match(later.stderr, /^error: control-plane-1: .*peer\.crt: /);
  assert.equal((await read('check-expiration', [put(t, stdout)], '--within', '1d')).code, 5);
});

describe('one report of several nodes', () => {
  test('is one table, one exit code and one file of metrics', async (t) => {
    const files = await documents(t, 'check-expiration', 'stacked-etcd-rsa', 'expired-leaf');
    const textfile = join(temporaryDirectory(t), 'k.prom');
    const { code, stdout, stderr } = await read(
      ...([
        'check-expiration',
        files,
        '--expect',
        'cp-1,cp-2',
        '--within',
        '30d',
        '--textfile',
        textfile,
      ] as const),
    );
    assert.equal(code, 5);
    assert.match(stdout, /^NODE +CERTIFICATE/);
    assert.equal(stderr, 'warning: cp-2: admin.conf expired 2y ago, apiserver expired 2y ago\n');
    const nodes = samplesOf(readFileSync(textfile, 'utf8')).map(({ labels }) => labels['node']);
    assert.deepEqual([...new Set(nodes)], ['cp-1', 'cp-2']);
  });

  for (const name of Object.keys(commands) as Name[]) {
    test(`${name}: what was printed of several is read in its turn`, async (t) => {
      const files = await documents(t, name, 'stacked-etcd-rsa', 'expired-leaf');
      const once = await read(name, files, '-o', 'json');
      const twice = await read(name, [put(t, once.stdout)], '-o', 'json');
      assert.equal(twice.stdout, once.stdout);
      assert.equal(twice.code, once.code);
    });

    test(`${name}: what is old, missing or not expected is exit 5, and the others are told`, async (t) => {
      const [one = '', other = ''] = await documents(t, name, 'stacked-etcd-rsa', 'stacked-etcd-rsa');
      const later = ['--at', '2027-01-02T00:00:01Z', '-o', 'json'];
      for (const [args, code, problem] of [
        [['--max-age', '2d', '--expect', 'cp-1,cp-2'], 0, undefined],
        [[], 5, /cp-1\.json: is of 2027-01-01T00:00:00Z, which is longer ago than 24h/],
        [['--max-age', '2d', '--expect', 'cp-1,cp-2,cp-3'], 5, /cp-3: is expected, and has sent no document/],
        [['--max-age', '2d', '--expect', 'cp-1'], 5, /cp-2\.json: is of cp-2, which is not expected/],
      ] as const) {
        const { words } = commands[name];
        const result = await kubepki([...words, '--from', one, other, ...later, ...args]);
        assert.equal(result.code, code, result.stderr);
        if (problem !== undefined) assert.match(result.stdout, problem);
        const { items } = JSON.parse(result.stdout) as { items: { node: string }[] };
        assert.deepEqual(
          items.slice(0, 2).map(({ node }) => node),
          ['cp-1', 'cp-2'],
        );
      }
    });

    test(`${name}: neither a file of a node nor a cluster goes with it`, async (t) => {
      const [file = ''] = await documents(t, name, 'stacked-etcd-rsa');
      for (const flags of [
        ['--rootfs', '/x'],
        ['--cert-dir', '/x'],
        ['--config', '/x'],
        ['--rootfs-from', '/x'],
      ]) {
        const { code, stdout, stderr } = await read(name, [file], ...flags);
        assert.deepEqual([code, stdout], [1, '']);
        assert.match(stderr, /does not go with --from\nhint: with --from no files of a node are looked at/);
      }
    });
  }

  test('comes on standard input, one document after the other', async (t) => {
    const files = await documents(t, 'verify', 'stacked-etcd-rsa', 'expired-leaf', 'ca-bundle');
    const [first = '', second = '', third = ''] = files.map((file) => readFileSync(file, 'utf8'));
    const [program, ...words] = kubepkiCommand;
    const { status, stdout } = spawnSync(
      program,
      [...words, 'verify', '--from', '-', '--at', at, '-o', 'json'],
      { input: `${first}${second.slice(0, 5000)}\n${third}`, encoding: 'utf8' },
    );
    const { items } = JSON.parse(stdout) as { items: { node: string; error?: string }[] };
    assert.deepEqual(
      items.map(({ node, error }) => [node, error]),
      [
        ['cp-1', undefined],
        ['cp-3', undefined],
        ['standard input (document 2)', 'standard input (document 2): is not JSON: it ends too early'],
      ],
    );
    assert.equal(status, 5);
  });

  test('what kubeadm prints tells too little, and its dates are shown', async (t) => {
    const { stdout } = await kubepki([
      ...[
        'certs',
        'check-expiration',
        '--offline',
        '--rootfs',
        fixturePath('stacked-etcd-rsa', ''),
        '-o',
        'json',
      ],
      ...['--at', at],
    ]);
    assert.doesNotMatch(stdout, /report|time"/);
    const later = await read('check-expiration', [put(t, stdout)]);
    assert.equal(later.code, 5);
    assert.match(later.stdout, /!INVALID! incomplete(?:.|\n)* apiserver +Nov 23, 2027 21:41 UTC +326d/);
    assert.match(later.stderr, /was printed without --all/);
  });
});

describe('a stranger’s text', () => {
  const hostile: readonly (readonly [what: string, text: string | Buffer, error: RegExp])[] = [
    ['nothing', '', /is empty: nothing was printed/],
    ['HTML', '<html><body>502 Bad Gateway</body></html>', /is not JSON/],
    ['a terminal’s commands', '\u001b[2J\u001b]0;x\u0007{}', /is not JSON/],
    ['NUL', Buffer.alloc(4096), /is not JSON/],
    ['no kind', '{}', /as it has no kind and apiVersion/],
    ['a kind of its own', '{"kind":"\\u001b[31mPod","apiVersion":"v1"}', /its kind is {1,2}\[31mPod/],
    [
      'a member of every object',
      '{"kind":"constructor","apiVersion":"kubepki/v1"}',
      /its kind is constructor/,
    ],
    ['another version', '{"kind":"NodeVerification","apiVersion":"kubepki/v9"}', /apiVersion kubepki\/v9/],
    ['no checks', '{"kind":"NodeVerification","apiVersion":"kubepki/v1","checks":[]}', /is not what/],
    ['deep', `{"kind":${'['.repeat(100_000)}`, /nested more than 32 deep/],
  ];
  for (const [what, text, error] of hostile) {
    test(`${what} is an error of its own`, async (t) => {
      const [good = ''] = await documents(t, 'verify', 'stacked-etcd-rsa');
      const { code, stdout, stderr } = await read('verify', [put(t, text), good]);
      assert.equal(code, 5, stderr);
      assert.match(stdout, error);
      assert.match(stdout, /cp-1 +OK/);
      // eslint-disable-next-line no-control-regex -- it is what must not be there
      assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    });
  }

  const changed: readonly (readonly [what: string, from: RegExp, to: string])[] = [
    ['a number as a string', /"residualTime": (\d+)/, '"residualTime": "$1"'],
    ['a day that does not exist', /"expirationDate": "\d{4}-\d\d-\d\d/, '"expirationDate": "2027-99-99'],
    ['a certificate that is there without a date', /"expirationDate": "[^"]+"/, '"expirationDate": null'],
    ['an error that is called passed', /"status": "error"/, '"status": "passed"'],
    ['an error without what was found', /"severity": "error"/g, '"severity": "note"'],
  ];
  for (const [what, from, to] of changed) {
    test(`${what} is refused`, async (t) => {
      const [file = ''] = await documents(t, 'verify', 'expired-leaf');
      const { code, stdout } = await read('verify', [put(t, readFileSync(file, 'utf8').replace(from, to))]);
      assert.equal(code, 5);
      assert.match(stdout, /is not what "kubepki verify -o json" prints \((?:checks|certificates)\.\d+/);
    });
  }

  test('draws nothing on a terminal', async (t) => {
    const [file = ''] = await documents(t, 'check-expiration', 'stacked-etcd-rsa');
    const text = readFileSync(file, 'utf8')
      .replaceAll('cp-1', 'cp-1\\u001b[31m')
      .replaceAll('"apiserver"', '"api\\u202eserver"');
    const { stdout, code } = await read('check-expiration', [put(t, text)]);
    assert.equal(code, 0);
    assert.match(stdout, /cp-1 \[31m +api server/);
  });

  test('of another command, or of a file that is not there, says what to do', async (t) => {
    const [file = ''] = await documents(t, 'verify', 'stacked-etcd-rsa');
    const { code, stderr } = await read('check-expiration', [file, '/nowhere.json']);
    assert.equal(code, 5);
    assert.match(
      stderr,
      /is a NodeVerification, and "kubepki verify --from" reads such\nhint: kubepki verify --from \//,
    );
    assert.match(stderr, /\/nowhere\.json: no such file/);
  });

  test('of a directory without documents is none', async (t) => {
    const directory = join(temporaryDirectory(t), 'nodes');
    mkdirSync(directory);
    const { code, stderr } = await read('check-expiration', [directory]);
    assert.equal(code, 5);
    assert.match(stderr, /has no file in it that ends in \.json/);
  });
});
