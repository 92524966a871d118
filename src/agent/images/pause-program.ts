/**
 * The program that holds a pod's namespaces open, as a static ELF file made here from its instructions. It tells the
 * kernel to reap orphans by itself (SIGCHLD ignored) and then waits for ever; given any argument it ends at once.
 */

const loadAddress = 0x400000;
const headerBytes = 64 + 56;

const machines: Readonly<Record<string, { machine: number; code(): Buffer }>> = {
  x64: { machine: 62, code: codeX64 },
  arm64: { machine: 183, code: codeArm64 },
};

/** `architecture` as Node names it. */
export function pauseProgram(architecture: string): Buffer {
  const target = machines[architecture];
  if (target === undefined) throw new Error(`no pause program for ${architecture}`);
  const code = target.code();
  const size = headerBytes + code.length;
  const header = Buffer.alloc(headerBytes);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(target.machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(loadAddress + headerBytes), 24);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  // The one program header: load the whole file, readable and executable.
  header.writeUInt32LE(1, 64);
  header.writeUInt32LE(5, 68);
  header.writeBigUInt64LE(0n, 72);
  header.writeBigUInt64LE(BigInt(loadAddress), 80);
  header.writeBigUInt64LE(BigInt(loadAddress), 88);
  header.writeBigUInt64LE(BigInt(size), 96);
  header.writeBigUInt64LE(BigInt(size), 104);
  header.writeBigUInt64LE(0x10000n, 112);
  return Buffer.concat([header, code]);
}

/** struct sigaction with handler SIG_IGN, no flags, no restorer, an empty mask. */
const ignoreAction = Buffer.from([1, ...Array.from({ length: 31 }, () => 0)]);

function codeX64(): Buffer {
  const start = [
    [0x48, 0x8b, 0x04, 0x24], // mov rax, [rsp]           argc
    [0x48, 0x83, 0xf8, 0x01], // cmp rax, 1
    [0x7f, 0x24], // jg exit
    [0xbf, 17, 0, 0, 0], // mov edi, SIGCHLD
    [0x48, 0x8d, 0x35, 0x21, 0, 0, 0], // lea rsi, [rip + action]
    [0x31, 0xd2], // xor edx, edx
    [0x41, 0xba, 8, 0, 0, 0], // mov r10d, 8
    [0xb8, 13, 0, 0, 0], // mov eax, rt_sigaction
    [0x0f, 0x05], // syscall
    [0xb8, 34, 0, 0, 0], // loop: mov eax, pause
    [0x0f, 0x05], // syscall
    [0xeb, 0xf7], // jmp loop
    [0x31, 0xff], // exit: xor edi, edi
    [0xb8, 60, 0, 0, 0], // mov eax, exit
    [0x0f, 0x05], // syscall
  ];
  return Buffer.concat([Buffer.from(start.flat()), ignoreAction]);
}

function codeArm64(): Buffer {
  const move = (register: number, value: number): number => 0xd2800000 + value * 32 + register;
  const call = 0xd4000001;
  const words = [
    0xf94003e0, // ldr x0, [sp]                           argc
    0xf100041f, // cmp x0, #1
    0x5400000c + (16 - 2) * 32, // b.gt exit
    move(0, 17), // SIGCHLD
    0x10000001 + ((80 - 16) / 4) * 32, // adr x1, action
    move(2, 0),
    move(3, 8),
    move(8, 134), // rt_sigaction
    call,
    move(0, 0), // loop:
    move(1, 0),
    move(2, 0),
    move(3, 0),
    move(8, 73), // ppoll
    call,
    0x14000000 + (0x4000000 - 6), // b loop
    move(0, 0), // exit:
    move(8, 93), // exit
    call,
    0, // keeps the action aligned
  ];
  const code = Buffer.alloc(words.length * 4);
  words.forEach((word, at) => code.writeUInt32LE(word >>> 0, at * 4));
  return Buffer.concat([code, ignoreAction]);
}
