import { InvalidArgumentError } from 'commander';
import {
  formatGoDuration,
  longestGoDuration,
  longestPeriod,
  parseGoDuration,
  parsePeriod,
} from '../config/duration.ts';
import { isDnsName, isSan, sanRule } from '../config/host-names.ts';
import { parseKubernetesVersion, type KubernetesVersion } from '../config/kubernetes-version.ts';
import { isSignerName } from '../operations/use-api/signer-name.ts';

/** What the value of a flag is: how it is read, and how a hint repeats it where that is not what `String` makes of it. */

export const path = {
  parse: (text: string): string => {
    if (text === '') throw new InvalidArgumentError('it is empty');
    return text;
  },
};

/** An address that serves TLS. */
export interface GivenEndpoint {
  readonly host: string;
  readonly port: number;
  /** The name that is asked for (SNI); undefined: none. */
  readonly serverName: string | undefined;
}

export const endpoints = {
  parse: (text: string, before: unknown): readonly GivenEndpoint[] => {
    const [, bracketed, plain, digits, serverName] =
      /^(?:\[([0-9a-f:.]+)\]|([^:,[\]]+)):(\d+)(?:,(.+))?$/i.exec(text) ?? [];
    const [host, port] = [bracketed ?? plain, Number(digits)];
    if (host === undefined || !(port >= 1 && port <= 65_535))
      throw new InvalidArgumentError('use HOST:PORT, [IPV6]:PORT, or HOST:PORT,NAME');
    return [...((before as readonly GivenEndpoint[] | undefined) ?? []), { host, port, serverName }];
  },
};

export const shellCommand = {
  parse: (text: string): string => {
    if (text.trim() === '') throw new InvalidArgumentError('it is empty');
    return text;
  },
};

export const backupCount = {
  parse: (text: string): number => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= 1 && count <= 10_000) return count;
    throw new InvalidArgumentError('use a whole number of 1 or more');
  },
};

/** A time-out in Go's units, in milliseconds: 0, or more. */
export function duration(example: string): {
  readonly parse: (text: string) => number;
  readonly again: (milliseconds: number) => string;
} {
  const parse = (text: string): number => {
    const milliseconds = parseGoDuration(text);
    if (milliseconds === 'too-long') throw tooLong(longestGoDuration);
    if (milliseconds !== undefined && milliseconds >= 0) return milliseconds;
    throw new InvalidArgumentError(`use a duration such as ${example}`);
  };
  return { parse, again: (milliseconds) => `${String(milliseconds)}ms` };
}

export const apiTimeout = {
  parse: (text: string): number => {
    const milliseconds = duration('90s or 10m').parse(text);
    if (milliseconds > 0) return milliseconds;
    throw new InvalidArgumentError('it must be more than 0');
  },
  again: shortDuration,
};

/** `5m`, `1h30m`, `250ms` */
export function shortDuration(milliseconds: number): string {
  const text = milliseconds < 1000 ? `${String(milliseconds)}ms` : formatGoDuration(milliseconds);
  return text.replace(/(?<=m)0s$/, '').replace(/(?<=h)0m$/, '');
}

export function tooLong(longest: string): InvalidArgumentError {
  return new InvalidArgumentError(`it is too long: at most ${longest}`);
}

/** More than 0, as typed, and what it is. */
export interface Period {
  readonly text: string;
  readonly milliseconds: number;
}

const asTyped = ({ text }: Period): string => text;

export const period = {
  parse: (text: string): Period => parsePeriodUpTo(longestPeriod, text),
  again: asTyped,
};

// What the Kubernetes API itself takes at least (expirationSeconds of a CertificateSigningRequest).
const shortestValidityMs = 10 * 60_000;

export const validity = {
  parse: (text: string): Period => {
    const given = parsePeriodUpTo(`${longestPeriod}, and no certificate outlives its CA`, text);
    if (given.milliseconds >= shortestValidityMs) return given;
    throw new InvalidArgumentError('it is less than 10 minutes (m is minutes; a month is about 30d)');
  },
  again: asTyped,
};

function parsePeriodUpTo(longest: string, text: string): Period {
  const milliseconds = parsePeriod(text);
  if (milliseconds === 'too-long') throw tooLong(longest);
  if (milliseconds === undefined) throw new InvalidArgumentError('use a duration such as 720h, 90d or 2y');
  return { text, milliseconds };
}

