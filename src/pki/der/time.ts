import { contentOf, isUniversal, malformed, primitive, type Asn1 } from './der.ts';

// RFC 5280, 4.1.2.5: both forms include seconds and end with Z, without fractions.
const utcTime = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const generalizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** @throws KubepkiError bad-certificate when it is no time, or a day or an hour that does not exist */
export function parseTime(value: Asn1 | undefined): Date {
  const isUtcTime = isUniversal(value, 'utcTime');
  if (!isUtcTime && !isUniversal(value, 'generalizedTime')) throw malformed();
  const text = contentOf(value).toString('latin1');
  const fields = (isUtcTime ? utcTime : generalizedTime).exec(text)?.slice(1).map(Number);
  if (fields === undefined) throw malformed();
  const [first = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
  // RFC 5280, 4.1.2.5.1: a two-digit year of 50 or more is in the 20th century.
  const year = isUtcTime ? first + (first >= 50 ? 1900 : 2000) : first;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const exists =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  if (!exists) throw malformed();
  return date;
}

/** RFC 3339 in UTC. Certificates know no fractions of a second. */
export function isoSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** RFC 5280, 4.1.2.5: UTCTime through the year 2049, GeneralizedTime from 2050 on. Whole seconds. */
export function encodeTime(date: Date): Asn1 {
  const isUtcTime = date.getUTCFullYear() < 2050;
  return primitive(isUtcTime ? 'utcTime' : 'generalizedTime', Buffer.from(encodedText(date, isUtcTime)));
}

function encodedText(date: Date, isUtcTime: boolean): string {
  const digits = isoSeconds(date).replace(/[-:T]/g, '');
  return isUtcTime ? digits.slice(2) : digits;
}
