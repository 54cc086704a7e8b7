import { isIP } from 'node:net';
import * as z from 'zod';
import { KubepkiError } from '../errors/error.ts';
import { wrongValues } from './cluster-configuration.ts';
import { isAddress, isDnsName, isHostName, isSan, sanRule } from './host-names.ts';
import { parseKubernetesVersion, type KubernetesVersion } from './kubernetes-version.ts';
import { badConfig, kubeadmDocuments } from './parse.ts';

/**
 * What a configuration says of names and addresses, and of the kubeadm that makes them, in its Init- and ClusterConfiguration:
 * `generate-csr` makes certificates out to these. A field is undefined where the configuration does not say it.
 */
export interface NodeNaming {
  /** A label such as `stable-1` names none. */
  readonly kubernetesVersion: KubernetesVersion | undefined;
  /** The feature gate ControlPlaneKubeletLocalMode, where it is set. */
  readonly kubeletLocalMode: boolean | undefined;
  readonly nodeName: string | undefined;
  readonly advertiseAddress: string | undefined;
  readonly bindPort: number | undefined;
  readonly clusterName: string | undefined;
  readonly controlPlaneEndpoint: { readonly host: string; readonly port: number | undefined } | undefined;
  /** CIDRs; two for dual-stack. */
  readonly serviceSubnets: readonly string[] | undefined;
  readonly dnsDomain: string | undefined;
  readonly apiServerSans: readonly string[];
  readonly etcdServerSans: readonly string[];
  readonly etcdPeerSans: readonly string[];
}

function optional<T extends z.ZodType>(type: T) {
  return type.nullish().transform((value) => (value === '' ? undefined : (value ?? undefined)));
}

const text = z.string('must be a string');
// The values below are a command line's as well.
const addressValue = text
  .refine((value) => value === '' || isAddress(value), 'must be an IP address')
  // kubeadm: an unspecified address stands for the host's own.
  .transform((value) => (value === '0.0.0.0' || value === '::' ? '' : value));
const nameValue = text.refine(
  (value) => value === '' || isDnsName(value),
  'must be a DNS name (RFC 1123: lower-case letters, digits, "-" and ".")',
);
/** kubeadm (nodeutil.GetHostname) takes white space off and makes it lower case. */
const nodeNameValue = text.transform((value) => value.trim().toLowerCase()).pipe(nameValue);
/** kubeadm makes names lower case, as DNS has them. */
const sanValue = text.transform((value) => value.toLowerCase()).pipe(text.refine(isSan, sanRule));
const sans = z
  .array(sanValue, 'must be a list')
  .nullish()
  .transform((value) => value ?? []);
const subnetsValue = text
  .transform((value) => (value === '' ? [] : value.split(',').map((one) => one.trim())))
  .refine(
    areSubnets,
    'must be a CIDR such as "10.96.0.0/12" with 16 addresses or more, or one of each family with a comma between',
  );
const endpointValue = text
  .transform((value) => (value === '' ? undefined : parseEndpoint(value)))
  .refine((value) => value !== 'wrong', 'must be a DNS name or an IP address, and perhaps a port')
  .transform((value) => (value === 'wrong' ? undefined : value));
const port = z
  .int('must be a whole number')
  .refine((value) => value >= 0 && value <= 65_535, 'must be a port (1 to 65535)')
  .transform((value) => (value === 0 ? undefined : value));

const kubernetesVersion = z
  .unknown()
  .optional()
  // YAML makes a number of an unquoted 1.30, and of that 1.3.
  .transform((value) => (typeof value === 'string' ? parseKubernetesVersion(value) : undefined));
const featureGates = z.object({ ControlPlaneKubeletLocalMode: optional(z.boolean('must be true or false')) });

const clusterConfiguration = z.object({
  kubernetesVersion,
  featureGates: optional(featureGates),
  clusterName: optional(text),
  controlPlaneEndpoint: optional(endpointValue),
  networking: optional(
    z.object({ serviceSubnet: optional(subnetsValue), dnsDomain: optional(nameValue) }, 'must be a mapping'),
  ),
  apiServer: optional(z.object({ certSANs: sans }, 'must be a mapping')),
  etcd: optional(
    z.object(
      { local: optional(z.object({ serverCertSANs: sans, peerCertSANs: sans }, 'must be a mapping')) },
      'must be a mapping',
    ),
  ),
});

const initConfiguration = z.object({
  nodeRegistration: optional(z.object({ name: optional(nodeNameValue) }, 'must be a mapping')),
  localAPIEndpoint: optional(
    z.object({ advertiseAddress: optional(addressValue), bindPort: optional(port) }, 'must be a mapping'),
  ),
});

export const noNaming: NodeNaming = {
  kubernetesVersion: undefined,
  kubeletLocalMode: undefined,
  nodeName: undefined,
  advertiseAddress: undefined,
  bindPort: undefined,
  clusterName: undefined,
  controlPlaneEndpoint: undefined,
  serviceSubnets: undefined,
  dnsDomain: undefined,
  apiServerSans: [],
  etcdServerSans: [],
  etcdPeerSans: [],
};

