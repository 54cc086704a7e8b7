/** Fixtures with every CA's key on disk and every certificate readable: `renew all` renews all there is for a year. */
export const renewableRoles = [
  'stacked-etcd-rsa',
  'stacked-etcd-ecdsa',
  'ecdsa-ca-rsa-leaves',
  'rsa-ca-ecdsa-leaves',
  'ipv6',
  'custom-subject',
  'leaf-chain',
  'ca-bundle',
  'expired-leaf',
  'kubeconfig-rich',
  'super-admin',
] as const;
