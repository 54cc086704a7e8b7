import { randomBytes } from 'node:crypto';

/** kubeadm's certificate key: an AES-256 key, as 64 hex digits. */
export function randomCertificateKey(): string {
  return randomBytes(32).toString('hex');
}