/** For systemd. In milliseconds. */
export const delay = {
  parse: (text: string): number => {
    const milliseconds = text === '0' ? 0 : parsePeriod(text);
    if (milliseconds === 'too-long') throw tooLong(longestPeriod);
    if (milliseconds !== undefined) return milliseconds;
    throw new InvalidArgumentError('use a duration such as 4h or 30m');
  },
};

export const calendar = {
  parse: (text: string): string => {
    if (/^[\w*:,./~+ -]+$/.test(text) && text.trim() === text) return text;
    throw new InvalidArgumentError("use a calendar event such as daily or 'Sun 03:00'");
  },
};

const rfc3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** A moment as RFC 3339 (section 5.6) writes it, of a day that exists. */
export const instant = {
  parse: (text: string): Date => {
    const [, day = '', time = '', fraction = '', zone = ''] = rfc3339.exec(text) ?? [];
    const moment = new Date(`${day}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
    // JavaScript takes the 30th of February for the 2nd of March.
    const sameDay = new Date(`${day}T00:00:00Z`);
    const isOne = !Number.isNaN(moment.getTime()) && !Number.isNaN(sameDay.getTime());
    if (isOne && sameDay.toISOString().startsWith(day)) return moment;
    throw new InvalidArgumentError('use RFC 3339, such as 2027-01-01T00:00:00Z');
  },
  again: (moment: Date): string => moment.toISOString(),
};

type Names = readonly string[];

/** Given again it adds to the list. */
export const list = {
  parse: (text: string, before: Names = []): Names => [
    ...before,
    ...text.split(',').map((one) => one.trim()),
  ],
};

/** Each is kept as it was typed. */
export const texts = { parse: (text: string, before: Names = []): Names => [...before, text] };

export const directories = {
  parse: (text: string, before: Names = []): Names => [...before, path.parse(text)],
};

/** Each by a flag of its own. */
export const files = { parse: directories.parse, repeated: true } as const;

export const addedNames = sans(isSan);

/** `10.0.0.300` must not become a DNS name, but where it is one it has to go. */
export const removedNames = sans((name) => isSan(name) || isDnsName(name));

/** RFC 4343: case means nothing in a DNS name; Kubernetes wants lower case. */
function sans(isFit: (name: string) => boolean): { readonly parse: (text: string, before?: Names) => Names } {
  const parse = (text: string, before: Names = []): Names => {
    const names = list.parse(text.toLowerCase());
    const wrong = names.find((name) => !isFit(name));
    if (wrong === undefined) return [...before, ...names];
    throw new InvalidArgumentError(wrong === '' ? 'a name is empty' : `${JSON.stringify(wrong)} ${sanRule}`);
  };
  return { parse };
}

/** The kubeadm to be like. */
export const kubernetesVersion = {
  parse: (text: string): KubernetesVersion => {
    const version = /^v?1(?:\.\d{1,3}){1,2}$/.test(text) ? parseKubernetesVersion(text) : undefined;
    if (version === undefined) throw new InvalidArgumentError('use a Kubernetes version such as 1.32');
    return version;
  },
  again: ({ minor, patch }: KubernetesVersion): string =>
    ['1', minor, patch].filter((part) => part !== undefined).join('.'),
};

export const signerName = {
  parse: (text: string): string => {
    if (isSignerName(text)) return text;
    throw new InvalidArgumentError('use a domain and a path, such as clusterissuers.cert-manager.io/NAME');
  },
};

/** Go's strconv.ParseBool. */
export const goBoolean = {
  parse: (text: string): boolean => {
    if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true;
    if (/^(?:0|f|F|false|FALSE|False)$/.test(text)) return false;
    throw new InvalidArgumentError('use true or false');
  },
};

/** One of a few words, which a shell offers too. */
export function oneOf<Word extends string>(
  ...words: readonly Word[]
): { readonly offers: readonly Word[]; readonly parse: (text: string) => Word } {
  const parse = (text: string): Word => {
    const word = words.find((one) => one === withoutEquals(text));
    if (word !== undefined) return word;
    throw new InvalidArgumentError(`use ${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`);
  };
  return { offers: words, parse };
}

/** Go's flag parser takes `-o=json` too. */
export function withoutEquals(text: string): string {
  return text.replace(/^=/, '');
}
