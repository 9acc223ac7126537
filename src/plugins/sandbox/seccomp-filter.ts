// The system calls a plugin's process may make -> a classic BPF program for `bwrap --seccomp`. Pure.
// What is not listed does not exist (ENOSYS): libraries then take the older way they know. A call of another processor
// mode ends the process.
import syscalls from './allowed-syscalls.json' with { type: 'json' };

/** From linux/audit.h: machine number, 64 bit, little endian. */
const machines: Readonly<Record<string, { readonly audit: number; readonly column: 0 | 1 }>> = {
  x64: { audit: 0xc000_003e, column: 0 },
  arm64: { audit: 0xc000_00b7, column: 1 },
};

/** `struct seccomp_data`: number, architecture, instruction pointer, six arguments of 64 bits. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const argument = (index: number) => 16 + 8 * index;

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_OR_EQUAL = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

const KILL_PROCESS = 0x8000_0000;
const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;

const CLONE_THREAD = 0x0001_0000;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const CLONE_NAMESPACES = 0x7e02_0000;
/** FIONBIO, FIOCLEX, FIONREAD, TCGETS, TIOCGWINSZ: what libuv asks of its own descriptors. */
const ioctls = [0x5421, 0x5451, 0x541b, 0x5401, 0x5413];

interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly operand: number;
}

const step = (code: number, operand: number, ifTrue = 0, ifFalse = 0): Instruction => ({
  code,
  ifTrue,
  ifFalse,
  operand,
});

/** null: there is no table for this processor, and so no filter. */
export function seccompFilter(arch: string): Uint8Array | null {
  const machine = machines[arch];
  if (machine === undefined) return null;
  const { audit, column } = machine;
  const { clone, ioctl, ...plain } = syscalls;
  const numbers = Object.values(plain)
    .map((row) => row[column])
    .filter((number) => number !== null && number !== undefined)
    .sort((a, b) => a - b);
  return encode([
    step(LOAD, ARCHITECTURE),
    step(JUMP_EQUAL, audit, 1),
    step(RETURN, KILL_PROCESS),
    step(LOAD, NUMBER),
    ...threadsOnly(clone[column] ?? -1),
    ...knownIoctls(ioctl[column] ?? -1),
    ...listed(toRanges(numbers)),
  ]);
}

/** A thread of the same process, in no new namespace: no second process can be made. */
function threadsOnly(clone: number): Instruction[] {
  return [
    step(JUMP_EQUAL, clone, 0, 5),
    step(LOAD, argument(0)),
    step(JUMP_ANY_BIT, CLONE_NAMESPACES, 2),
    step(JUMP_ANY_BIT, CLONE_THREAD, 0, 1),
    step(RETURN, ALLOW),
    step(RETURN, EPERM),
  ];
}

function knownIoctls(ioctl: number): Instruction[] {
  const tests = ioctls.map((request, index) => step(JUMP_EQUAL, request, ioctls.length - index));
  return [
    step(JUMP_EQUAL, ioctl, 0, tests.length + 3),
    step(LOAD, argument(1)),
    ...tests,
    step(RETURN, EPERM),
    step(RETURN, ALLOW),
  ];
}

/** Ascending ranges: below one that has not been reached is between two, and so not listed. */
function listed(ranges: readonly (readonly [number, number])[]): Instruction[] {
  const tests = ranges.flatMap(([first, last], index) => {
    const left = 2 * (ranges.length - index);
    // A jump counts from the instruction after it; at the end stand ENOSYS and ALLOW.
    return [step(JUMP_GREATER_OR_EQUAL, first, 0, left - 1), step(JUMP_GREATER, last, 0, left - 1)];
  });
  return [...tests, step(RETURN, ENOSYS), step(RETURN, ALLOW)];
}

function toRanges(numbers: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] + 1 >= number) range[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}

/** `struct sock_filter`: u16 code, u8 jump if true, u8 jump if false, u32 operand. */
function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8 * program.length));
  for (const [index, { code, ifTrue, ifFalse, operand }] of program.entries()) {
    if (ifTrue > 255 || ifFalse > 255) throw new RangeError('seccomp: a jump is longer than BPF can say');
    bytes.setUint16(8 * index, code, true);
    bytes.setUint8(8 * index + 2, ifTrue);
    bytes.setUint8(8 * index + 3, ifFalse);
    bytes.setUint32(8 * index + 4, operand, true);
  }
  return new Uint8Array(bytes.buffer);
}
