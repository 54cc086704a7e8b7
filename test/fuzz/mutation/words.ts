/** What means something to a parser, a terminal, a file system or Go, and not where it is put. */
export const tellingWords: readonly string[] = [
  ...['-----BEGIN CERTIFICATE-----\n', '-----BEGIN ', '-----END ', 'Proc-Type: 4,ENCRYPTED\n\n', '=', '==='],
  ...['&a ', '*a', '<<: ', '<<: *a\n', '---\n', '...\n', '? ', ': ', '# ', '|', '>-'],
  ...['{', '[', ']', '}', '"', "'"],
  ...['!!binary ', '!!int ', '%YAML 1.1\n', '__proto__: ', 'null', '~', 'yes', '.inf'],
  ...['\0', '\t', '\r', '\u0080', '\u2028', '\ufeff', '\u001b[31m', '\\u001b[31m', '\\n'],
  ...['../', '/', '/dev/zero', '/etc/kubernetes/pki/ca.key'],
];

/** What may cost more each time that it comes again. */
export const fillings: readonly string[] = [
  ...['- a\n', '- a: b\n', '  a\n', 'a: 1\n', 'a: b\n\n', ': \n', '? ', '[', '{a: ', '["",\n'],
  ...["'", '"', '"a\n', '\\', '&a ', '*a ', '<<: {}\n', '!!str ', '---\n', '#\n'],
  ...['\n', '\r', ' ', '\0', 'A'],
  ...['-----BEGIN CERTIFICATE-----\n', '-----END CERTIFICATE-----\n', '-----BEGIN '],
];

/** What Go, YAML and JavaScript each read in their own way. */
export const oddNumbers: readonly string[] = [
  ...['9'.repeat(400), '1e999', '-1', '0', '.nan', '0x7fffffffffffffff', '1_000', '1:30:00', '4294967296h'],
];

/** Files that belong somewhere else; below fixtures. */
export const foreignFiles: readonly string[] = [
  'bad/alias-bomb.yaml',
  'bad/csr-instead.crt',
  'bad/encrypted.key',
  'bad/expired-ca.crt',
  'bad/other-ca.key',
  'ipv6/etc/kubernetes/pki/ca.crt',
  'ipv6/etc/kubernetes/admin.conf',
  'stacked-etcd-rsa/etc/kubernetes/pki/ca.crt',
];
