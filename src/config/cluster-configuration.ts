import * as z from 'zod';
import type { ConfigVersion } from './fields.ts';
import { formatGoDuration, parseGoDuration } from './go-duration.ts';
import {
  encryptionAlgorithms,
  type EncryptionAlgorithm,
  type EtcdConfig,
  type KubeadmConfig,
} from './kubeadm-config.ts';

const yearMs = 8760 * 3600 * 1000;

// Go decodes null as if the field were not there.
function optional<T extends z.ZodType>(type: T) {
  return type.nullish().transform((value) => value ?? undefined);
}

const period = z.string('must be a duration such as "8760h"').transform((text, context) => {
  const milliseconds = parseGoDuration(text);
  if (milliseconds === undefined) {
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(text)} is not a duration such as "8760h"`,
    });
    return z.NEVER;
  }
  if (milliseconds <= 0) {
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is not longer than nothing` });
    return z.NEVER;
  }
  return milliseconds;
});

const algorithm = z.enum(encryptionAlgorithms, {
  // kubeadm's sentence.
  error: ({ input }) =>
    `Invalid encryption algorithm ${JSON.stringify(input)}. Must be one of [${encryptionAlgorithms.join(' ')}]`,
});

const absolutePath = z
  .string('must be a path')
  .refine((path) => path.startsWith('/'), 'must be an absolute path');
// Go: an empty string is a field that is not there.
const externalFile = z
  .union([z.literal(''), absolutePath])
  .nullish()
  .transform((path) => (path === '' ? undefined : (path ?? undefined)));

const etcd = z
  .object(
    {
      local: optional(z.looseObject({}, 'must be a mapping')),
      external: optional(
        z.looseObject(
          {
            endpoints: z.array(z.string(), 'must be a list of URLs').min(1, 'must not be empty'),
            caFile: externalFile,
            certFile: externalFile,
            keyFile: externalFile,
          },
          'must be a mapping',
        ),
      ),
    },
    'must be a mapping',
  )
  .refine(
    ({ local, external }) => local === undefined || external === undefined,
    'local and external exclude each other',
  );

const common = {
  certificatesDir: optional(absolutePath),
  etcd: optional(etcd),
  featureGates: optional(z.record(z.string(), z.boolean('must be true or false'), 'must be a mapping')),
};

// Before v1beta4 the algorithm and the periods are unknown fields: warned of, without effect.
const ignored = z
  .unknown()
  .optional()
  .transform(() => undefined);
const older = z.object({
  ...common,
  encryptionAlgorithm: ignored,
  certificateValidityPeriod: ignored,
  caCertificateValidityPeriod: ignored,
});
const v1beta4 = z.object({
  ...common,
  encryptionAlgorithm: optional(algorithm),
  certificateValidityPeriod: optional(period),
  caCertificateValidityPeriod: optional(period),
});

export interface ClusterConfiguration {
  readonly config: KubeadmConfig;
  readonly warnings: readonly string[];
}

/** A value that is wrong, with the path of its field. */
export interface WrongValue {
  readonly path: string;
  readonly message: string;
}

/** The fields kubepki needs, checked as kubeadm checks them; all other values are not looked at. */
export function readClusterConfiguration(
  value: unknown,
  version: ConfigVersion,
): ClusterConfiguration | { readonly wrong: readonly WrongValue[] } {
  const parsed = version === 'v1beta4' ? v1beta4.safeParse(value) : older.safeParse(value);
  if (!parsed.success) {
    return {
      wrong: parsed.error.issues.map(({ path, message }) => ({
        path: ['ClusterConfiguration', ...path].join('.'),
        message,
      })),
    };
  }
  const { data } = parsed;
  return {
    config: {
      certificatesDir: data.certificatesDir,
      etcd: etcdOf(data.etcd?.external),
      encryptionAlgorithm: gatedAlgorithm(data.featureGates) ?? data.encryptionAlgorithm,
      certificateValidityMs: data.certificateValidityPeriod,
      caCertificateValidityMs: data.caCertificateValidityPeriod,
    },
    warnings: periodWarnings(data.certificateValidityPeriod, data.caCertificateValidityPeriod),
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
