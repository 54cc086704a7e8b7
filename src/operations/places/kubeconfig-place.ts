import { replaceFile, type FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import type { FoundPlace } from '../../inventory/inventory.ts';
import type { MaybeEmbedded } from '../../kubeconfig/kubeconfig.ts';
import { readPlainKubeconfig } from '../../kubeconfig/plain-kubeconfig.ts';
import { readKubeconfig } from '../../kubeconfig/read.ts';
import { rewriteKubeconfig } from '../../kubeconfig/rewrite.ts';
import { trustedAuthorities, trustsAsPlanned } from '../issuing/kubeconfig-authority.ts';
import type { Place, PlaceAuthority } from './place.ts';

// Longer than any certificate with its chain and any key: what takes these takes the real ones.
const placeholder = `${'x'.repeat(16 * 1024)}\n`;

/** A kubeconfig that holds certificate and key, or names files for them. */
export function kubeconfigPlace(
  { file, kubeconfig, certificate, key, authorityFile }: Extract<FoundPlace, { kind: 'kubeconfig' }>,
  { caFile, bundle }: PlaceAuthority,
): Place {
  const trusted = trustedAuthorities(kubeconfig, bundle);
  const put: Place['put'] = ({ certificatePem, keyPem }) => {
    const text = naming(file.path, () =>
      rewriteKubeconfig(kubeconfig, {
        ...(certificate === undefined ? { clientCertificatePem: certificatePem } : {}),
        ...(key === undefined ? { clientKeyPem: keyPem } : {}),
        ...(trusted.pem === undefined ? {} : { clusterCaPem: trusted.pem }),
      }),
    );
    // Modes of new files are kubeadm's: 0600 for keys and kubeconfigs, 0644 for certificates.
    return [
      ...(key === undefined ? [] : [replaceFile(key, keyPem, 0o600)]),
      ...(certificate === undefined ? [] : [replaceFile(certificate, certificatePem, 0o644)]),
      ...(text === kubeconfig.text ? [] : [replaceFile(file, text, 0o600)]),
    ];
  };
  // A kubeconfig that names its files stays, unless it gets a CA.
  const stays = certificate !== undefined && key !== undefined && trusted.pem === undefined;
  return {
    file: certificate ?? file,
    key,
    targets: targetsIn(certificate, key, file),
    changing: targetsIn(key, certificate, stays ? undefined : file),
    trusting: {
      file: file.path,
      clusterName: kubeconfig.clusterName,
      trusted,
      authorityFile,
      caFile,
      bundle,
    },
    put,
    requireRewritable: () => {
      // What is line by line kubeadm's shares nothing, and YAML's parser takes longer over it than all the rest of the plan.
      if (readPlainKubeconfig(kubeconfig.text) !== undefined) return;
      put({ certificatePem: placeholder, keyPem: placeholder });
    },
    readBack: (read) => {
      const { clientCertificate, clientKey, clusterCa } = readKubeconfig(read(file).toString('utf8'));
      const held = (credential: MaybeEmbedded, target: FileTarget | undefined): Buffer => {
        if (credential.kind === 'data') return credential.bytes;
        if (target !== undefined) return read(target);
        throw new KubepkiError('verification', 'the kubeconfig is not complete', { file: file.path });
      };
      return {
        certificate: held(clientCertificate, certificate),
        key: held(clientKey, key),
        trusts: trustsAsPlanned(clusterCa, kubeconfig, trusted),
      };
    },
  };
}

function targetsIn(...targets: readonly (FileTarget | undefined)[]): FileTarget[] {
  return targets.filter((target) => target !== undefined);
}
