import { randomBytes } from 'node:crypto';

/** Ten lower-case hex digits: a name that ends in them is given by no other run. */
export function randomSuffix(): string {
  return randomBytes(5).toString('hex');
}

/** kubeadm's certificate key: an AES-256 key, as 64 hex digits. */
export function randomCertificateKey(): string {
  return randomBytes(32).toString('hex');
}

/** The id of a rotation: 16 lower-case hex digits. */
export function randomRotationId(): string {
  return randomBytes(8).toString('hex');
}

/** The end of a probe's name, 16 lower-case hex digits: no user of the cluster is called so. */
export function randomProbeName(): string {
  return randomBytes(8).toString('hex');
}
