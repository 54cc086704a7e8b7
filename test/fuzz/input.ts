import { readFileSync } from 'node:fs';
import fc from '../support/properties.ts';
import { fixturePath } from '../support/tree.ts';
import { base64Parts } from './mutation/base64-parts.ts';
import { mutationsOf, type Form } from './mutation/mutation-arbitraries.ts';
import { mutate, type Mutation } from './mutation/mutation.ts';

/** A file to be mutated. */
export interface Sample {
  /** The fixture it belongs to. */
  readonly role: string;
  /** Below the fixture's root. */
  readonly file: string;
  /** Another fixture, whose file of that name is put there. */
  readonly from?: string;
  /** The DER inside the first PEM block instead. */
  readonly der?: true;
}

/** A mutated file; as JSON it is what is printed of a failure, and replayed with FUZZ_INPUT. */
export interface FuzzInput {
  readonly kind: string;
  readonly sample: Sample;
  readonly mutations: readonly Mutation[];
}

/** Files of one kind, and how they are mutated. */
export interface InputKind {
  readonly name: string;
  readonly form: Form;
  readonly samples: readonly Sample[];
}

export function inputsOf({ name, form, samples }: InputKind): fc.Arbitrary<FuzzInput> {
  return (
    fc
      .record({
        kind: fc.constant(name),
        sample: fc.constantFrom(...samples),
        // Mostly one: after several hardly a file is good enough to be read to its end.
        mutations: fc.oneof(
          { weight: 2, arbitrary: fc.array(mutationsOf[form], { minLength: 1, maxLength: 1 }) },
          { weight: 1, arbitrary: fc.array(mutationsOf[form], { minLength: 2, maxLength: 4 }) },
        ),
      })
      // Two flips of one bit, a cut of nothing: what is not changed does not count.
      .filter((input) => !bytesOf(input).equals(originalOf(input.sample)))
  );
}

export function bytesOf({ sample, mutations }: FuzzInput): Buffer {
  return mutate(originalOf(sample), mutations);
}

export function originalOf({ role, file, from = role, der }: Sample): Buffer {
  const bytes = readFileSync(fixturePath(from, file));
  return der === true ? Buffer.from(base64Parts(bytes)[0]?.text ?? '', 'base64') : bytes;
}

/** The file to give with --config, where the sample is one. */
export function configOf({ file }: Sample): string | undefined {
  return file === 'kubeadm.yaml' ? file : undefined;
}

/** The command line that runs one input again. */
export function replayable(input: FuzzInput): string {
  return `FUZZ_INPUT='${JSON.stringify(input)}' npm test -- fuzz`;
}
