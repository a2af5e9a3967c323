#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Makes a disk bootable by a BIOS. Its first sector reads 64 KiB of the disk, adds up the words, and
ends QEMU through isa-debug-exit at port 0xf4: with 0x10 if the sum is right, with 0x11 if it is
wrong, with 0x12 if the BIOS reports a read error. The disk has a FAT file system in its first 8
MiB, which is kept; the 32 MiB after it are filled. Argument: the file.
"""
import random
import struct
import sys

AT = 8 << 20       # where it reads
FILLED = 32 << 20
BYTES = 64 << 10
CODE = 0x3E        # in the sector, after what describes the file system
END = 0x1FE        # of what is free in it
PACKET = 0x7D00    # of INT 13h, AH=42h: in the sector's own 512 bytes from 0x7c00
SEGMENT = 0x2000   # where it reads to


def code(total):
    return bytes((
        0xFA, 0x31, 0xC0, 0x8E, 0xD8,              # cli; xor ax,ax; mov ds,ax
        0x8E, 0xD0, 0xBC, 0x00, 0x7C, 0xFB,        # mov ss,ax; mov sp,0x7c00; sti
        0xBE, *PACKET.to_bytes(2, "little"),       # mov si,PACKET
        0xB4, 0x42, 0xB2, 0x80, 0xCD, 0x13,        # mov ah,0x42; mov dl,0x80; int 0x13
        0xB0, 0x12, 0x72, 0x1B,                    # mov al,0x12; jc end
        0xB8, *SEGMENT.to_bytes(2, "little"),      # mov ax,SEGMENT
        0x8E, 0xC0, 0x31, 0xFF, 0x31, 0xDB,        # mov es,ax; xor di,di; xor bx,bx
        0x26, 0x03, 0x1D, 0x83, 0xC7, 0x02,        # next: add bx,[es:di]; add di,2
        0x75, 0xF8,                                # jnz next
        0xB0, 0x10, 0x81, 0xFB, *total.to_bytes(2, "little"),  # mov al,0x10; cmp bx,total
        0x74, 0x02, 0xB0, 0x11,                    # je end; mov al,0x11
        0xE6, 0xF4, 0xF4, 0xEB, 0xFD,              # end: out 0xf4,al; hlt; jmp
    ))


def main():
    data = random.Random(1).randbytes(FILLED)
    total = sum(struct.unpack_from(f"<{BYTES // 2}H", data)) & 0xFFFF
    free = bytearray(END - CODE)
    program = code(total)
    free[:len(program)] = program
    struct.pack_into("<BBHHHQ", free, PACKET - 0x7C00 - CODE,
                     16, 0, BYTES // 512, 0, SEGMENT, AT // 512)
    with open(sys.argv[1], "r+b") as file:
        # What mkfs or mformat wrote: a jump to CODE.
        if file.read(2) != bytes((0xEB, CODE - 2)):
            sys.exit(f"{sys.argv[1]}: no FAT file system")
        file.seek(CODE)
        file.write(free + b"\x55\xaa")
        file.seek(AT)
        file.write(data)


if __name__ == "__main__":
    main()
