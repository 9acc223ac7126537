// The values of the rule language: "text", 1234:abcd, 03:01:*; each from where the scanner stands.
import type { LineScanner } from './line-scanner.ts';
import type { DeviceId, InterfacePattern } from './rule.ts';

const regular = /[^"\\\r\n]+/y;
const idPart = /[0-9a-fA-F]{4}|\*/y;
const interfacePart = /[0-9a-fA-F]{2}|\*/y;
const hexByte = /x[0-9a-fA-F]{2}/y;

export function parseString(scanner: LineScanner): string | null {
  const start = scanner.at;
  if (!scanner.take('"')) return scanner.fail('policy.string', 'a text in double quotes');
  let value = '';
  for (;;) {
    value += scanner.match(regular);
    if (scanner.take('"')) return value;
    const backslashAt = scanner.at;
    if (!scanner.take('\\'))
      return scanner.isAtEnd()
        ? scanner.fail('policy.string', 'a closing double quote', scanner.at)
        : scanner.fail('policy.string', 'a text within one line', start);
    if (scanner.take('"')) value += '"';
    else if (scanner.take('\\')) value += '\\';
    else {
      const digits = scanner.match(hexByte).slice(1);
      if (digits === '') return scanner.fail('policy.string', 'one of \\" \\\\ \\xHH', backslashAt);
      value += String.fromCharCode(Number.parseInt(digits, 16));
    }
  }
}

export function parseDeviceId(scanner: LineScanner): DeviceId | null {
  const expected = 'a device id such as 1234:abcd, 1234:* or *:*';
  const start = scanner.at;
  const vendor = scanner.match(idPart);
  if (vendor === '' || !scanner.take(':')) return scanner.fail('policy.value', expected, start);
  const product = scanner.match(idPart);
  if (product === '') return scanner.fail('policy.value', expected, start);
  if (vendor === '*' && product !== '*')
    return scanner.fail('policy.value', 'a vendor before the product, or *:*', start);
  return { vendor, product };
}

export function parseInterface(scanner: LineScanner): InterfacePattern | null {
  const expected = 'an interface type such as 03:01:02, 03:01:* or 03:*:*';
  const start = scanner.at;
  const parts: string[] = [];
  for (const separator of ['', ':', ':']) {
    if (!scanner.take(separator)) return scanner.fail('policy.value', expected, start);
    const part = scanner.match(interfacePart);
    if (part === '') return scanner.fail('policy.value', expected, start);
    parts.push(part);
  }
  const [code = '', subclass = '', protocol = ''] = parts;
  if (code === '*')
    return scanner.fail('policy.value', 'a class in two hex digits before the asterisks', start);
  if (subclass === '*' && protocol !== '*')
    return scanner.fail(
      'policy.value',
      'an asterisk for the protocol too, after one for the subclass',
      start,
    );
  return { class: Number.parseInt(code, 16), subclass: byteOrAny(subclass), protocol: byteOrAny(protocol) };
}

function byteOrAny(part: string): number | null {
  return part === '*' ? null : Number.parseInt(part, 16);
}