/**
 * @param text a kubeadm configuration file
 * @throws KubepkiError bad-config with the field's path and what is allowed there, without a file
 */
export function parseNodeNaming(text: string): NodeNaming {
  let naming = noNaming;
  for (const { kind, value } of kubeadmDocuments(text).documents) {
    if (kind === 'ClusterConfiguration') {
      const data = parse(clusterConfiguration, value, kind);
      naming = {
        ...naming,
        kubernetesVersion: data.kubernetesVersion,
        kubeletLocalMode: data.featureGates?.ControlPlaneKubeletLocalMode,
        clusterName: data.clusterName,
        controlPlaneEndpoint: data.controlPlaneEndpoint,
        serviceSubnets: data.networking?.serviceSubnet?.length ? data.networking.serviceSubnet : undefined,
        dnsDomain: data.networking?.dnsDomain,
        apiServerSans: data.apiServer?.certSANs ?? [],
        etcdServerSans: data.etcd?.local?.serverCertSANs ?? [],
        etcdPeerSans: data.etcd?.local?.peerCertSANs ?? [],
      };
    } else if (kind === 'InitConfiguration') {
      const data = parse(initConfiguration, value, kind);
      naming = {
        ...naming,
        nodeName: data.nodeRegistration?.name,
        advertiseAddress: data.localAPIEndpoint?.advertiseAddress,
        bindPort: data.localAPIEndpoint?.bindPort,
      };
    }
  }
  return naming;
}

function parse<T extends z.ZodType>(schema: T, value: unknown, kind: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw badConfig(wrongValues(kind, parsed.error).join('; '));
}

// kubeadm wants room for ten addresses; ipaddr.js alone would take `10/8` and `0x0a.1.1.1/12` as well.
function areSubnets(list: readonly string[]): boolean {
  const families = list.map((cidr) => {
    const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(cidr) ?? [];
    const family = isAddress(address) ? isIP(address) : 0;
    const bits = family === 4 ? 32 : 128;
    return family !== 0 && Number(digits) <= bits - 4 && Number(digits) > 0 ? family : undefined;
  });
  return !families.includes(undefined) && new Set(families).size === list.length;
}

// kubeadm: `host`, `host:port`, `[v6]:port`, or an address alone.
function parseEndpoint(value: string): NonNullable<NodeNaming['controlPlaneEndpoint']> | 'wrong' {
  if (isAddress(value)) return { host: value, port: undefined };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return 'wrong';
  const known =
    bracketed === undefined ? isIP(host) === 4 || isHostName(host) : isIP(host) === 6 && isAddress(host);
  const portNumber = digits === undefined ? undefined : Number(digits);
  if (!known || (portNumber !== undefined && (portNumber < 1 || portNumber > 65_535))) return 'wrong';
  return { host, port: portNumber };
}

/** What a command line says of names and addresses, as it was typed. */
export interface NamingFlags {
  readonly nodeName?: string;
  readonly advertiseAddress?: string;
  readonly controlPlaneEndpoint?: string;
  readonly serviceCidr?: string;
  readonly dnsDomain?: string;
  /** Comma-separated lists. */
  readonly certExtraSans?: readonly string[];
  /** The kubeadm to be like. */
  readonly compat?: KubernetesVersion;
}

/**
 * The command line wins over the configuration, and its extra SANs come on top, as with kubeadm.
 * @throws KubepkiError usage with the flag and what is allowed
 */
export function withFlags(naming: NodeNaming, flags: NamingFlags): NodeNaming {
  const extra = (flags.certExtraSans ?? []).flatMap((list) => list.split(',').map((name) => name.trim()));
  const address = parseFlag('--advertise-address', addressValue, flags.advertiseAddress);
  return {
    ...naming,
    kubernetesVersion: flags.compat ?? naming.kubernetesVersion,
    nodeName: parseFlag('--node-name', nodeNameValue, flags.nodeName) ?? naming.nodeName,
    advertiseAddress: address === undefined || address === '' ? naming.advertiseAddress : address,
    controlPlaneEndpoint:
      parseFlag('--control-plane-endpoint', endpointValue, flags.controlPlaneEndpoint) ??
      naming.controlPlaneEndpoint,
    serviceSubnets: parseFlag('--service-cidr', subnetsValue, flags.serviceCidr) ?? naming.serviceSubnets,
    dnsDomain: parseFlag('--dns-domain', nameValue, flags.dnsDomain) ?? naming.dnsDomain,
    apiServerSans: [
      ...naming.apiServerSans,
      ...(parseFlag('--cert-extra-sans', z.array(sanValue), extra) ?? []),
    ],
  };
}

function parseFlag<T extends z.ZodType>(flag: string, schema: T, value: unknown): z.output<T> | undefined {
  if (value === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success && value !== '') return parsed.data;
  const message = parsed.error?.issues[0]?.message ?? 'must not be empty';
  throw new KubepkiError('usage', `option '${flag}' ${message}`, {
    hint: 'kubepki certs generate --help shows the flags',
  });
}
