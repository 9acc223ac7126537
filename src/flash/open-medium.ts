// A disk's path -> Medium, through O_DIRECT: what is read back comes from the medium and not from the page cache.
import { constants } from 'node:fs';
import { access, type FileHandle, open, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Disk, SystemRoots } from './disk.ts';
import { FlashError } from './flash-error.ts';
import type { Medium } from './medium.ts';
import { attribute } from './read-block-nodes.ts';

/** On a block device O_EXCL means: nobody else has it, mounted or held; the kernel refuses others as long as we have it. */
const wanted = constants.O_RDWR | constants.O_EXCL | constants.O_DIRECT;

type Target = Pick<Disk, 'name' | 'path' | 'number' | 'sequence' | 'sizeBytes' | 'blockBytes'>;

export async function openMedium(disk: Target, roots: SystemRoots): Promise<Medium> {
  const file = await openExclusively(disk);
  try {
    if (!(await isSameDisk(disk, file, roots))) throw vanished(disk, 'open', null);
  } catch (error) {
    await file.close();
    throw error;
  }
  const failed = async (action: string, cause: unknown): Promise<never> => {
    throw await explain(disk, roots, action, cause);
  };
  return {
    path: disk.path,
    sizeBytes: disk.sizeBytes,
    blockBytes: disk.blockBytes,
    async write(bytes, position) {
      for (let done = 0; done < bytes.length; ) {
        const left = bytes.length - done;
        const { bytesWritten } = await file
          .write(bytes, done, left, position + done)
          .catch((cause: unknown) => failed(`write at byte ${position + done}`, cause));
        // A rest that begins inside a block cannot be written: the medium took what it should not have taken.
        if (bytesWritten === 0 || (bytesWritten < left && bytesWritten % disk.blockBytes !== 0))
          throw shortWrite(disk, position + done, left, bytesWritten);
        done += bytesWritten;
      }
    },
    async read(into, position) {
      for (let done = 0; done < into.length; ) {
        const { bytesRead } = await file
          .read(into, done, into.length - done, position + done)
          .catch((cause: unknown) => failed(`read back at byte ${position + done}`, cause));
        if (bytesRead === 0)
          await failed(`read back at byte ${position + done}`, new Error('the medium ends there'));
        done += bytesRead;
      }
    },
    flush: () => file.sync().catch((cause: unknown) => failed('flush', cause)),
    close: () => file.close(),
  };
}

async function openExclusively(disk: Target): Promise<FileHandle> {
  try {
    return await open(disk.path, wanted);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    // A file on tmpfs, before Linux 6.6. Every block device has O_DIRECT.
    if (code === 'EINVAL' && (await stat(disk.path)).isFile())
      return open(disk.path, wanted & ~constants.O_DIRECT);
    const action = `open ${disk.path}`;
    switch (code) {
      case 'EBUSY':
        throw new FlashError(
          {
            code: 'flash.in-use',
            message: `${action}: something on this computer uses the disk (${code})`,
            remedy:
              'Unmount it everywhere (lsblk and fuser -m show where) and try again. Nothing was written.',
          },
          cause,
        );
      case 'EACCES':
      case 'EPERM':
        throw new FlashError(
          {
            code: 'flash.no-permission',
            message: `${action}: not permitted (${code})`,
            remedy: 'Run the command as root, for example with sudo.',
          },
          cause,
        );
      case 'EROFS':
        throw new FlashError(
          {
            code: 'flash.read-only',
            message: `${action}: the disk is read-only (${code})`,
            remedy: 'Move the lock switch of the card or stick, or use another one.',
          },
          cause,
        );
      case 'ENOENT':
      case 'ENXIO':
      case 'ENODEV':
      case 'ENOMEDIUM':
        throw vanished(disk, 'open', cause);
      default:
        throw deviceError(disk, 'open', cause);
    }
  }
}

/** The path may lead to another medium than the one that was chosen, if sticks were changed meanwhile. */
async function isSameDisk(disk: Target, file: FileHandle, roots: SystemRoots): Promise<boolean> {
  const facts = await file.stat();
  const folder = path.join(roots.sys, 'block', disk.name);
  if (facts.isBlockDevice()) {
    const [major, minor] = [(facts.rdev >> 8) & 0xfff, (facts.rdev & 0xff) | ((facts.rdev >> 12) & 0xfff00)];
    if (`${major}:${minor}` !== disk.number) return false;
  }
  return (
    (await attribute(folder, 'diskseq')) === disk.sequence &&
    Number((await attribute(folder, 'size')) ?? 0) * 512 === disk.sizeBytes
  );
}

/** EIO is what a pulled stick and a broken one both give: whether the kernel still has the disk tells them apart. */
async function explain(
  disk: Target,
  roots: SystemRoots,
  action: string,
  cause: unknown,
): Promise<FlashError> {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const there = await access(path.join(roots.sys, 'block', disk.name)).then(
    () => true,
    () => false,
  );
  if (!there || ['ENODEV', 'ENXIO', 'ENOMEDIUM'].includes(code)) return vanished(disk, action, cause);
  return deviceError(disk, action, cause);
}

function vanished({ path: device }: Target, action: string, cause: unknown): FlashError {
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  return new FlashError(
    {
      code: 'flash.device-vanished',
      message: `${action} on ${device}: the disk was pulled or changed${code === undefined ? '' : ` (${code})`}`,
      remedy: 'Plug it in firmly and start again; what is on it now is incomplete and does not boot.',
    },
    cause,
  );
}

function deviceError({ path: device }: Target, action: string, cause: unknown): FlashError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new FlashError(
    {
      code: 'flash.device-error',
      message: `${action} on ${device}: the disk reports an error (${text})`,
      remedy: 'Try once more in another socket; if it happens again, the disk is worn out or broken.',
    },
    cause,
  );
}

function shortWrite({ path: device }: Target, position: number, asked: number, taken: number): FlashError {
  return new FlashError({
    code: 'flash.short-write',
    message: `write at byte ${position} on ${device}: the disk took ${taken} of ${asked} bytes`,
    remedy: 'The disk is smaller than it claims or broken: use another one.',
  });
}
