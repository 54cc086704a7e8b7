import fc from '../../support/properties.ts';
import { nestings, type Mutation } from './mutation.ts';
import { fillings, foreignFiles, oddNumbers, tellingWords } from './words.ts';

const is = <K extends Mutation['kind']>(kind: K): fc.Arbitrary<K> => fc.constant(kind);
const hex = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('hex');
// Not fc.double: every double is as likely as any other there, and nearly all of them are next to 0.
const at = fc.nat(999_999).map((millionths) => millionths / 1_000_000);
const styles = Object.keys(nestings) as (keyof typeof nestings)[];
const lengths = ['00', '01', '7f', '80', '8100', '81ff', '8200ff', '84ffffffff', '887fffffffffffffff', 'ff'];

/** Mostly a few; now and then many, as time that grows with the square of something shows only then. */
const often = (few: number, many: number): fc.Arbitrary<number> =>
  fc.oneof({ weight: 19, arbitrary: fc.nat(few) }, { weight: 1, arbitrary: fc.nat(many) });

const someBytes = fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.constantFrom(...tellingWords)).map(hex);

const inBytes: readonly fc.Arbitrary<Mutation>[] = [
  fc.record({ kind: is('flip'), at, bit: fc.nat(7) }),
  fc.record({ kind: is('put'), at, hex: someBytes }),
  fc.record({ kind: is('cut'), at, length: often(64, 4096) }),
  fc.record({ kind: is('repeat'), at, length: often(64, 2048), times: often(50, 2000) }),
];

const inText: readonly fc.Arbitrary<Mutation>[] = [
  ...inBytes,
  fc.record({
    kind: is('fill'),
    at,
    hex: fc.constantFrom(...fillings).map(hex),
    bytes: often(2000, 300_000),
  }),
  fc.record({ kind: is('again'), at }),
  fc.record({ kind: is('bring'), at, from: fc.constantFrom(...foreignFiles) }),
  fc.record({ kind: is('truncate'), at, characters: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: is('lines'), end: fc.constantFrom('\r\n' as const, '\r' as const) }),
  fc.record({
    kind: is('encode'),
    as: fc.constantFrom('bom' as const, 'utf16le' as const, 'utf16be' as const),
  }),
];

const inside = (mutation: fc.Arbitrary<Mutation>): fc.Arbitrary<Mutation> =>
  fc.record({ kind: is('inside'), at, mutations: fc.array(mutation, { minLength: 1, maxLength: 2 }) });

const der = fc.oneof(...inBytes, fc.record({ kind: is('length'), at, hex: fc.constantFrom(...lengths) }));
const pem = fc.oneof(
  ...inText,
  fc.record({ kind: is('swap'), first: at, second: at }),
  // As often as six others: what is not base64 any more never reaches the DER.
  { weight: 6, arbitrary: inside(der) },
);
const yaml = fc.oneof(
  ...inText,
  fc.record({ kind: is('nest'), at, depth: often(120, 20_000), style: fc.constantFrom(...styles) }),
  fc.record({ kind: is('number'), at, text: fc.constantFrom(...oddNumbers) }),
  { weight: 4, arbitrary: inside(pem) },
);

/** What an input is made of decides what may be done to it. */
export const mutationsOf = { der, pem, yaml } as const;
export type Form = keyof typeof mutationsOf;
