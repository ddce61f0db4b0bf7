"""What a batch asks of the processor: subnormal numbers are zero, and vectors are as wide as it has.

Sigmoids that saturate and exponentials that underflow make numbers below the smallest normal one, on which a processor
may take a hundred times as long; as zeros they change no result beyond 1e-38. The control word is of one thread: set
when a kernel begins, restored when it ends. On a processor with AVX-512 the compiler takes half of a vector unless told
otherwise. This module's text becomes part of every generated kernel.
"""

import platform

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

X86, ARM = (platform.machine().lower() in names for names in (("x86_64", "amd64"), ("aarch64", "arm64")))
FLUSH = 0x8040 if X86 else 1 << 24 if ARM else 0
"""Bits of MXCSR (flush to zero, denormals are zero) or FPCR (flush to zero)."""


def read(builder):
    """Instructions that read the control word."""
    if X86:
        slot = cgutils.alloca_once(builder, ir.IntType(32))
        call(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), builder.bitcast(slot, ir.IntType(8).as_pointer()))
        return builder.zext(builder.load(slot), ir.IntType(64))
    return call(builder, "llvm.aarch64.get.fpcr", ir.IntType(64)) if ARM else ir.Constant(ir.IntType(64), 0)


def write(builder, word):
    """Instructions that write it."""
    if X86:
        slot = cgutils.alloca_once(builder, ir.IntType(32))
        builder.store(builder.trunc(word, ir.IntType(32)), slot)
        call(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), builder.bitcast(slot, ir.IntType(8).as_pointer()))
    elif ARM:
        call(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), word)


def call(builder, name, result, *arguments):
    """A call of one of the compiler's own functions."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


@intrinsic
def control_word(typing_context):
    """The control word of this thread."""
    return types.uint64(), lambda context, builder, signature, args: read(builder)


@intrinsic
def begin_batch(typing_context):
    """Flush subnormal numbers to zero from here on, and use whole vectors in this function; the control word before."""

    def generate(context, builder, signature, args):
        if X86:  # llvmlite's own list of attributes lacks it
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        before = read(builder)
        write(builder, builder.or_(before, ir.Constant(ir.IntType(64), FLUSH)))
        return before

    return types.uint64(), generate


@intrinsic
def end_batch(typing_context, word):
    """Put the control word back."""

    def generate(context, builder, signature, args):
        write(builder, args[0])
        return context.get_dummy_value()

    return types.void(types.uint64), generate
