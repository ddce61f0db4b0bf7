"""Coupling as a matrix product over a batch, a tile of rows and lanes at a time, kept in registers.

Every element is a plain sum over sources in order, by fused multiply-add, so that its bytes depend neither on the width
of the batch nor on a library or its threads. This module's text becomes part of every generated kernel.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

ROWS = 4
"""Targets in a tile."""
WIDTH = 16
"""Lanes in a tile; a generated kernel sets its own."""


@intrinsic
def tile(typing_context, matrix, at_matrix, sent, at_sent, stride, c, at_c, n_sources):
    """c[r, :] = sum_k matrix[k, r] sent[k, :], for ROWS targets r and WIDTH lanes, at offsets into flat arrays.

    Parameters
    ----------
    typing_context : numba's own.
    matrix, at_matrix : coupling matrix (source, ROWS) from an offset on.
    sent, at_sent : what sources send (source, stride) from an offset on.
    stride : distance of two sources in `sent`.
    c, at_c : where the sums (ROWS, stride) go.
    n_sources : how many sources there are.
    """
    signature = types.void(matrix, at_matrix, sent, at_sent, stride, c, at_c, n_sources)

    def generate(context, builder, signature, args):
        def pointer(k, offset):
            return builder.gep(context.make_array(signature.args[k])(context, builder, args[k]).data, [offset])

        lanes, i32, i64 = WIDTH, ir.IntType(32), ir.IntType(64)
        scalar = context.get_value_type(signature.args[0].dtype)
        vector = ir.VectorType(scalar, lanes)
        align = context.get_abi_sizeof(scalar)
        undefined, first = ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(i32, lanes), [0] * lanes)
        name = f"llvm.fma.v{lanes}f{8 * align}"
        fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
        from_matrix, from_sent, to_c = pointer(0, args[1]), pointer(2, args[3]), pointer(5, args[6])
        sums = [cgutils.alloca_once_value(builder, ir.Constant(vector, [0.0] * lanes)) for _ in range(ROWS)]
        for total in sums:
            builder.store(ir.Constant(vector, [0.0] * lanes), total)
        with cgutils.for_range(builder, args[7]) as loop:
            row = builder.gep(from_sent, [builder.mul(loop.index, args[4])])
            s = builder.load(builder.bitcast(row, vector.as_pointer()), align=align)
            for r, total in enumerate(sums):
                at = builder.add(builder.mul(loop.index, ir.Constant(i64, ROWS)), ir.Constant(i64, r))
                w = builder.load(builder.gep(from_matrix, [at]), align=align)
                w = builder.shuffle_vector(builder.insert_element(undefined, w, ir.Constant(i32, 0)), undefined, first)
                builder.store(builder.call(fma, [w, s, builder.load(total)]), total)
        for r, total in enumerate(sums):
            row = builder.gep(to_c, [builder.mul(args[4], ir.Constant(i64, r))])
            builder.store(builder.load(total), builder.bitcast(row, vector.as_pointer()), align=align)
        return context.get_dummy_value()

    return signature, generate
