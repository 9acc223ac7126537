/**
 * Everything from the first `://` to the last `@` may be a user and a password: passwords are written raw, with `/`, `?`,
 * `#` and `@` in them. Hides rather too much. `file://` has no user. Two searches, whatever the text is: no regular expression
 * that could be made slow from outside. Hide first, cut afterwards: half an address has no `@`.
 */
export function hideCredentials(text: string): string {
  const end = text.lastIndexOf('@');
  let start = text.indexOf('://');
  while (start !== -1 && /(^|[^a-z0-9+.-])file$/i.test(text.slice(Math.max(0, start - 5), start)))
    start = text.indexOf('://', start + 3);
  return start === -1 || end < start ? text : `${text.slice(0, start)}://[redacted]${text.slice(end)}`;
}
