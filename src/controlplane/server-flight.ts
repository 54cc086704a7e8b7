/** The error where a server says no, or speaks something else than TLS 1.2. */
export class NoFlight extends Error {}

/** What a server asks of its clients, in its first flight of messages. */
export interface Asked {
  /** DER of the Names of the CAs whose certificates it takes; undefined: it asks for no certificate. */
  readonly authorities: readonly Buffer[] | undefined;
}

// RFC 5246, 6.2.1 and 7.4.
const records = { alert: 21, handshake: 22 } as const;
const messages = { serverHello: 2, certificateRequest: 13, serverHelloDone: 14 } as const;
// Certificate, ServerKeyExchange, CertificateStatus (RFC 6066, 8): they say nothing of clients.
const passedOver: readonly number[] = [11, 12, 22];
const tls12 = 0x0303;
const maxRecord = 1 << 14;

/**
 * Far more than such a flight is: a list of CA names has 64 KiB at most, a chain of certificates a few.
 */
const maxBytes = 1 << 18;

/**
 * Reads the first flight of a TLS 1.2 server, from ServerHello to CertificateRequest, where all is in the clear (RFC 5246, 7.3). The bytes
 * are a stranger's: each length is checked against what is there, and the sum is bounded.
 */
export class ServerFlight {
  readonly #received = new Gathered();
  readonly #messages = new Gathered();
  #hasGreeted = false;

  /**
   * @returns undefined: it has not come that far
   * @throws NoFlight
   */
  read(bytes: Buffer): Asked | undefined {
    this.#received.add(bytes);
    for (let record = this.#record(); record !== undefined; record = this.#record()) {
      this.#messages.add(record);
    }
    for (let message = this.#message(); message !== undefined; message = this.#message()) {
      const asked = this.#meaningOf(message.type, message.body);
      if (asked !== undefined) return asked;
    }
    return undefined;
  }

  /** struct { ContentType type; ProtocolVersion version; uint16 length; opaque fragment[length]; } */
  #record(): Buffer | undefined {
    const header = this.#received.peek(5);
    if (header === undefined) return undefined;
    const [type, length] = [header.readUInt8(0), header.readUInt16BE(3)];
    const isTls = type === records.alert || type === records.handshake;
    if (!isTls || header.readUInt8(1) !== 3 || length === 0 || length > maxRecord)
      throw new NoFlight('no TLS');
    const fragment = this.#received.take(5, length);
    // struct { AlertLevel level; AlertDescription description; }
    if (fragment !== undefined && type === records.alert) {
      throw new NoFlight(`TLS 1.2 is refused (alert ${String(fragment[1] ?? 0)})`);
    }
    return fragment;
  }

  /** struct { HandshakeType msg_type; uint24 length; body; } */
  #message(): { readonly type: number; readonly body: Buffer } | undefined {
    const header = this.#messages.peek(4);
    const body = header && this.#messages.take(4, header.readUIntBE(1, 3));
    return header && body && { type: header.readUInt8(0), body };
  }

  #meaningOf(type: number, body: Buffer): Asked | undefined {
    if (type === messages.serverHello && !this.#hasGreeted) {
      if (body.length < 2 || body.readUInt16BE(0) !== tls12) throw new NoFlight('no TLS 1.2');
      this.#hasGreeted = true;
      return undefined;
    }
    if (this.#hasGreeted && type === messages.certificateRequest) return { authorities: authoritiesIn(body) };
    if (this.#hasGreeted && type === messages.serverHelloDone) return { authorities: undefined };
    if (this.#hasGreeted && passedOver.includes(type)) return undefined;
    throw new NoFlight('its TLS handshake is not understood');
  }
}

/**
 * RFC 5246, 7.4.4: ClientCertificateType certificate_types<1..2^8-1>; SignatureAndHashAlgorithm supported_signature_algorithms<2..2^16-2>;
 * DistinguishedName certificate_authorities<0..2^16-1>, each of them opaque<1..2^16-1>.
 */
function authoritiesIn(body: Buffer): readonly Buffer[] {
  const [, afterTypes] = vector(body, 1);
  const [, afterAlgorithms] = vector(afterTypes, 2);
  const [list, rest] = vector(afterAlgorithms, 2);
  if (rest.length > 0) throw new NoFlight('its TLS handshake is not understood');
  const names: Buffer[] = [];
  for (let left = list; left.length > 0;) {
    const [name, others] = vector(left, 2);
    names.push(name);
    left = others;
  }
  return names;
}

/** RFC 5246, 4.3. @returns its content, and what follows it */
function vector(bytes: Buffer, lengthBytes: 1 | 2): readonly [content: Buffer, rest: Buffer] {
  const length = bytes.length < lengthBytes ? Infinity : bytes.readUIntBE(0, lengthBytes);
  const end = lengthBytes + length;
  if (end > bytes.length) throw new NoFlight('its TLS handshake is not understood');
  return [bytes.subarray(lengthBytes, end), bytes.subarray(end)];
}

/** Bytes that come in pieces, each copied once however small they are. */
class Gathered {
  readonly #bytes = Buffer.alloc(maxBytes);
  #start = 0;
  #end = 0;

  add(piece: Buffer): void {
    if (piece.length > maxBytes - this.#end) throw new NoFlight('its TLS handshake is too long');
    piece.copy(this.#bytes, this.#end);
    this.#end += piece.length;
  }

  /** @returns undefined: so many are not there yet */
  peek(count: number): Buffer | undefined {
    const end = this.#start + count;
    return end > this.#end ? undefined : this.#bytes.subarray(this.#start, end);
  }

  /** Takes a header and what follows it. @returns undefined: not all is there yet, and nothing was taken */
  take(header: number, count: number): Buffer | undefined {
    if (header + count > maxBytes) throw new NoFlight('its TLS handshake is too long');
    const all = this.peek(header + count);
    if (all === undefined) return undefined;
    this.#start += header + count;
    return all.subarray(header);
  }
}
