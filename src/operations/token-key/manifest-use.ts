import { KubepkiError } from '../../errors/error.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import type { StaticPods } from '../../inventory/kubelet/static-pods.ts';
import { lastFlagValue } from '../node/component-flags.ts';
import type { TokenKeyFiles } from './state.ts';

/** A file that a flag about tokens names, as far as it can be told where on the node it is. */
export interface NamedTokenFile {
  readonly component: 'kube-apiserver' | 'kube-controller-manager';
  readonly kind: 'token-keys' | 'token-signer';
  /** `--service-account-key-file` */
  readonly field: string;
  /** As the container sees it. */
  readonly value: string;
  /** The manifest's. */
  readonly manifest: string;
  /** Without symlinks; undefined: nothing of the node is there in the container. */
  readonly resolvedPath: string | undefined;
}

/**
 * Whether the components use sa.pub and sa.key, and nothing in their place: what is written there must be what they read. Of
 * --service-account-key-file there may be several, and other keys in them stay.
 */
export function manifestFaults(
  pods: StaticPods,
  named: readonly NamedTokenFile[],
  { key, publicKeys }: Pick<TokenKeyFiles, 'key' | 'publicKeys'>,
): KubepkiError[] {
  return [
    ...unreadable(pods),
    ...signedElsewhere(pods),
    ...judgedElsewhere(pods, named, { key: key.target, publicKeys: publicKeys.target }),
    ...otherSigners(named, key.target),
  ];
}

/** Whether there is anything that says which files are used. */
export function hasManifest(pods: StaticPods): boolean {
  return pods['kube-apiserver'].status !== 'missing';
}

function unreadable(pods: StaticPods): KubepkiError[] {
  return [pods['kube-apiserver'], pods['kube-controller-manager']].flatMap((pod) =>
    pod.status === 'unreadable' ? [pod.error] : [],
  );
}

function signedElsewhere(pods: StaticPods): KubepkiError[] {
  const pod = pods['kube-apiserver'];
  if (pod.status !== 'present') return [];
  const { words, path } = pod.value;
  if (lastFlagValue(words, 'service-account-signing-endpoint') === undefined) return [];
  return [
    new KubepkiError(
      'conflict',
      'has another program sign the tokens (--service-account-signing-endpoint), and not sa.key',
      {
        file: path,
        hint: 'replace the key there',
      },
    ),
  ];
}

function judgedElsewhere(
  pods: StaticPods,
  named: readonly NamedTokenFile[],
  { key, publicKeys }: { readonly key: FileTarget; readonly publicKeys: FileTarget },
): KubepkiError[] {
  const pod = pods['kube-apiserver'];
  if (pod.status !== 'present') return [];
  const judges = named.filter(({ kind }) => kind === 'token-keys');
  if (judges.some(({ resolvedPath }) => resolvedPath === publicKeys.resolvedPath)) return [];
  const hint = `have --service-account-key-file name ${publicKeys.path} as the container sees it, and restart kube-apiserver`;
  const fault = (message: string): KubepkiError[] => [
    new KubepkiError('conflict', message, { file: pod.value.path, hint }),
  ];
  if (judges.some(({ resolvedPath }) => resolvedPath === key.resolvedPath)) {
    return fault(
      'has the API server judge tokens by the private key (--service-account-key-file names sa.key), of which there is one at a time',
    );
  }
  return judges.length === 0
    ? fault(
        'has no --service-account-key-file: the API server judges tokens by the key of its own certificate',
      )
    : fault(
        `has the API server judge tokens by other files than sa.pub: ${judges.map(({ value }) => value).join(', ')}`,
      );
}

function otherSigners(named: readonly NamedTokenFile[], key: FileTarget): KubepkiError[] {
  return named
    .filter(({ kind, resolvedPath }) => kind === 'token-signer' && resolvedPath !== key.resolvedPath)
    .map(
      ({ component, field, value, manifest }) =>
        new KubepkiError(
          'conflict',
          `has ${component} sign tokens with ${value} (${field}), and not with sa.key`,
          {
            file: manifest,
            hint: `have ${field} name ${key.path} as the container sees it, and restart ${component}`,
          },
        ),
    );
}
