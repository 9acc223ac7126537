// A mirror with a tiny package for each name that image/packages/alpine.json wants, and what a test does to it.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import alpine from '../../../image/packages/alpine.json' with { type: 'json' };
import { type Apk, gzip, makeApk, type PackageInfo, type SigningKey } from './make-apk.ts';
import { folderOf, makeSigningKey, writeRepository } from './write-repository.ts';

export interface SmallRepository {
  /** `file://…` */
  readonly url: string;
  readonly mirror: string;
  readonly keys: string;
  readonly key: SigningKey;
  /** Path of a file of the repository main. */
  file(name: string): string;
  /** Makes one package anew with other content and the same version; the index follows or not. */
  replace(name: string, content: string, index: 'index-follows' | 'index-stays'): Promise<void>;
  /** The index without this package. */
  forget(name: string): Promise<void>;
  signIndex(key: SigningKey | undefined): Promise<void>;
}

export async function smallRepository(dir: string): Promise<SmallRepository> {
  const mirror = path.join(dir, 'mirror');
  const keys = path.join(dir, 'keys');
  const key = makeSigningKey('small-test.rsa.pub');
  await mkdir(keys, { recursive: true });
  await writeFile(path.join(keys, key.name), key.publicPem);
  const make = async (info: PackageInfo, content: string) => {
    const tree = path.join(dir, 'tree', info.name);
    await rm(tree, { recursive: true, force: true });
    await mkdir(path.join(tree, 'usr/share/small'), { recursive: true });
    await writeFile(path.join(tree, 'usr/share/small', info.name), content);
    if (info.name === 'alpine-keys') {
      await mkdir(path.join(tree, 'usr/share/apk/keys'), { recursive: true });
      await writeFile(path.join(tree, 'usr/share/apk/keys', key.name), key.publicPem);
    }
    return makeApk(info, tree, key);
  };
  const names = [...Object.values(alpine.base).flat(), ...alpine.kernel.wanted, ...alpine.kernel.besides];
  let packages: readonly Apk[] = await Promise.all(
    [...names, ...alpine.boot.wanted, 'musl', 'alpine-keys'].map((name) => make(infoOf(name), `${name}\n`)),
  );
  const place = { mirror, release: alpine.release, repository: 'main', architecture: 'x86_64' };
  const write = (signer: SigningKey | undefined = key) => writeRepository(place, packages, signer);
  await write();
  await writeRepository({ ...place, repository: 'community' }, [], key);
  return {
    url: `file://${mirror}`,
    mirror,
    keys,
    key,
    file: (name) => path.join(folderOf(place), name),
    async replace(name, content, index) {
      const made = await make(infoOf(name), content);
      if (index === 'index-follows') {
        packages = packages.map((entry) => (entry.info.name === name ? made : entry));
        await write();
      } else await writeFile(path.join(folderOf(place), `${name}-1.0-r0.apk`), made.bytes);
    },
    async forget(name) {
      packages = packages.filter(({ info }) => info.name !== name);
      await write();
    },
    signIndex: (signer) => writeRepository(place, packages, signer),
  };
}

/** A byte in the middle of the last gzip stream changes; the archive still unpacks. */
export async function changeInside(file: string, from: string, to: string): Promise<void> {
  const bytes = await readFile(file);
  const magic = Buffer.from([0x1f, 0x8b, 0x08]);
  const start = bytes.lastIndexOf(magic);
  const text = gunzipSync(bytes.subarray(start)).toString('latin1');
  if (!text.includes(from)) throw new Error(`change ${file}: it does not contain ${from}`);
  const changed = gzip(Buffer.from(text.replace(from, to), 'latin1'));
  await writeFile(file, Buffer.concat([bytes.subarray(0, start), changed]));
}

function infoOf(name: string): PackageInfo {
  const depends = name === 'musl' ? [] : ['musl'];
  return { name, version: '1.0-r0', architecture: 'x86_64', description: name, license: 'MIT', depends };
}
