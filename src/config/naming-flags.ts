import * as z from 'zod';
import { KubepkiError } from '../errors/error.ts';
import {
  addressValue,
  endpointValue,
  nameValue,
  nodeNameValue,
  sanValue,
  subnetsValue,
  type NodeNaming,
} from './node-naming.ts';

/** What a command line says of names and addresses, as typed. */
export interface NamingFlags {
  readonly nodeName?: string;
  readonly advertiseAddress?: string;
  readonly controlPlaneEndpoint?: string;
  readonly serviceCidr?: string;
  readonly dnsDomain?: string;
  /** Comma-separated lists. */
  readonly certExtraSans?: readonly string[];
  /** Of the kubeadm to be like: 1.MINOR. */
  readonly compat?: number;
}

/**
 * What the command line says above what the configuration says; extra SANs come on top, as with kubeadm.
 * @throws KubepkiError usage with the flag and what is allowed
 */
export function withFlags(naming: NodeNaming, flags: NamingFlags): NodeNaming {
  const extra = (flags.certExtraSans ?? []).flatMap((list) => list.split(',').map((name) => name.trim()));
  const address = parse('--advertise-address', addressValue, flags.advertiseAddress);
  return {
    ...naming,
    kubernetesMinor: flags.compat ?? naming.kubernetesMinor,
    nodeName: parse('--node-name', nodeNameValue, flags.nodeName) ?? naming.nodeName,
    advertiseAddress: address === undefined || address === '' ? naming.advertiseAddress : address,
    controlPlaneEndpoint:
      parse('--control-plane-endpoint', endpointValue, flags.controlPlaneEndpoint) ??
      naming.controlPlaneEndpoint,
    serviceSubnets: parse('--service-cidr', subnetsValue, flags.serviceCidr) ?? naming.serviceSubnets,
    dnsDomain: parse('--dns-domain', nameValue, flags.dnsDomain) ?? naming.dnsDomain,
    apiServerSans: [...naming.apiServerSans, ...(parse('--cert-extra-sans', z.array(sanValue), extra) ?? [])],
  };
}

function parse<T extends z.ZodType>(flag: string, schema: T, value: unknown): z.output<T> | undefined {
  if (value === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success && value !== '') return parsed.data;
  const message = parsed.error?.issues[0]?.message ?? 'must not be empty';
  throw new KubepkiError('usage', `option '${flag}' ${message}`, {
    hint: 'kubepki certs generate --help shows the flags',
  });
}
