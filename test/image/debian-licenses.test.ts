import assert from 'node:assert/strict';
import test from 'node:test';
import { parseDebianCopyright } from '../../image/base/debian-licenses.ts';

const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: sample

Files: *
Copyright: 2020 Somebody
License: GPL-2+

Files: lib/*
Copyright: 2020 Somebody
License: LGPL-2.1+ and Expat

Files: uapi/*
License: GPL-2 with Linux-syscall-note exception or BSD-3-clause

Files: md5.c
License: public-domain-md5
 Written by nobody.
 .
 Do what you like.

License: GPL-2+
 On Debian systems the text is in /usr/share/common-licenses.
`;

test('the terms of a package become an SPDX expression, and what SPDX does not know comes with its text [I1]', () => {
  const terms = parseDebianCopyright('sample', copyright);
  assert.equal(
    terms?.expression,
    '(GPL-2.0-only WITH Linux-syscall-note OR BSD-3-Clause) AND (LGPL-2.1-or-later AND MIT) AND GPL-2.0-or-later AND LicenseRef-sample-public-domain-md5',
  );
  assert.deepEqual(Object.keys(terms.references), ['LicenseRef-sample-public-domain-md5']);
  assert.match(
    terms.references['LicenseRef-sample-public-domain-md5'] ?? '',
    /Written by nobody\.\n\nDo what you like\./,
  );
});

test('a copyright file in free form claims nothing [I1]', () => {
  assert.equal(
    parseDebianCopyright('sample', 'This package was debianized by …\n\nLicense: GPL-2\n'),
    undefined,
  );
  assert.equal(parseDebianCopyright('sample', ''), undefined);
  assert.equal(parseDebianCopyright('sample', 'Format: x\n\nLicense: GPL-2\n text\n'), undefined);
});
