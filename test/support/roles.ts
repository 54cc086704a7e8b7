/** The fixtures with every CA's key on disk and every certificate readable: `renew all` renews all there is. */
export const renewableRoles = ['stacked-etcd-rsa', 'stacked-etcd-ecdsa'] as const;
