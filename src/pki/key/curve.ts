interface Curve {
  /** The order of its field. */
  readonly p: bigint;
  readonly b: bigint;
}

// SEC 2, 2.4.2 and 2.5.1; in both a is -3 and the cofactor 1.
const curves: Readonly<Record<'P-256' | 'P-384', Curve>> = {
  'P-256': {
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  'P-384': {
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
};

/**
 * SEC 1, 3.2.2.1: is the point a public key? With a cofactor of 1 it is when its coordinates are in the field and fulfil
 * the equation; the point at infinity has no coordinates.
 */
export function isOnCurve(name: 'P-256' | 'P-384', xBytes: Buffer, yBytes: Buffer): boolean {
  const { p, b } = curves[name];
  const [x, y] = [number(xBytes), number(yBytes)];
  return x < p && y < p && (y * y - (x * x - 3n) * x - b) % p === 0n;
}

function number(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}
