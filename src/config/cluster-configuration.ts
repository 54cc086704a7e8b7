import * as z from 'zod';
import type { ConfigVersion } from './fields.ts';
import { formatGoDuration, longestGoDuration, parseGoDuration } from './duration.ts';
import {
  encryptionAlgorithms,
  type EncryptionAlgorithm,
  type EtcdConfig,
  type KubeadmConfig,
} from './kubeadm-config.ts';

// `//user@host:port` as Go's net/url takes it: an IPv6 address in brackets, digits alone behind the colon.
const authority = /^\/\/(?:[^@/?#]*@)?(?:\[[^\][\s]+\]|[^\s:[\]<>"/?#]*)(?::\d*)?(?:[/?#]|$)/;

/**
 * What kubeadm (ValidateURLs) holds against a URL of an external etcd.
 * @param withTls files for TLS are named
 */
export function endpointProblem(url: string, withTls: boolean): string | undefined {
  const [, scheme, rest = ''] = /^(?:([a-z][-a-z0-9+.]*):)?(.*)$/is.exec(url) ?? [];
  const isUrl =
    !/\p{Cc}/u.test(url) &&
    // "first path segment in URL cannot contain colon", as in `192.0.2.20:2379`
    (scheme !== undefined || !/^[^/?#]*:/.test(rest)) &&
    (!rest.startsWith('//') || authority.test(rest));
  if (!isUrl) return ' is not a URL such as "https://192.0.2.20:2379"';
  // kubeadm's sentences.
  if (withTls && scheme?.toLowerCase() !== 'https') return ': the URL must be using the HTTPS scheme';
  if (scheme === undefined) return ': the URL without scheme is not allowed';
  return undefined;
}

const yearMs = 8760 * 3600 * 1000;

// Go decodes null as if the field were not there.
function optional<T extends z.ZodType>(type: T) {
  return type.nullish().transform((value) => value ?? undefined);
}

const period = z.string('must be a duration such as "8760h"').transform((text, context) => {
  const refuse = (why: string): never => {
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${why}` });
    return z.NEVER;
  };
  const milliseconds = parseGoDuration(text);
  if (milliseconds === undefined) return refuse('is not a duration such as "8760h"');
  if (milliseconds === 'too-long') return refuse(`is too long: at most ${longestGoDuration}`);
  return milliseconds > 0 ? milliseconds : refuse('is not longer than nothing');
});

/**
 * kubeadm validates a file, and uses what it reads from the cluster as it is. So a name that only a newer kubeadm knows voids a
 * file, but not the rest of what the cluster says.
 */
export type ConfigSource = 'file' | 'cluster';

const algorithms = {
  file: z.enum(encryptionAlgorithms, {
    // kubeadm's sentence.
    error: ({ input }) =>
      `Invalid encryption algorithm ${JSON.stringify(input)}. Must be one of [${encryptionAlgorithms.join(' ')}]`,
  }),
  cluster: z.string().transform((text) => encryptionAlgorithms.find((known) => known === text)),
};

const absolutePath = z
  .string('must be a path')
  .refine((path) => path.startsWith('/'), 'must be an absolute path');
// Go: an empty string is a field that is not there.
const externalFile = z
  .union([z.literal(''), absolutePath])
  .nullish()
  .transform((path) => (path === '' ? undefined : (path ?? undefined)));

const external = z.looseObject(
  {
    endpoints: z.array(z.string(), 'must be a list of URLs').min(1, 'must not be empty'),
    caFile: externalFile,
    certFile: externalFile,
    keyFile: externalFile,
  },
  'must be a mapping',
);

const externals = {
  // kubeadm's ValidateEtcd.
  file: external.superRefine(({ endpoints, caFile, certFile, keyFile }, context) => {
    const issue = (message: string, path: readonly (string | number)[] = []): void => {
      context.addIssue({ code: 'custom', message, path: [...path] });
    };
    if ((certFile === undefined) !== (keyFile === undefined)) {
      issue('either both or none of certFile and keyFile must be set');
    }
    if (certFile !== undefined && keyFile !== undefined && caFile === undefined) {
      issue('setting certFile and keyFile requires caFile');
    }
    const withTls = [caFile, certFile, keyFile].some((file) => file !== undefined);
    for (const [index, endpoint] of endpoints.entries()) {
      const problem = endpointProblem(endpoint, withTls);
      if (problem !== undefined) issue(`${JSON.stringify(endpoint)}${problem}`, ['endpoints', index]);
    }
  }),
  cluster: external,
};

function etcdFrom(source: ConfigSource) {
  return z
    .object(
      {
        local: optional(z.looseObject({}, 'must be a mapping')),
        external: optional(externals[source]),
      },
      'must be a mapping',
    )
    .refine(
      ({ local, external }) => local === undefined || external === undefined,
      'local and external exclude each other',
    );
}

// Before v1beta4 the algorithm and the periods are unknown fields, which have no effect and are warned of.
const ignored = z
  .unknown()
  .optional()
  .transform(() => undefined);

function schemas(source: ConfigSource) {
  const common = {
    certificatesDir: optional(absolutePath),
    etcd: optional(etcdFrom(source)),
    featureGates: optional(z.record(z.string(), z.boolean('must be true or false'), 'must be a mapping')),
  };
  return {
    older: z.object({
      ...common,
      encryptionAlgorithm: ignored,
      certificateValidityPeriod: ignored,
      caCertificateValidityPeriod: ignored,
    }),
    v1beta4: z.object({
      ...common,
      encryptionAlgorithm: optional(algorithms[source]),
      certificateValidityPeriod: optional(period),
      caCertificateValidityPeriod: optional(period),
    }),
  };
}

const validated = schemas('file');
const stored = schemas('cluster');

interface ClusterConfiguration {
  readonly config: KubeadmConfig;
  readonly warnings: readonly string[];
}

/** One line for each value that is wrong, with the path of its field. */
export function wrongValues(kind: string, error: z.ZodError | undefined): string[] {
  return (error?.issues ?? []).map(({ path, message }) => `${[kind, ...path].join('.')}: ${message}`);
}

/** The fields kubepki needs, checked as kubeadm checks them; all other values are not looked at. */
export function readClusterConfiguration(
  value: unknown,
  version: ConfigVersion,
  source: ConfigSource,
): ClusterConfiguration | { readonly wrong: readonly string[] } {
  const parse = ({ older, v1beta4 }: typeof validated) =>
    version === 'v1beta4' ? v1beta4.safeParse(value) : older.safeParse(value);
  const strict = parse(validated);
  const parsed = source === 'file' || strict.success ? strict : parse(stored);
  const wrong = wrongValues('ClusterConfiguration', strict.error);
  if (!parsed.success) return { wrong };
  const { data } = parsed;
  return {
    config: {
      certificatesDir: data.certificatesDir,
      etcd: etcdOf(data.etcd?.external),
      encryptionAlgorithm: gatedAlgorithm(data.featureGates) ?? data.encryptionAlgorithm,
      certificateValidityMs: data.certificateValidityPeriod,
      caCertificateValidityMs: data.caCertificateValidityPeriod,
    },
    warnings: [...wrong, ...periodWarnings(data.certificateValidityPeriod, data.caCertificateValidityPeriod)],
  };
}

function etcdOf(external: Omit<Extract<EtcdConfig, { kind: 'external' }>, 'kind'> | undefined): EtcdConfig {
  if (external === undefined) return { kind: 'stacked' };
  const { endpoints, caFile, certFile, keyFile } = external;
  return { kind: 'external', endpoints, caFile, certFile, keyFile };
}

/** kubeadm: the feature gate decides where it is set, in either direction. */
function gatedAlgorithm(
  featureGates: Readonly<Record<string, boolean>> | undefined,
): EncryptionAlgorithm | undefined {
  const gate = featureGates?.['PublicKeysECDSA'];
  if (gate === undefined) return undefined;
  return gate ? 'ECDSA-P256' : 'RSA-2048';
}

function periodWarnings(leaf: number | undefined, ca: number | undefined): string[] {
  const warnings: string[] = [];
  const more = (field: string, value: number, what: string, recommended: number): void => {
    if (value <= recommended) return;
    warnings.push(
      `${field}: the value ${formatGoDuration(value)} is more than the recommended default for ${what} expiration: ${formatGoDuration(recommended)}`,
    );
  };
  if (leaf !== undefined) more('certificateValidityPeriod', leaf, 'certificate', yearMs);
  if (ca !== undefined) more('caCertificateValidityPeriod', ca, 'CA certificate', 10 * yearMs);
  if ((leaf ?? yearMs) > (ca ?? 10 * yearMs)) {
    warnings.push(
      `certificateValidityPeriod: the value ${formatGoDuration(leaf ?? yearMs)} is more than caCertificateValidityPeriod: ${formatGoDuration(ca ?? 10 * yearMs)}`,
    );
  }
  return warnings;
}
