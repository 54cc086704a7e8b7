import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { kubepki as startedKubepki, kubepkiCommand, type Outcome } from '../../support/kubepki.ts';
import { samplesOf } from '../../support/metrics.ts';
import { certsLine, terminal } from '../../support/screen.ts';
import {
  changes,
  copyFixture,
  copyFixtureTo,
  fixturePath,
  snapshot,
  temporaryDirectory,
} from '../../support/tree.ts';
import { unprivileged } from '../../support/machine/unprivileged.ts';

const at = ['--at', '2027-01-01T00:00:00Z'];
const roles = ['stacked-etcd-rsa', 'ipv6', 'external-ca', 'missing-leaf', 'external-front-proxy'];
const roots = roles.map((role) => fixturePath(role, ''));

function check(...args: readonly string[]): Promise<Outcome> {
  return kubepki(['certs', 'check-expiration', ...at, ...args]);
}

/** With something on standard input. */
function checkFrom(
  input: string | Buffer,
  ...args: readonly string[]
): { code: number | null; stdout: string; stderr: string } {
  const [program, ...words] = kubepkiCommand;
  const line = [...words, 'certs', 'check-expiration', ...at, ...args];
  const { status, stdout, stderr } = spawnSync(program, line, { input, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

/** Lines of a table, cell by cell. */
function cellsOf(table: string): string[][] {
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trimEnd().split(/ {3,}/));
}

interface Item {
  readonly node: string;
  readonly expiration?: unknown;
  readonly problems: readonly string[];
}

interface List {
  readonly kind: string;
  readonly apiVersion: string;
  readonly items: readonly Item[];
}

describe('check-expiration of several trees', () => {
  test('one table, in which each row stands behind its node as it stands in the table of that node alone', async () => {
    const outcome = await check('--rootfs', ...roots);
    assert.deepEqual([outcome.code, outcome.stderr], [0, '']);
    const [header, ...rows] = cellsOf(outcome.stdout);
    assert.deepEqual(header, [
      'NODE',
      'CERTIFICATE',
      'EXPIRES',
      'RESIDUAL TIME',
      'CERTIFICATE AUTHORITY',
      'EXTERNALLY MANAGED',
    ]);
    const expected: string[][] = [];
    for (const root of roots) {
      const alone = cellsOf((await check('--rootfs', root)).stdout);
      const rowsAlone = alone.filter(
        ([first]) => first !== 'CERTIFICATE' && first !== 'CERTIFICATE AUTHORITY',
      );
      assert.ok(rowsAlone.length >= 12, root);
      expected.push(...rowsAlone.map((cells) => [root, ...cells]));
    }
    assert.deepEqual(rows, expected);
    // Columns are columns: what is wide in one tree moves the rows of all.
    const starts = outcome.stdout.split('\n').map((line) => line.indexOf(' UTC'));
    assert.equal(new Set(starts.filter((start) => start !== -1)).size, 1);
  });

  test("one document, with an item for each tree in which kubeadm's is", async () => {
    const outcome = await check('-o', 'json', '--rootfs', ...roots);
    assert.deepEqual([outcome.code, outcome.stderr], [0, '']);
    const list = JSON.parse(outcome.stdout) as List;
    assert.deepEqual([list.kind, list.apiVersion], ['CertificateExpirationInfoList', 'kubepki/v1']);
    assert.deepEqual(
      list.items.map(({ node }) => node),
      roots,
    );
    for (const { node, expiration, problems } of list.items) {
      assert.deepEqual(expiration, JSON.parse((await check('-o', 'json', '--rootfs', node)).stdout));
      assert.deepEqual(problems, []);
    }
    const yaml = await check('-o', 'yaml', '--rootfs', ...roots);
    assert.deepEqual(parse(yaml.stdout), list);
    const names = await check(
      '-o',
      'jsonpath={.items[*].expiration.certificateAuthorities[0].name}',
      '--rootfs',
      ...roots,
    );
    assert.equal(names.stdout, roots.map(() => 'ca').join(' '));
  });

  test('however they are named', async () => {
    const [a = '', b = '', c = ''] = roots;
    const expected = await check('--rootfs', a, b, c);
    assert.equal(expected.code, 0);
    for (const args of [
      ['--rootfs', a, '--rootfs', b, c],
      ['--rootfs', a, b, '--rootfs', c],
      ['--rootfs', a, '-o', 'text', '--rootfs', b, c],
      // Twice is once.
      ['--rootfs', a, b, a, c, b],
    ]) {
      assert.deepEqual(await check(...args), expected, args.join(' '));
    }
    assert.deepEqual(
      await kubepki(['--rootfs', a, 'certs', 'check-expiration', ...at, '--rootfs', b, c]),
      expected,
    );
    for (const [list, ...args] of [
      [`${a}\n${b}\n${c}\n`],
      [`${a}\n\n${b}\r\n${c}`],
      [`${a}\0${b}\0${c}\0`],
      [`${b}\n${c}\n`, '--rootfs', a],
      [`${b}\n${a}\n${c}\n`, '--rootfs', a, b],
    ] as const) {
      const { stdout, stderr, code } = checkFrom(list, ...args, '--rootfs-from', '-');
      assert.deepEqual([code, stdout, stderr], [0, expected.stdout, ''], JSON.stringify(list));
    }
  });

  test('a list in a file, of one tree too: a script knows what it gets', async (t) => {
    const directory = temporaryDirectory(t);
    const list = join(directory, 'nodes');
    writeFileSync(list, `${roots[0] ?? ''}\n`);
    const { code, stdout } = await check('--rootfs-from', list);
    assert.equal(code, 0);
    assert.match(stdout, /^NODE {3}/);
    // Both the list and what it names are looked up from where we stand.
    const tree = copyFixtureTo('ipv6', join(directory, 'cp 1'));
    writeFileSync(list, 'cp 1\n');
    const relative = await startedKubepki(
      ['certs', 'check-expiration', ...at, '--rootfs-from', 'nodes', '-o', 'json'],
      {
        cwd: directory,
      },
    );
    assert.equal(relative.code, 0, relative.stderr);
    const [item] = (JSON.parse(relative.stdout) as List).items;
    assert.equal(item?.node, 'cp 1');
    assert.deepEqual(
      item.expiration,
      JSON.parse((await check('-o', 'json', '--rootfs', tree.directory)).stdout),
    );
  });

  test('flags are those of each tree: another cert dir, its own configuration', async (t) => {
    const trees = [copyFixture(t, 'external-etcd'), copyFixture(t, 'external-etcd')];
    const directories = trees.map(({ directory }) => directory);
    const { stdout, code } = await check(
      '-o',
      'json',
      '--config',
      '/kubeadm.yaml',
      '--rootfs',
      ...directories,
    );
    assert.equal(code, 0);
    for (const { node, expiration } of (JSON.parse(stdout) as List).items) {
      const alone = await check('-o', 'json', '--config', '/kubeadm.yaml', '--rootfs', node);
      assert.deepEqual(expiration, JSON.parse(alone.stdout));
    }
  });

  test('nothing is changed in any', async (t) => {
    const trees = ['stacked-etcd-rsa', 'ipv6'].map((role) => copyFixture(t, role).directory);
    const before = trees.map((directory) => snapshot(directory));
    assert.equal((await check('--rootfs', ...trees)).code, 0);
    for (const [index, directory] of trees.entries()) {
      assert.deepEqual(changes(before[index] ?? new Map(), snapshot(directory), { inodes: true }), []);
    }
  });
});

describe('a bad tree among several', () => {
  /** A good one, then what is wrong, then a good one. */
  function amongGood(t: TestContext): { directory: string; bad: Record<string, RegExp>; all: string[] } {
    const directory = temporaryDirectory(t);
    copyFixtureTo('ipv6', join(directory, 'a-good'));
    copyFixtureTo('ipv6', join(directory, 'z-good'));
    mkdirSync(join(directory, 'empty'));
    writeFileSync(join(directory, 'file'), '');
    symlinkSync('loop', join(directory, 'loop'));
    const bad = {
      empty: /etc\/kubernetes\/pki: no such directory/,
      file: /is not a directory/,
      loop: /too many levels of symbolic links/,
      missing: /no such file or directory/,
    };
    const names = ['a-good', ...Object.keys(bad), 'z-good'];
    return { directory, bad, all: names.map((name) => join(directory, name)) };
  }

  test('is a row, and the others are reported: exit 1, and why is said', async (t) => {
    const { directory, bad, all } = amongGood(t);
    const { code, stdout, stderr } = await check('--rootfs', ...all);
    assert.equal(code, 1);
    const errors = stderr.split('\n').filter((line) => line.startsWith('error: '));
    assert.equal(errors.length, Object.keys(bad).length);
    for (const [index, [name, why]] of Object.entries(bad).entries()) {
      const node = join(directory, name);
      assert.deepEqual(
        cellsOf(stdout).filter(([first]) => first === node),
        [[node, '!INVALID!']],
      );
      assert.ok(errors[index]?.startsWith(`error: ${node}`), errors[index]);
      assert.match(errors[index] ?? '', why);
    }
    for (const good of ['a-good', 'z-good']) {
      assert.equal(cellsOf(stdout).filter(([first]) => first === join(directory, good)).length, 13);
    }
    assert.equal((await check('--within', '30d', '--rootfs', ...all)).code, 5);
  });

  test("is an item without kubeadm's document, with the reason", async (t) => {
    const { directory, bad, all } = amongGood(t);
    const { code, stdout } = await check('-o', 'json', '--rootfs', ...all);
    assert.equal(code, 1);
    const { items } = JSON.parse(stdout) as List;
    assert.deepEqual(
      items.map(({ node }) => node),
      all,
    );
    for (const [name, why] of Object.entries(bad)) {
      const item = items.find(({ node }) => node === join(directory, name));
      assert.ok(item !== undefined && !('expiration' in item));
      assert.equal(item.problems.length, 1);
      assert.match(item.problems[0] ?? '', why);
    }
  });

  test('one file that cannot be read is an unreadable row of its tree, as always', async (t) => {
    const trees = [copyFixture(t, 'ipv6'), copyFixture(t, 'ipv6')];
    const [first, second] = trees;
    if (first === undefined || second === undefined) throw new Error('two trees');
    writeFileSync(join(second.certDir, 'apiserver.crt'), 'not PEM');
    const args = ['--rootfs', first.directory, second.directory];
    const { code, stdout, stderr } = await check(...args);
    assert.equal(code, 1);
    assert.deepEqual(
      cellsOf(stdout).filter(([, name]) => name?.startsWith('!')),
      [[second.directory, '!INVALID! apiserver']],
    );
    assert.match(stderr, new RegExp(`^error: ${second.certDir}/apiserver\\.crt: is not PEM`));
    const { items } = JSON.parse((await check('-o', 'json', ...args)).stdout) as List;
    assert.deepEqual(
      items.map(({ problems }) => problems.length),
      [0, 1],
    );
  });

  test('one that its reader may not enter', (t) => {
    const setpriv = judge(t, 'setpriv');
    if (setpriv === undefined) return;
    const directory = temporaryDirectory(t);
    execFileSync('chmod', ['755', directory]);
    copyFixtureTo('ipv6', join(directory, 'open'));
    copyFixtureTo('ipv6', join(directory, 'closed'));
    execFileSync('chmod', ['-R', 'a+rX', join(directory, 'open')]);
    execFileSync('chmod', ['700', join(directory, 'closed')]);
    const { code, stdout, stderr } = unprivileged(t, setpriv, [
      ...['certs', 'check-expiration', ...at],
      ...['--rootfs', join(directory, 'closed'), join(directory, 'open')],
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /^error: [^\n]*closed[^\n]*permission denied\nhint: run it as root/);
    assert.equal(cellsOf(stdout).filter(([node]) => node === join(directory, 'open')).length, 13);
  });
});

describe('--within over several trees', () => {
  // The leaves of ipv6 end on 2027-11-01, those of the other on 2027-11-23.
  const two = ['--rootfs', fixturePath('ipv6', ''), fixturePath('stacked-etcd-rsa', '')];
  const judged = (moment: string, ...args: string[]): Promise<Outcome> =>
    kubepki(['certs', 'check-expiration', '--at', moment, '--within', '10d', ...args]);

  for (const [what, moment, code, stderr] of [
    ['none due', '2027-10-01T00:00:00Z', 0, /^$/],
    ['one due', '2027-10-25T00:00:00Z', 4, /^warning: [^\n]*ipv6: expiring within 10d: [^\n]+\n$/],
    ['one expired', '2027-11-05T00:00:00Z', 5, /^warning: [^\n]*ipv6: admin\.conf expired 4d ago, [^\n]+\n$/],
    [
      'one expired, the other due',
      '2027-11-20T00:00:00Z',
      5,
      /^warning: [^\n]*ipv6: admin\.conf expired [^\n]+\nwarning: [^\n]*rsa: expiring within 10d: [^\n]+\n$/,
    ],
  ] as const) {
    test(`${what}: exit ${String(code)}`, async () => {
      const outcome = await judged(moment, ...two);
      assert.equal(outcome.code, code);
      assert.match(outcome.stderr, stderr);
      // In any order.
      assert.equal((await judged(moment, '--rootfs', two[2] ?? '', two[1] ?? '')).code, code);
      assert.equal((await judged(moment, '--quiet', ...two)).stdout, code === 0 ? '' : outcome.stdout);
    });
  }
});

describe('several trees for monitoring', () => {
  test('the metrics have a label for the node, and promtool has nothing to say', async (t) => {
    const promtool = judge(t, 'promtool');
    if (promtool === undefined) return;
    const directory = temporaryDirectory(t);
    const textfile = join(directory, 'kubepki.prom');
    const trees = [...roots, '/nowhere'];
    const outcome = await check('-o', 'prometheus', '--textfile', textfile, '--rootfs', ...trees);
    assert.equal(outcome.code, 1);
    const said = spawnSync(promtool, ['check', 'metrics'], { input: outcome.stdout, encoding: 'utf8' });
    assert.deepEqual([said.status, said.stderr, said.stdout], [0, '', '']);
    const samples = samplesOf(outcome.stdout);
    for (const root of roots) {
      const alone = samplesOf((await check('-o', 'prometheus', '--rootfs', root)).stdout);
      const here = samples.filter(({ labels }) => labels['node'] === root);
      const withNode = alone.map(({ labels, ...sample }) => ({
        ...sample,
        labels: { node: root, ...labels },
      }));
      assert.deepEqual(here, withNode);
    }
    const nowhere = samples.filter(({ labels }) => labels['node'] === '/nowhere');
    assert.deepEqual(nowhere, [{ name: 'x509_read_errors', labels: { node: '/nowhere' }, value: 1 }]);
    // On this machine, in no tree.
    const written = spawnSync('cat', [textfile], { encoding: 'utf8' }).stdout;
    assert.equal(written, outcome.stdout);
  });

  test('a plugin says one line, with the node before each name', async () => {
    const root = fixturePath('ipv6', '');
    const fine = await check('-o', 'nagios', '--rootfs', root, fixturePath('stacked-etcd-rsa', ''));
    assert.equal(fine.code, 0);
    assert.match(fine.stdout, /^KUBEPKI OK - 26 certificates, the next to expire is [^\n]+ \| [^\n]+\n$/);
    assert.ok(fine.stdout.includes(`'${root}: apiserver'=`));
    const bad = await check('-o', 'nagios', '--rootfs', root, '/nowhere');
    assert.equal(bad.code, 2);
    assert.match(
      bad.stdout,
      /^KUBEPKI CRITICAL - \/nowhere cannot be read \| [^\n]+ ?'\/nowhere'=U[^\n]*\n$/,
    );
    assert.equal((await check('-o', 'nagios', '--rootfs-from', '/nowhere')).code, 3);
  });
});

describe('what cannot be a list of trees', () => {
  for (const [what, list, message] of [
    ['nothing', '', /^error: standard input: names no directory\nhint: /],
    ['empty lines', '\n\r\n\n', /names no directory/],
    ['not UTF-8', Buffer.from([0x2f, 0xff, 0x0a]), /^error: standard input: is not UTF-8\n/],
    ['more than a MiB', 'x'.repeat(1024 * 1024 + 1), /^error: standard input: is larger than 1 MiB\n/],
  ] as const) {
    test(what, () => {
      const { code, stdout, stderr } = checkFrom(list, '--rootfs-from', '-');
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
    });
  }

  test('a file that is not there, a directory, a FIFO', async (t) => {
    const directory = temporaryDirectory(t);
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    for (const [path, message] of [
      [join(directory, 'nodes'), /^error: [^\n]*nodes: no such file\nhint: /],
      [directory, /^error: [^\n]*: is a directory, not a file\n/],
      [fifo, /^error: [^\n]*fifo: is a FIFO, not a file\n/],
    ] as const) {
      const { code, stdout, stderr } = await check('--rootfs-from', path);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
    }
  });

  test('standard input that is no file to read', () => {
    const [program, ...words] = kubepkiCommand;
    const line = [...words, 'certs', 'check-expiration', '--rootfs-from', '-']
      .map((word) => `'${word}'`)
      .join(' ');
    for (const from of ['</', '<&-', '</dev/null']) {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', `'${program}' ${line} ${from}`], {
        encoding: 'utf8',
      });
      assert.deepEqual([status, stdout], [1, ''], `${from} ${stderr}`);
      assert.match(stderr, /^error: standard input: [^\n]+\n(?:hint: [^\n]+\n)?$/);
    }
  });

  test('the cluster of many is not asked', async () => {
    const { code, stderr } = await check('--kubeconfig', '/etc/kubernetes/admin.conf', '--rootfs', ...roots);
    assert.equal(code, 1);
    assert.match(stderr, /^error: --kubeconfig does not go with several trees\nhint: /);
  });
});

describe('many trees', () => {
  /** As many names of one tree. */
  function manyOf(t: TestContext, count: number): string[] {
    const directory = temporaryDirectory(t);
    const { directory: tree } = copyFixture(t, 'ipv6');
    return Array.from({ length: count }, (_, index) => {
      const name = join(directory, `cp-${String(index)}`);
      symlinkSync(tree, name);
      return name;
    });
  }

  test('a name may hold what draws on a terminal; the table does not', async (t) => {
    const directory = temporaryDirectory(t);
    const names = ['red \u001b[31m', 'bell \u0007'].map((name) => join(directory, name));
    for (const name of names) copyFixtureTo('ipv6', name);
    const { stdout, code } = await check('--rootfs', ...names);
    assert.equal(code, 0);
    // eslint-disable-next-line no-control-regex -- that none is there
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f]/);
    const { items } = JSON.parse((await check('-o', 'json', '--rootfs', ...names)).stdout) as List;
    assert.deepEqual(
      items.map(({ node }) => node),
      names,
    );
  });

  test('on a terminal it is said how far it is; what is waiting in one is said when that is gone', async (t) => {
    const names = manyOf(t, 500);
    const list = join(temporaryDirectory(t), 'nodes');
    writeFileSync(list, `${names.join('\n')}\n`);
    const shown = terminal(t, `${certsLine('check-expiration', '--rootfs-from', list)} >/dev/null`);
    if (shown === undefined) return;
    const bytes = await shown.wrote(/exit=0/);
    assert.match(bytes, /reading the trees: \d+ of 500 \(\d+s\)/);
    assert.doesNotMatch(await shown.shows(/exit=0/), /reading the trees/);
  });

  test('Ctrl-C ends it, wherever it is', async (t) => {
    const names = manyOf(t, 200);
    const [program, ...words] = kubepkiCommand;
    const child = spawn(program, [...words, 'certs', 'check-expiration', '--rootfs-from', '-'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
    });
    // While it still waits for the list.
    const waiting = new Promise<number | null>((resolve) => child.on('close', resolve));
    // More than a pipe or a socket holds, and less than a list may have (1 MiB): once it is written, the reader is there.
    const line = `${names[0] ?? ''}\n`;
    child.stdin.write(line.repeat(Math.floor(900_000 / line.length)), () => child.kill('SIGINT'));
    assert.equal(await waiting, 130);
    assert.equal(shown, '');
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    // Among the trees: a signal with the opening of a certificate of the fifth.
    const list = join(temporaryDirectory(t), 'nodes');
    writeFileSync(list, `${names.join('\n')}\n`);
    const stopped = spawnSync(
      strace,
      [
        ...[
          '-f',
          '-qq',
          '-o',
          '/dev/null',
          '-e',
          'trace=openat',
          '-P',
          join(realpathSync(names[0] ?? ''), 'etc/kubernetes/pki/apiserver.crt'),
        ],
        ...['-e', 'inject=openat:signal=SIGINT:when=5'],
        ...[program, ...words, 'certs', 'check-expiration', '--rootfs-from', list],
      ],
      { encoding: 'utf8' },
    );
    assert.deepEqual([stopped.status, stopped.stdout], [130, '']);
  });

  test('a change that waits in one of them is said with its name', async (t) => {
    const [waiting, other] = [copyFixture(t, 'ipv6'), copyFixture(t, 'ipv6')];
    const state = join(waiting.certDir, '.kubepki');
    mkdirSync(state, { mode: 0o700 });
    writeFileSync(join(state, 'journal.json'), '{}', { mode: 0o600 });
    const alone = await check('--rootfs', waiting.directory);
    assert.match(alone.stderr, /^warning: [^\n]*recover --rootfs/);
    const { stderr } = await check('--rootfs', other.directory, waiting.directory);
    assert.equal(stderr, alone.stderr.replace('warning: ', `warning: ${waiting.directory}: `));
    rmSync(state, { recursive: true });
    assert.equal((await check('--rootfs', other.directory, waiting.directory)).stderr, '');
  });
});
