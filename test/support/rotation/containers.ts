import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { KubeletOptions } from '../kubelet/kubelet.ts';

/** A directory with kube-apiserver and others as Kubernetes has built them, which run in the place of the stand-ins. */
export const realBinaries = process.env['KUBEPKI_REAL_BINARIES'];

const standIns = {
  'kube-apiserver': 'apiserver',
  'kube-controller-manager': 'controller-manager',
  'kube-scheduler': 'scheduler',
} as const;

/** How the containers of a manifest become processes. */
export interface Containers {
  /** @param root the root directory of the node */
  of(node: {
    readonly name: string;
    readonly root: string;
  }): Pick<KubeletOptions, 'container' | 'variable' | 'env'>;
  /** Where the components note their requests to the API servers. */
  readonly requests: string;
}

/**
 * A container sees /etc/kubernetes and /var/lib of its node in the place of this machine's, and nothing else of it. So its words are those of
 * the manifest, and a component is found by them.
 */
const inside = `
mount -t tmpfs tmpfs /etc
mkdir /etc/kubernetes
mount --bind "$0/etc/kubernetes" /etc/kubernetes
mount -t tmpfs tmpfs /var/lib
mkdir /var/lib/etcd
mount --bind "$0/var/lib/etcd" /var/lib/etcd
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
    entryPoints: Object.values(standIns).map((name) => join(components, `${name}.ts`)),
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
  const unshare = [
    programs.unshare,
    ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
    ...['--mount', '--propagation', 'private', 'sh', '-ec', inside],
  ];
  const programOf = (name: string): readonly string[] => {
    if (name === 'etcd') return [programs.etcd];
    const real = join(realBinaries ?? '', name);
    if (realBinaries !== undefined && existsSync(real)) return [real];
    const standIn = Object.entries(standIns).find(([component]) => component === name)?.[1];
    if (standIn === undefined) throw new Error(`there is no program ${name}`);
    return [join(directory, name), join(directory, `${standIn}.cjs`)];
  };
  const env = {
    SELF_SIGNED: selfSigned(programs.openssl, join(directory, 'self-signed')),
    REQUESTS: requests,
    TMPDIR: scratch,
    OPENSSL_CONF: '/dev/null',
    ...(process.arch === 'x64' ? {} : { ETCD_UNSUPPORTED_ARCH: process.arch }),
  };
  return {
    requests,
    of: ({ name, root }) => ({
      container: ([program = '', ...words]) => [...unshare, root, ...programOf(program), ...words],
      variable: (value) => value,
      env: { ...env, NODE_NAME: name },
    }),
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
