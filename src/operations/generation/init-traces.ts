import type { InitFiles } from '../../inventory/init-files.ts';

/**
 * The first file that shows that a CA, or the service-account key, has been here before: what it would have signed. An
 * unmounted or half-copied directory must not get a second one, which nothing that exists would trust.
 * @returns host path; undefined: there is none
 */
export function traceOf(name: string, all: readonly InitFiles[]): string | undefined {
  const [first] = name === 'sa' ? serviceAccountTraces(all) : all.flatMap((files) => signedBy(name, files));
  return first;
}

function signedBy(name: string, files: InitFiles): string[] {
  if (files.kind === 'service-account' || files.spec.kind === 'ca' || files.spec.caName !== name) return [];
  return pathsOf(files);
}

// Tokens, which the service-account key signs, are no files. But a node with a kubeconfig, or with both of
// the API server's own certificates, has had a key; one certificate that the operator put there before the
// first run is no sign of a key.
function serviceAccountTraces(all: readonly InitFiles[]): string[] {
  const kubeconfigs = all.filter(({ kind }) => kind === 'kubeconfig').flatMap(pathsOf);
  const apiserver = ['apiserver', 'apiserver-kubelet-client'].map((name) =>
    all.filter(({ spec }) => spec.name === name).flatMap(pathsOf),
  );
  return [...kubeconfigs, ...(apiserver.every((paths) => paths.length > 0) ? apiserver.flat() : [])];
}

function pathsOf(files: InitFiles): string[] {
  const slots =
    files.kind === 'kubeconfig'
      ? [files.file]
      : files.kind === 'pair'
        ? [files.certificate, files.key]
        : [files.key, files.publicKey];
  return slots.filter(({ content }) => content.status !== 'missing').map(({ target }) => target.path);
}
