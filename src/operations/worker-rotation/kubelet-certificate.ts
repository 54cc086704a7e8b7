import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import type { FileChange } from '../../changeset/change-set.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import type { KubeconfigState } from '../../inventory/inventory.ts';
import { placeIn } from '../../inventory/look-ups.ts';
import { readKubeconfig } from '../../kubeconfig/read.ts';
import {
  encodeCertificates,
  isCa,
  parseCertificates,
  type Certificate,
} from '../../pki/certificate/certificate.ts';
import { attributesOf } from '../../pki/der/name.ts';
import { assertsKeyUsage, missingUsages } from '../../pki/extension/key-usage.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import {
  encodePrivateKey,
  parsePrivateKey,
  publicKeyOf,
  type PrivateKey,
} from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { validatePath } from '../../pki/path/path.ts';
import { encodeRequest, requestCertificate } from '../../pki/request/certification-request.ts';
import { identityOf, isOfCatalog, identityText } from '../owners/identity.ts';
import { placeOf, type Place, type ReadBack } from '../places/place.ts';
import type { RotatedAuthority } from '../rotation/plan.ts';
import type { RotationFiles } from '../rotation/state.ts';
import type { WorkerPlan } from './plan-worker.ts';

/** Issues client certificates to kubelets, and has those approved that a kubelet asks for in its own name. */
export const kubeletSigner = 'kubernetes.io/kube-apiserver-client-kubelet';

/** What the certificates API is asked for in the kubelet's name. */
export interface KubeletRequest {
  /** PEM. */
  readonly request: string;
  readonly usages: readonly string[];
}

/** A certificate of the new CA for the kubelet, and its key, which is on no disk yet. */
export interface KubeletCredentials {
  readonly certificate: Certificate;
  readonly key: PrivateKey;
}

/**
 * The same subject, and another key.
 * @throws KubepkiError bad-certificate where the certificate is no kubelet's
 */
export function requestOf({ chain: [leaf], file }: KubeconfigState, key: PrivateKey): KubeletRequest {
  const identity = identityOf(leaf);
  if (!isOfCatalog(kubeletKubeconfig, identity)) {
    throw new KubepkiError(
      'bad-certificate',
      `is made out to ${identityText(identity)}, which is no kubelet`,
      {
        file: file.path,
      },
    );
  }
  const enciphers =
    publicKeyOf(key).asymmetricKeyType === 'rsa' ||
    // The signer takes these usages from a key that enciphers nothing too; before Kubernetes 1.27 it takes no others.
    assertsKeyUsage(leaf, 'keyEncipherment') === true;
  return {
    request: encodeRequest(requestCertificate({ subject: leaf.subject, subjectAltName: undefined }, key)),
    usages: ['digital signature', ...(enciphers ? ['key encipherment'] : []), 'client auth'],
  };
}

/**
 * What has come back, once it is what was asked for, and of the new CA.
 * @param pem the API server's word
 * @throws KubepkiError bad-certificate, bad-pem, conflict
 */
export function requireIssued(
  pem: string,
  { old, next }: RotatedAuthority,
  { replaces, key, now }: { readonly replaces: Certificate; readonly key: PrivateKey; readonly now: Date },
): KubeletCredentials {
  const [certificate] = parseCertificates(Buffer.from(pem));
  if (isIssuedBy(certificate, old)) {
    throw new KubepkiError('conflict', 'kube-controller-manager signs with the old CA still', {
      hint: 'on each control plane: kubepki ca rotate switch --restart; then this command again',
    });
  }
  const failed = [
    [isIssuedBy(certificate, next), 'is not of the new CA'],
    [isSameKey(certificate.publicKey, publicKeyOf(key)), 'has another key'],
    [isSameName(certificate, replaces), 'is made out to another name'],
    [validatePath(certificate, [], [next], now).status === 'trusted', 'is not valid now'],
    [missingUsages(certificate, ['clientAuth']).length === 0, 'is for no client'],
    [!isCa(certificate), 'is that of a CA'],
  ] as const;
  for (const [holds, message] of failed) {
    if (!holds) throw new KubepkiError('bad-certificate', `what was signed for the kubelet ${message}`);
  }
  return { certificate, key };
}

/** The signer writes the name anew, in its own order and encoding. */
function isSameName(one: Certificate, other: Certificate): boolean {
  const [ours, theirs] = [one, other].map(({ subject }) => [...attributesOf(subject)].sort().join('\n'));
  return ours === theirs;
}

/** Where the kubelet's credentials go. */
export interface KubeletPlace {
  readonly place: Place;
  /** The edits of the plan, and these files with them. */
  readonly changes: readonly FileChange[];
}

/**
 * Puts the credentials where the kubelet reads them when it starts. kubelet.conf may get other CAs in the same change.
 * @throws KubepkiError where there is no room for another key
 */
export function putKubelet(
  { certificate, key }: KubeletCredentials,
  { edits, authority: { next } }: Pick<WorkerPlan, 'edits' | 'authority'>,
  { inventory, keys }: RotationFiles,
): KubeletPlace {
  const entry = inventory.certificates.find(({ spec }) => spec === kubeletKubeconfig);
  const found = entry && placeIn(entry, keys);
  if (found?.kind !== 'kubeconfig') throw new TypeError('a kubelet without kubelet.conf');
  const edited = edits.find(({ target }) => target.path === found.file.path)?.after;
  const kubeconfig =
    edited === undefined
      ? found.kubeconfig
      : naming(found.file.path, () => readKubeconfig(Buffer.from(edited.content).toString('utf8')));
  // The edits decide which CAs it trusts, and leave it the new one at least: so none is added here.
  const place = placeOf({ ...found, kubeconfig }, { caFile: '', bundle: [next] });
  const changes = place.put({
    certificatePem: encodeCertificates([certificate]),
    keyPem: encodePrivateKey(key),
  });
  const replaced = new Set(changes.map(({ target }) => target.path));
  return { place, changes: [...edits.filter(({ target }) => !replaced.has(target.path)), ...changes] };
}

/** @throws KubepkiError verification */
export function verifyKubelet(
  { certificate, key }: KubeletCredentials,
  { place }: KubeletPlace,
  read: ReadBack,
): void {
  const back = place.readBack(read);
  const [leaf] = parseCertificates(back.certificate);
  const holds =
    leaf.der.equals(certificate.der) &&
    isSameKey(leaf.publicKey, publicKeyOf(parsePrivateKey(back.key))) &&
    back.trusts;
  if (holds && isSameKey(publicKeyOf(key), leaf.publicKey)) return;
  throw new KubepkiError(
    'verification',
    "read back from disk, it is not the kubelet's new certificate with its key",
    {
      file: place.file.path,
    },
  );
}
