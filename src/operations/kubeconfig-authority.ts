import type { Chain } from '../pki/certificate.ts';

/** kubeadm compares the CA that a kubeconfig embeds with the first of ca.crt; during a CA rotation one in common will do. */
export function sharesAuthority(embedded: Chain, bundle: Chain): boolean {
  return embedded.some(({ der }) => bundle.some((one) => one.der.equals(der)));
}
