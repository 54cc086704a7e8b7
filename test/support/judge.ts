import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The programs that judge us, with the Debian package that has each and what shows that it is the one meant: macOS has
 * a LibreSSL called openssl and quite another certtool.
 */
const judges = {
  openssl: { package: 'openssl', args: ['version'], says: /^OpenSSL (?:[3-9]|\d\d)/ },
  certtool: { package: 'gnutls-bin', args: ['--version'], says: /^certtool \d/ },
  'gnutls-cli': { package: 'gnutls-bin', args: ['--version'], says: /^gnutls-cli \d/ },
  'gnutls-serv': { package: 'gnutls-bin', args: ['--version'], says: /^gnutls-serv \d/ },
  etcd: { package: 'etcd-server', args: ['--version'], says: /^etcd Version: 3\./ },
  etcdctl: { package: 'etcd-client', args: ['version'], says: /^etcdctl version: 3\./ },
  kubectl: { package: 'kubernetes-client', args: ['version', '--client'], says: /Client Version/ },
  cfssl: { package: 'golang-cfssl', args: ['version'], says: /^(?:Version|Revision): / },
  git: { package: 'git', args: ['--version'], says: /^git version / },
  strace: { package: 'strace', args: ['--version'], says: /^strace / },
  tmux: { package: 'tmux', args: ['-V'], says: /^tmux / },
  promtool: { package: 'prometheus', args: ['--version'], says: /^promtool, version / },
  prometheus: { package: 'prometheus', args: ['--version'], says: /^prometheus, version / },
  'ansible-playbook': {
    package: 'ansible-core',
    args: ['--version'],
    says: /^ansible-playbook \[core 2\.(?:1[4-9]|[2-9]\d)/,
  },
  'ansible-lint': { package: 'ansible-lint', args: ['--version'], says: /^ansible-lint / },
  'systemd-analyze': { package: 'systemd', args: ['--version'], says: /^systemd \d/ },
  bash: { package: 'bash', args: ['--version'], says: /^GNU bash, version [45]/ },
  zsh: { package: 'zsh', args: ['--version'], says: /^zsh \d/ },
  fish: { package: 'fish', args: ['--version'], says: /^fish, version \d/ },
  // It has no flag for its version.
  mandoc: { package: 'mandoc', args: ['-?'], says: /^usage: mandoc /m },
  xmllint: { package: 'libxml2-utils', args: ['--version'], says: /using libxml version/ },
  tar: { package: 'tar', args: ['--version'], says: /^tar \(GNU tar\)/ },
  bsdtar: { package: 'libarchive-tools', args: ['--version'], says: /^bsdtar / },
  umoci: { package: 'umoci', args: ['--version'], says: /^umoci version / },
  skopeo: { package: 'skopeo', args: ['--version'], says: /^skopeo version / },
  'qemu-aarch64-static': {
    package: 'qemu-user-static',
    args: ['--version'],
    says: /^qemu-aarch64 version \d/,
  },
  mount: { package: 'mount', args: ['--version'], says: /util-linux/ },
  flock: { package: 'util-linux', args: ['--version'], says: /util-linux/ },
  setpriv: { package: 'util-linux', args: ['--version'], says: /util-linux/ },
  dpkg: { package: 'dpkg', args: ['--version'], says: /^Debian 'dpkg' package management program/ },
  rpm: { package: 'rpm', args: ['--version'], says: /^RPM version 4\./ },
  lintian: { package: 'lintian', args: ['--version'], says: /^Lintian v2\./ },
  rpmlint: { package: 'rpmlint', args: ['--version'], says: /^2\./ },
  unshare: { package: 'util-linux', args: ['--version'], says: /util-linux/ },
} as const;

export type JudgeName = keyof typeof judges;

/** What node:test's context offers for skipping. */
export interface Skippable {
  skip(reason: string): void;
}

const found = new Map<JudgeName, string | undefined>();

/**
 * The path of a judge program. When it is not there, the test is skipped (npm test lists what was) and undefined is
 * returned: `if (openssl === undefined) return;`. In CI a judge that is missing is a failure, never a skip.
 * @throws Error when it is missing and CI is set
 */
export function judge(t: Skippable, name: JudgeName): string | undefined {
  if (!found.has(name)) found.set(name, find(name));
  const path = found.get(name);
  if (path !== undefined) return path;
  const reason = `${name} is not installed (Debian: apt-get install ${judges[name].package})`;
  if (process.env['CI'] !== undefined && process.env['CI'] !== '') throw new Error(`no judge: ${reason}`);
  t.skip(reason);
  return undefined;
}

function find(name: JudgeName): string | undefined {
  const { args, says } = judges[name];
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .filter(isExecutable)
    .find((path) => {
      const { stdout, stderr } = spawnSync(path, args, {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return says.test(stdout) || says.test(stderr);
    });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
