import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Command } from 'commander';
import { addFlags } from '../../src/flags/command.ts';
import {
  apiFlags,
  changeFlags,
  documentFlags,
  restartAfterFlags,
  sanFlags,
  type FlagName,
} from '../../src/flags/table.ts';
import { requireTogether } from '../../src/flags/together.ts';
import { expirationOutput } from '../../src/commands/check-expiration/expiration-output.ts';
import { KubepkiError } from '../../src/errors/error.ts';

const renewing = [
  ...[...sanFlags, ...restartAfterFlags, ...apiFlags, ...changeFlags],
  ...(['validity', 'within', 'force', 'offline', 'csrOnly', 'csrDir', 'textfile', 'quiet'] as const),
];
const commands: Readonly<Record<string, readonly FlagName[]>> = {
  renew: renewing,
  install: [...restartAfterFlags, 'csrDir', ...changeFlags],
  systemd: ['within', ...restartAfterFlags, 'outputDir', 'force'],
  verify: ['cluster', 'kubeconfig', 'certsOnly', 'rootfs', ...documentFlags],
  rotate: ['from', 'certDir'],
  'check-expiration': [
    ...(['output', 'within', 'warning', 'critical', 'quiet', 'textfile'] as const),
    ...(['all', 'endpoint', 'kubeconfigFile'] as const),
  ],
};

/** @returns what is wrong, with the hint behind it; undefined: nothing */
function wrongWith(line: string): string | undefined {
  const [name = '', ...words] = line.split(' ');
  const own = name === 'check-expiration' ? { output: expirationOutput } : {};
  const command = addFlags(new Command(name).exitOverride(), commands[name] ?? [], own);
  command.parse(words, { from: 'user' });
  try {
    requireTogether(command);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof KubepkiError);
    assert.equal(error.code, 'usage');
    return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
  }
}

const decided = '; what was asked for was decided when it was asked';

describe('what does not go together', () => {
  for (const [line, wrong] of [
    ['verify --from a --rootfs /b', /^--rootfs does not go with --from; with --from no files of a node/],
    ['verify --expect cp-1', '--expect goes with --from'],
    ['renew --csr-only --use-api', /^--csr-only does not go with --use-api; with --use-api the cluster/],
    ['renew --csr-dir x --use-api', '--csr-dir does not go with --use-api'],
    [
      'renew --offline --use-api',
      '--offline does not go with --use-api; the certificates API is the cluster',
    ],
    ['renew --signer-name a.b/c', '--signer-name goes with --use-api'],
    ['renew --timeout 1s --approve', '--approve goes with --use-api'],
    ['renew --discard-pending --csr-only', '--discard-pending goes with --use-api'],
    ['renew --use-api --resume --discard-pending --force', '--resume does not go with --discard-pending'],
    ['renew --use-api --resume --validity 1d', `--validity does not go with --resume${decided}`],
    ['renew --use-api --resume --dry-run --force', `--force does not go with --resume${decided}`],
    ['renew --use-api --discard-pending --restart', '--restart does not go with --discard-pending'],
    ['renew --use-api --discard-pending --within 1d', '--within does not go with --discard-pending'],
    ['renew --csr-only --validity 1d', /^--validity does not go with --csr-only; how long/],
    ['renew --csr-only --restart --settle 1s', /^--restart does not go with --csr-only; a request/],
    ['renew --csr-only --deploy-hook true', /^--deploy-hook does not go with --csr-only; it changes nothing/],
    ['renew --csr-dir x --add-san a', '--csr-dir goes with --csr-only'],
    ['renew --settle 1s', '--settle goes with --restart'],
    ['install --settle 1s', '--settle goes with --restart'],
    ['verify --kubeconfig x', '--kubeconfig goes with --cluster'],
    ['verify --certs-only --cluster', /^--certs-only does not go with --cluster; to ask the cluster takes/],
    ['systemd --settle 1s', '--settle goes with --restart'],
    ['renew --sans-from-config --add-san a', '--sans-from-config does not go with --add-san'],
    ['renew --sans-from-config --remove-san a', '--sans-from-config does not go with --remove-san'],
    ['renew --textfile x --dry-run', '--textfile does not go with --dry-run'],
    ['systemd --force', '--force goes with --output-dir'],
    ['renew --quiet -o json', /^--quiet does not go with -o, other than -o text; leave --quiet out/],
    ['check-expiration --quiet -o nagios', /^--quiet does not go with -o, other than -o text; /],
    ['check-expiration --warning 2d', '--warning goes with -o nagios'],
    ['check-expiration --endpoint a:1', '--endpoint goes with --all'],
    ['check-expiration --kubeconfig-file a', '--kubeconfig-file goes with --all'],
    ['check-expiration --critical 2d -o json', '--critical goes with -o nagios'],
    ['check-expiration -o nagios --within 2d', /^--within does not go with -o nagios; use --warning/],
  ] as const) {
    test(line, () => {
      const found = wrongWith(line);
      if (typeof wrong === 'string') assert.equal(found, wrong);
      else assert.match(found ?? '', wrong);
    });
  }
});

describe('what does', () => {
  for (const line of [
    'renew --use-api --signer-name a.b/c --approve --timeout 1s --validity 1d --within 30d',
    'renew --use-api --resume --approve --timeout 1s --restart --settle 1s --deploy-hook true',
    'renew --use-api --discard-pending',
    'renew --csr-only --csr-dir x --force --within 30d',
    'renew --quiet -o text --force --restart --settle 1s',
    // A command has its rules only where it has all the flags.
    'install --csr-dir x',
    'renew --force',
    'systemd --force --output-dir x --within 30d',
    'check-expiration --textfile x --within 30d -o json',
    'check-expiration --warning 2d --critical 1d -o nagios',
    'check-expiration --all --endpoint a:1 --kubeconfig-file b c',
    'verify --from a.json --expect cp-1 --max-age 1d',
    'rotate --from a.json --cert-dir /b',
  ]) {
    test(line, () => {
      assert.equal(wrongWith(line), undefined);
    });
  }
});
