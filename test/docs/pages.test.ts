/** What the pages show is there: commands, flags, links, files. Nothing is run; recipes.test.ts does that. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Command } from 'commander';
import { buildProgram } from '../../src/cli/program.ts';
import { calledBy } from '../../src/flags/names/unknown-command.ts';
import {
  anchors,
  insidePages,
  kubepkiCalls,
  links,
  pages,
  readme,
  shownCommands,
  type Page,
} from './pages.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = await buildProgram('', []);
const all = pages();
const inside = insidePages();

/** Flags of other programs, which the pages speak of. */
const foreign = new Set([
  ...['--hostname-override', '--rotate-server-certificates', '--config-dir'],
  ...['--name', '--advertise-client-urls', '--secure-port', '--etcd-servers', '--etcd-certfile'],
  ...[
    '--etcd-keyfile',
    '--etcd-cafile',
    '--client-ca-file',
    '--requestheader-client-ca-file',
    '--root-ca-file',
  ],
  ...['--discovery-token-ca-cert-hash'],
  ...['--check', '--limit'],
]);

/** The command's own, and those of the commands around it. */
function flagsOf(command: Command | null): readonly string[] {
  if (command === null) return [];
  const own = command.options.flatMap(({ short, long }) => [short, long]);
  return [...own.filter((flag) => flag !== undefined), '-h', '--help', ...flagsOf(command.parent)];
}

function everyFlag(command: Command): readonly string[] {
  return [...flagsOf(command), ...command.commands.flatMap(everyFlag)];
}

test('README.md is short', () => {
  assert.ok(readme().text.trimEnd().split('\n').length <= 220);
});

test('README.md leads to every page', () => {
  const led = links(readme());
  for (const { path } of all.slice(1)) assert.ok(led.includes(path), path);
});

test('README.md begins with the two commands that build and test a fresh clone', () => {
  assert.deepEqual(shownCommands(readme()).slice(0, 2), ['npm run demo', 'npm test']);
});

for (const page of all) {
  describe(page.path, () => {
    test('each command that is shown exists, and so does each of its flags', () => {
      const spans = [...page.text.matchAll(/`(kubepki [^`]+)`/g)].map(([, span = '']) => span);
      for (const line of [...shownCommands(page), ...spans]) {
        for (const words of kubepkiCalls(line)) {
          const { command, rest } = calledBy(program, words);
          const wrong = command.commands.length > 0 && rest[0] !== undefined && !rest[0].startsWith('-');
          // A span may name a command and its flags with a slash or dots between.
          assert.ok(!wrong, `${line}: no command ${String(rest[0])}`);
          const known = flagsOf(command);
          for (const word of rest) {
            const [flag = ''] = /^--?[a-z][a-z-]*/.exec(word) ?? [];
            assert.ok(flag === '' || known.includes(flag), `${line}: no flag ${flag}`);
          }
        }
      }
    });

    test('each flag that the text names exists', () => {
      const known = new Set([...everyFlag(program), ...foreign]);
      const prose = page.text.replaceAll(/^```.*?^```$/gms, '');
      for (const [, span = ''] of prose.matchAll(/`([^`]+)`/g)) {
        // Of another program, such as npm or kubectl.
        if (!/^(?:-|kubepki |renew |generate |install )/.test(span)) continue;
        for (const [flag] of span.matchAll(/(?<![\w.-])--[a-z][a-z-]*/g)) {
          assert.ok(known.has(flag), `${span}: no flag ${flag}`);
        }
      }
    });

    test('each link leads somewhere', () => {
      requireLinks(page);
    });
  });
}

for (const page of inside) {
  describe(page.path, () => {
    test('each link leads somewhere', () => {
      requireLinks(page);
    });

    test('each file and folder that is named is there', () => {
      const places = ['', 'src', dirname(page.path)];
      for (const [, path = ''] of page.text.matchAll(
        /`((?!\.)(?:[\w.-]+\/)*(?:[\w.-]+\.[cm]?[jt]s|[\w.-]+\/))`/g,
      )) {
        assert.ok(
          places.some((place) => existsSync(join(root, place, path))),
          `${path}: no such file`,
        );
      }
    });
  });
}

test('the page of the house is one page, and the index of decisions has each', () => {
  const house = inside.find(({ path }) => path === 'src/README.md');
  assert.ok(house !== undefined && house.text.trimEnd().split('\n').length <= 110);
  const index = inside.find(({ path }) => path === 'src/decisions/README.md');
  const decisions = inside.filter((page) => dirname(page.path) === 'src/decisions' && page !== index);
  assert.deepEqual(
    index && [...links(index)].sort(),
    decisions.map(({ path }) => path.replace('src/decisions/', '')).sort(),
  );
});

function requireLinks(page: Page): void {
  for (const link of links(page)) {
    if (/^https?:/.test(link)) continue;
    const [file = '', anchor] = link.split('#');
    const path = file === '' ? page.path : normalize(join(dirname(page.path), file));
    assert.ok(existsSync(join(root, path)), `${link}: no such file`);
    if (anchor === undefined) continue;
    const target = [...all, ...inside].find((one) => one.path === path);
    assert.ok(target !== undefined && anchors(target).includes(`#${anchor}`), `${link}: no such heading`);
  }
}
