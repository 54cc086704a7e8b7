import { randomUUID } from 'node:crypto';
import {
  conditionOf,
  managedFieldsOf,
  type CsrCondition,
  type CsrObject,
  type CsrSpec,
  type CsrStatus,
} from './csr-object.ts';

/** The requests that an API server keeps; each change gives a new version. */
export class CsrStore {
  readonly #objects = new Map<string, CsrObject>();
  // Where the recording began.
  #version = 295;

  get(name: string): CsrObject | undefined {
    return this.#objects.get(name);
  }

  /** By name, as etcd has them. */
  all(): readonly CsrObject[] {
    return [...this.#objects.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** Of everything that is kept. */
  get version(): string {
    return String(this.#version);
  }

  create(name: string, spec: CsrSpec, labels?: Readonly<Record<string, string>>): CsrObject {
    const metadata = {
      name,
      uid: randomUUID(),
      resourceVersion: '',
      creationTimestamp: timestamp(),
      ...(labels === undefined ? {} : { labels }),
      managedFields: [],
    };
    return this.#write({ metadata, spec, status: {} });
  }

  update(object: CsrObject, status: CsrStatus): CsrObject {
    return this.#write({ ...object, status });
  }

  delete(name: string): void {
    this.#version += 1;
    this.#objects.delete(name);
  }

  #write(object: CsrObject): CsrObject {
    this.#version += 1;
    const signed = object.status.certificate !== undefined || conditionOf(object, 'Failed') !== undefined;
    const written = {
      ...object,
      metadata: {
        ...object.metadata,
        resourceVersion: String(this.#version),
        managedFields: managedFieldsOf(object, signed ? 'signer' : 'nobody'),
      },
    };
    this.#objects.set(object.metadata.name, written);
    return written;
  }
}

export function withCondition(status: CsrStatus, condition: CsrCondition): CsrStatus {
  const now = timestamp();
  const { type, status: truth, reason, message } = condition;
  const added = {
    type,
    status: truth,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    lastUpdateTime: now,
    lastTransitionTime: now,
  };
  return { ...status, conditions: [...(status.conditions ?? []), added] };
}

/** Of whole seconds. */
function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+/, '');
}
