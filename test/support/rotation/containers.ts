import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { kubepkiCommand } from '../kubepki.ts';
import type { Settings } from './components/init.ts';
import type { NodePlace } from './roots.ts';

/** A directory with kube-apiserver and others as Kubernetes has built them, which run in the place of the stand-ins. */
export const realBinaries = process.env['KUBEPKI_REAL_BINARIES'];

const standIns = {
  'kube-apiserver': 'apiserver',
  'kube-controller-manager': 'controller-manager',
  'kube-scheduler': 'scheduler',
  kubelet: 'kubelet',
} as const;

export interface Containers {
  /** The command line that starts a machine. */
  readonly machine: (place: NodePlace) => readonly [string, ...string[]];
  /** Where the components note their requests to the API servers. */
  readonly requests: string;
}

/**
 * A machine has /etc and /var/lib of its node, its own name, and its own processes. So the words of a process are those of the
 * manifest, and kubepki runs there as on a real node.
 */
const inside = `
mount --bind "$0/etc" /etc
mount --bind "$0/var/lib" /var/lib
echo "$1" > /proc/sys/kernel/hostname
shift
exec "$@"`;

export interface Programs {
  readonly etcd: string;
  readonly openssl: string;
  readonly unshare: string;
}

/** @param directory for what is built; removed by the caller */
export async function makeContainers(programs: Programs, directory: string): Promise<Containers> {
  const components = fileURLToPath(new URL('components/', import.meta.url));
  await build({
    entryPoints: ['init', ...Object.values(standIns)].map((name) => join(components, `${name}.ts`)),
    outdir: directory,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    logLevel: 'error',
  });
  // A process is known by the name of its program.
  for (const name of Object.keys(standIns)) symlinkSync(process.execPath, join(directory, name));
  const requests = join(directory, 'requests');
  const scratch = join(directory, 'scratch');
  mkdirSync(scratch);
  const commandOf = (name: keyof typeof standIns): readonly [string, ...string[]] => {
    const real = join(realBinaries ?? '', name);
    if (realBinaries !== undefined && existsSync(real)) return [real];
    return [join(directory, name), join(directory, `${standIns[name]}.cjs`)];
  };
  const env = {
    SELF_SIGNED: selfSigned(programs.openssl, join(directory, 'self-signed')),
    REQUESTS: requests,
    TMPDIR: scratch,
    OPENSSL_CONF: '/dev/null',
    ...(process.arch === 'x64' ? {} : { ETCD_UNSUPPORTED_ARCH: process.arch }),
  };
  const mapped = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const namespaces = [
    '--mount',
    '--uts',
    '--pid',
    '--fork',
    '--kill-child',
    '--propagation',
    'private',
    '--mount-proc',
  ];
  return {
    requests,
    machine: ({ name, root }) => {
      const settings: Settings = {
        programs: {
          etcd: [programs.etcd],
          'kube-apiserver': commandOf('kube-apiserver'),
          'kube-controller-manager': commandOf('kube-controller-manager'),
          'kube-scheduler': commandOf('kube-scheduler'),
        },
        kubelet: commandOf('kubelet'),
        kubepki: kubepkiCommand,
        env: { ...env, NODE_NAME: name },
      };
      return [
        ...([programs.unshare, ...mapped, ...namespaces, 'sh', '-ec', inside, root, name] as const),
        ...[process.execPath, join(directory, 'init.cjs'), JSON.stringify(settings)],
      ] as [string, ...string[]];
    },
  };
}

/** @param base the path of the pair, without its extension, which is returned */
export function selfSigned(openssl: string, base: string): string {
  execFileSync(
    openssl,
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', '/CN=localhost', '-days', '30', '-keyout', `${base}.key`, '-out', `${base}.crt`],
    ],
    { stdio: 'pipe' },
  );
  return base;
}
