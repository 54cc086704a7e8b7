import { KubepkiError } from '../../errors/error.ts';
import { readClusterInfo } from '../../kubeconfig/cluster-info.ts';
import {
  certificateBlocks,
  encodeCertificates,
  type Certificate,
} from '../../pki/certificate/certificate.ts';
import type { RotatedAuthority, Stage } from './plan.ts';
import { wantedAuthorities } from './wanted.ts';

/**
 * The kubeconfig of `cluster-info`, by which nodes join, with the CAs of a stage. Not one other byte changes; the tokens' signatures are
 * made anew by kube-controller-manager. An old join command works as long as the old CA is among them (kubeadm, CheckAny).
 * @returns undefined where nothing is to be changed
 * @throws KubepkiError bad-kubeconfig, without a file
 */
export function clusterInfoFor(stage: Stage, authority: RotatedAuthority, text: string): string | undefined {
  const { ca } = readClusterInfo(text);
  const found = certificateBlocks(Buffer.from(ca ?? '')).map((der) => ({ der }));
  const pem = encodeCertificates(wantedAuthorities<Pick<Certificate, 'der'>>(stage, authority, found));
  if (pem === ca) return undefined;
  const data = Buffer.from(pem).toString('base64');
  const next = text.replace(/(certificate-authority-data:[ \t]*["']?)[A-Za-z0-9+/=]+/, `$1${data}`);
  if (readClusterInfo(next).ca === pem) return next;
  throw new KubepkiError('bad-kubeconfig', 'its certificate-authority-data is not where kubeadm writes it');
}
